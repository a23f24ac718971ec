#ifndef SYSCALLS_SANDBOX_WATCHED_CHILD_H_
#define SYSCALLS_SANDBOX_WATCHED_CHILD_H_

#include <poll.h>
#include <sys/types.h>

#include <array>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace net::sandbox {

// A child process that reports through a pipe and is watched to its end.
//
// The child is killed when the thread that started it ends. The rest of its
// process group is killed when the child is reaped. KillOtherChildren() spares
// it.
//
// Not thread-safe: a process that forks should have one thread.
class WatchedChild {
 public:
  // Forks a child that runs `body` with the write end of the pipe (see
  // WriteReport()) and then exits with status 0, without destructors or exit
  // handlers. An exception in `body` aborts the child.
  static absl::StatusOr<WatchedChild> Start(
      absl::FunctionRef<void(int report)> body);

  WatchedChild(const WatchedChild&) = delete;
  WatchedChild& operator=(const WatchedChild&) = delete;
  WatchedChild(WatchedChild&& other) noexcept;
  WatchedChild& operator=(WatchedChild&& other) noexcept;
  // Kills the child if it has not been reaped.
  ~WatchedChild();

  // -1 once the child has been reaped.
  pid_t pid() const { return pid_; }

  // Returns what to poll for: the report, and the end of the process. The end
  // of the pipe does not show the end of the process, because a process that
  // the child started may hold the pipe open.
  std::array<pollfd, 2> Events() const;

  // Reads the available part of the report and adds it to report(). Does not
  // block.
  absl::Status Read();
  const std::string& report() const { return report_; }

  // Waits for the child to end, and returns its wait status. Does not read the
  // report: if the child blocks because the pipe is full, this call blocks,
  // too.
  int Reap();
  // Kills the child and its process group, and returns its wait status.
  int Kill();
  // Reads the report until the child ends. Returns its wait status.
  absl::StatusOr<int> Await();

  // Closes the calling process's copies of this child's descriptors. Called in
  // another child. Afterwards that process can only destroy the object.
  void CloseInChild();

 private:
  explicit WatchedChild(int pipe) : pipe_(pipe) {}
  void CloseDescriptors();

  pid_t pid_ = -1;  // -1 once reaped
  int pipe_ = -1;   // the read end
  int pidfd_ = -1;  // readable when the process has ended
  bool pipe_ended_ = false;
  std::string report_;
};

// Writes to the child's pipe. Called in the child. Returns false if write(2)
// fails, because the parent is gone.
bool WriteReport(int report, absl::string_view text);

// Runs `body` in a child process and returns its result. Fails if the child
// ends before that.
absl::StatusOr<std::string> RunInChild(absl::FunctionRef<std::string()> body);

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_WATCHED_CHILD_H_
