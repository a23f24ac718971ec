#ifndef SYSCALLS_SANDBOX_CHILD_H_
#define SYSCALLS_SANDBOX_CHILD_H_

#include <sys/types.h>

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

// Child processes and their orphans. Not thread-safe: a process that forks
// should have one thread.

namespace net::sandbox {

// Forks a child, which leads a new process group. Returns 0 in the child, as
// fork(2) does. The caller must call ReapChild() for the child.
absl::StatusOr<pid_t> ForkChild();

// Waits for a child of ForkChild() to end, and returns its wait status. Sends
// SIGKILL to the child's process group before the group's number can be used
// again.
int ReapChild(pid_t child);

// Kills and reaps all children of this process except those of ForkChild() and
// `spared`. If this process is a subreaper (see below), this includes the
// orphans of its dead children, in any session and process group.
void KillOtherChildren(absl::Span<const pid_t> spared = {});

// Makes the orphaned descendants of this process its children, from
// construction to destruction (PR_SET_CHILD_SUBREAPER of prctl(2)).
class Subreaper {
 public:
  Subreaper();
  Subreaper(const Subreaper&) = delete;
  Subreaper& operator=(const Subreaper&) = delete;
  ~Subreaper();

  // Kills the orphans. Spares the children that existed at the construction.
  void KillAdopted() const { KillOtherChildren(spared_); }

 private:
  const std::vector<pid_t> spared_;
  int before_ = 0;
};

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_CHILD_H_
