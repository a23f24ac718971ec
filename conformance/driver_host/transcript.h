#ifndef CONFORMANCE_DRIVER_HOST_TRANSCRIPT_H_
#define CONFORMANCE_DRIVER_HOST_TRANSCRIPT_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/shared_line.h"
#include "syscalls/mutex.h"

namespace net::conformance {

// The last messages of a session, for people. They are in memory that a process
// shares with the children that it forks, so the runner can show the session of
// a trial whose process is dead.
//
// Thread-safe. Only one process at a time may write.
class Transcript {
 public:
  // Throws HarnessError.
  Transcript() = default;
  Transcript(const Transcript&) = delete;
  Transcript& operator=(const Transcript&) = delete;
  ~Transcript() = default;

  // Adds a line: "> " and a command, or "< " and an answer. Clears the
  // incomplete message.
  void Add(bool sent, absl::string_view message);

  // Sets the description of an incomplete message: "the frame announces 133
  // bytes, 128 arrived"; "" if nothing has arrived.
  void SetIncomplete(absl::string_view what);

  void Clear();

  // Returns the number of messages since the last Clear().
  size_t Count() const;

  // Returns the lines, the oldest first, and the incomplete message.
  std::string Text() const;

 private:
  static constexpr size_t kLines = 40;

  struct Shared {
    std::atomic<size_t> count = 0;  // of all lines so far
    std::array<SharedLine, kLines> lines;
    SharedLine incomplete;
  };

  Mutex mutex_;  // of the process that writes
  const SharedMemory<Shared> shared_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_TRANSCRIPT_H_
