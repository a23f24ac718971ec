#include "conformance/engine/last_calls.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace net::conformance {
namespace {

// The calling thread's place in the LastCalls that it used last.
struct Place {
  uint64_t owner = 0;  // The id of the LastCalls; 0: none.
  size_t thread = 0;
  size_t calls = 0;  // Number of its calls so far.
};

Place& OwnPlace() {
  thread_local Place place;
  return place;
}

}  // namespace

uint64_t LastCalls::NextId() {
  static std::atomic<uint64_t> last = 0;
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

LastCalls::CallsOfThread& LastCalls::CallsOf(size_t thread) const {
  return *std::launder(reinterpret_cast<CallsOfThread*>(
      shared_->by_thread[thread].bytes.data()));
}

LastCalls::Call* LastCalls::Next() {
  Place& place = OwnPlace();
  if (place.owner != id_) {
    place = {
        .owner = id_,
        .thread = shared_->threads.fetch_add(1, std::memory_order_relaxed)};
    if (place.thread < kThreads) {
      new (shared_->by_thread[place.thread].bytes.data()) CallsOfThread;
    }
  }
  if (place.thread >= kThreads) return nullptr;
  return &CallsOf(place.thread)[place.calls++ % kCalls];
}

LastCalls::Entry LastCalls::Enter(absl::string_view line) {
  Entry entry;
  Call* const call = Next();
  if (call == nullptr) return entry;
  call->returned.store(false, std::memory_order_relaxed);
  call->line.Set(line);
  call->number.store(shared_->calls.fetch_add(1, std::memory_order_relaxed) + 1,
                     std::memory_order_relaxed);
  entry.line_ = &call->line;
  entry.returned_ = &call->returned;
  return entry;
}

void LastCalls::Return(const Entry& entry, absl::string_view line) {
  if (entry.line_ == nullptr) return;
  entry.line_->Set(line);
  entry.returned_->store(true, std::memory_order_relaxed);
}

uint64_t LastCalls::count() const {
  return shared_->calls.load(std::memory_order_relaxed);
}

std::string LastCalls::Text() const {
  std::vector<const Call*> calls;
  // A place that its thread had no time to construct is zero.
  const size_t threads = std::min(shared_->threads.load(), kThreads);
  for (size_t thread = 0; thread < threads; ++thread) {
    for (const Call& call : CallsOf(thread)) {
      if (call.number.load() > 0) calls.push_back(&call);
    }
  }
  std::sort(calls.begin(), calls.end(), [](const Call* a, const Call* b) {
    return a->number.load() < b->number.load();
  });
  const size_t earlier = calls.size() - std::min(calls.size(), kCalls);
  std::string text;
  for (size_t i = 0; i < calls.size(); ++i) {
    if (i < earlier && calls[i]->returned.load()) continue;
    absl::StrAppend(&text, text.empty() ? "" : "\n", calls[i]->line.Get());
  }
  return text;
}

}  // namespace net::conformance
