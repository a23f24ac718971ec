#ifndef FAKES_DIFFERENTIAL_THREADS_SLEEPING_THREADS_H_
#define FAKES_DIFFERENTIAL_THREADS_SLEEPING_THREADS_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace net::differential {

// Detects whether a thread of this process sleeps in a system call that can
// wait for a socket or a pipe: accept4(2), connect(2), poll(2), recv(2),
// send(2) and their variants, splice(2), sendfile(2) (proc(5):
// /proc/pid/task/tid/syscall and schedstat).
class SleepReader {
 public:
  // Opens the files of the thread. They stay open until this is destroyed.
  static absl::StatusOr<SleepReader> Open(pid_t thread);

  SleepReader(const SleepReader&) = delete;
  SleepReader& operator=(const SleepReader&) = delete;
  SleepReader(SleepReader&& other) noexcept;
  SleepReader& operator=(SleepReader&& other) = delete;
  ~SleepReader();

  // Returns how often the thread has been given a processor, or nullopt if it
  // does not sleep in such a call. If two calls return the same number, the
  // thread has slept all the time between them.
  std::optional<std::string> Sleeps() const;

 private:
  SleepReader(int syscall, int schedstat)
      : syscall_(syscall), schedstat_(schedstat) {}

  int syscall_;  // -1 once moved from
  int schedstat_;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_THREADS_SLEEPING_THREADS_H_
