#ifndef CONFORMANCE_ENGINE_LAST_CALLS_H_
#define CONFORMANCE_ENGINE_LAST_CALLS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "conformance/engine/shared_line.h"

namespace net::conformance {

// The last system calls of a trial, for people. They are in memory that a
// process shares with the children that it forks: the trial's process writes
// them, and the runner reads them, even if that process is dead.
//
// Thread-safety: the methods for the trial's process may be called from any
// thread. They take no lock and order no memory between threads, because
// ThreadSanitizer would then not see the data races of the code under test.
class LastCalls {
 public:
  // The number of calls that Text() returns, apart from calls in progress.
  static constexpr size_t kCalls = 30;
  // The number of threads whose calls are noted. Calls of later threads are
  // not.
  static constexpr size_t kThreads = 64;

  // The place of a call in progress.
  class Entry {
   private:
    friend class LastCalls;
    SharedLine* line_ = nullptr;
    std::atomic<bool>* returned_ = nullptr;
  };

  // Notes that the calling thread enters a call, or that it has returned. The
  // line describes the call; the second one replaces the first.
  Entry Enter(absl::string_view line);
  static void Return(const Entry& entry, absl::string_view line);

  // Returns how many calls have begun so far.
  uint64_t count() const;

  // Returns the lines in the order in which the calls began. Earlier calls are
  // included if they have not returned. Call it after the trial's process has
  // ended; a line that a killed process was writing may be incomplete.
  std::string Text() const;

 private:
  struct Call {
    std::atomic<uint64_t> number = 0;  // Its place in the order; 0: none.
    std::atomic<bool> returned = false;
    SharedLine line;
  };
  using CallsOfThread = std::array<Call, kCalls>;
  struct Shared {
    std::atomic<uint64_t> calls = 0;
    std::atomic<size_t> threads = 0;
    // A CallsOfThread for each thread. Its first call constructs it: most
    // trials have few threads, and untouched memory costs nothing.
    struct alignas(CallsOfThread) Place {
      std::array<std::byte, sizeof(CallsOfThread)> bytes;
    };
    std::array<Place, kThreads> by_thread;
  };

  CallsOfThread& CallsOf(size_t thread) const;

  // Returns a number that differs from those of all other LastCalls of this
  // process.
  static uint64_t NextId();

  // Returns the place for the calling thread's next call, or null if it has
  // none.
  Call* Next();

  const uint64_t id_ = NextId();
  const SharedMemory<Shared> shared_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_LAST_CALLS_H_
