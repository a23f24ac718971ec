#include "conformance/driver_host/transcript.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "syscalls/mutex.h"

namespace net::conformance {
void Transcript::Add(bool sent, absl::string_view message) {
  const MutexLock lock(mutex_);
  const size_t count = shared_->count.load();
  shared_->lines[count % kLines].Set(
      absl::StrCat(sent ? "> " : "< ", message.substr(0, SharedLine::kWidth)));
  shared_->count.store(count + 1);
  shared_->incomplete.Set("");
}

void Transcript::SetIncomplete(absl::string_view what) {
  const MutexLock lock(mutex_);
  shared_->incomplete.Set(what);
}

void Transcript::Clear() {
  const MutexLock lock(mutex_);
  shared_->count.store(0);
  shared_->incomplete.Set("");
}

size_t Transcript::Count() const { return shared_->count.load(); }

std::string Transcript::Text() const {
  const size_t count = shared_->count.load();
  std::string text;
  for (size_t i = count - std::min(count, kLines); i < count; ++i) {
    absl::StrAppend(&text, text.empty() ? "" : "\n",
                    shared_->lines[i % kLines].Get());
  }
  const std::string incomplete = shared_->incomplete.Get();
  if (!incomplete.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", "(", incomplete, ")");
  }
  return text;
}

}  // namespace net::conformance
