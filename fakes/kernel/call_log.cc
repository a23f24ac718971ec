#include "fakes/kernel/call_log.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/wait_queue.h"
#include "syscalls/errors/errno_symbol.h"

namespace net::fake {

std::string CallLog::TextOf(const Entry& entry) {
  if (entry.call.process == nullptr) return absl::StrCat(entry.call.name, "()");
  std::string text = Describe(CallSite{.process = *entry.call.process,
                                       .call = entry.call.name,
                                       .fd = entry.call.fd});
  if (!entry.has_returned) return absl::StrCat(text, ": not returned");
  if (entry.result.ok()) {
    return absl::StrCat(text, " = ", entry.result.value());
  }
  return absl::StrCat(text, " = -1 ", ErrnoSymbol(entry.result.error()));
}

std::string CallLog::ToString() const {
  std::string text;
  const uint64_t first =
      count_ - std::min({count_, kShown, uint64_t{kEntries}});
  for (uint64_t i = first; i < count_; ++i) {
    const Entry& entry = entries_[i % kEntries];
    const absl::string_view name = entry.caller == nullptr
                                       ? "a thread that does not take part"
                                       : absl::string_view(entry.caller->name);
    absl::StrAppend(&text, "  ", name, ": ", TextOf(entry), "\n");
  }
  return text;
}

std::string CallLog::LastOf(const ParticipantState* caller) const {
  const uint64_t first = count_ - std::min(count_, uint64_t{kEntries});
  for (uint64_t i = count_; i > first; --i) {
    const Entry& entry = entries_[(i - 1) % kEntries];
    if (entry.caller == caller) return TextOf(entry);
  }
  return "";
}

}  // namespace net::fake
