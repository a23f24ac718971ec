#include "fakes/explorer/shared_schedule.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "absl/status/statusor.h"
#include "fakes/schedule/schedule.h"
#include "syscalls/errors/error.h"

namespace net {
namespace {

// Of which only those that are used take memory.
constexpr size_t kWords = size_t{1} << 23;
constexpr size_t kHeader = 3;

}  // namespace

void SharedChoices::Unmap::operator()(int32_t* words) const {
  ::munmap(words, kWords * sizeof(int32_t));
}

absl::StatusOr<SharedChoices> SharedChoices::Make() {
  void* const memory =
      ::mmap(nullptr, kWords * sizeof(int32_t), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return ErrnoError(errno, "mmap");
  return SharedChoices(static_cast<int32_t*>(memory));
}

void SharedChoices::Clear() { words_.get()[0] = 0; }

void SharedChoices::Add(const ScheduleChoice& choice) {
  int32_t* const words = words_.get();
  auto size = static_cast<size_t>(words[0]);
  if (size + kHeader + choice.runnable.size() >= kWords) {
    std::cerr << "ExploreOptions::catch_crashes: too many choices in a run\n"
              << std::flush;
    std::abort();
  }
  words[++size] = static_cast<int32_t>(choice.why);
  words[++size] = choice.current;
  words[++size] = static_cast<int32_t>(choice.runnable.size());
  for (const int participant : choice.runnable) words[++size] = participant;
  words[0] = static_cast<int32_t>(size);
}

void SharedChoices::MakeAgain(SchedulePolicy& policy) const {
  const int32_t* next = words_.get() + 1;
  const int32_t* const end = next + words_.get()[0];
  std::vector<int> runnable;
  while (next < end) {
    const auto count = static_cast<size_t>(next[2]);
    runnable.assign(next + kHeader, next + kHeader + count);
    static_cast<void>(policy.Choose({.why = static_cast<HandOver>(next[0]),
                                     .runnable = runnable,
                                     .current = next[1]}));
    next += kHeader + count;
  }
}

}  // namespace net
