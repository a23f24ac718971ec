#ifndef CONFORMANCE_DRIVER_HOST_TRANSCRIPT_H_
#define CONFORMANCE_DRIVER_HOST_TRANSCRIPT_H_

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "syscalls/mutex.h"

namespace net::conformance {

// The last messages of a session, for people. It lies in memory that a process
// shares with the children that it forks: so the runner can show the session of
// a trial whose process is dead.
//
// Thread-safe. One process at a time may write.
class Transcript {
 public:
  // Throws HarnessError.
  Transcript();
  Transcript(const Transcript&) = delete;
  Transcript& operator=(const Transcript&) = delete;
  ~Transcript();

  // Adds a line: "> " and a command, "< " and an answer. Forgets the incomplete
  // message.
  void Add(bool sent, absl::string_view message);

  // The state of a message that is not complete: "the frame announces
  // 133 bytes, 128 came"; "" if nothing has.
  void SetIncomplete(absl::string_view what);

  void Clear();

  // The lines, the oldest first, and the incomplete message.
  std::string Text() const;

 private:
  struct Shared;

  Mutex mutex_;  // of the process that writes
  Shared* const shared_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_TRANSCRIPT_H_
