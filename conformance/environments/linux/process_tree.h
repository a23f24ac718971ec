#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_PROCESS_TREE_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_PROCESS_TREE_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/types/span.h"

// Processes and their children, from /proc (proc(5)). A process that ends
// meanwhile is left out; nothing here throws for that.

namespace net::conformance {

// All that /proc shows.
std::vector<pid_t> AllProcesses();

// The children of a process, dead ones that it has not reaped included.
std::vector<pid_t> ChildrenOf(pid_t pid);

// The children, their children, and so on. Parents come before children.
std::vector<pid_t> DescendantsOf(pid_t pid);

// The numbers of a process: the first in this process's PID namespace, the last
// in its own (pid_namespaces(7)). Empty if there is no such process.
std::vector<pid_t> NumbersOf(pid_t pid);

// It has not ended. (One that nobody has reaped still has children's places in
// the functions above.)
bool IsAlive(pid_t pid);

// "python3"; "" if there is no such process.
std::string NameOf(pid_t pid);

// A file that a process has open.
struct OpenFile {
  dev_t device = 0;
  ino_t inode = 0;
  bool can_read = false;
  bool can_write = false;
};
// The open files of a process; none if they must not be looked at.
std::vector<OpenFile> OpenFilesOf(pid_t pid);

// Forks a child that KillOtherChildren() spares. As fork(2), but throws
// HarnessError where that fails. ReapChild() must be called for the child.
pid_t ForkChild();

// Waits for a child of ForkChild() to end. Sends SIGKILL to its process group
// before its number can be used again, and returns its wait status.
int ReapChild(pid_t child);

// Kills and reaps the children of this process that ForkChild() has not made,
// except `spared`. A subreaper (PR_SET_CHILD_SUBREAPER of prctl(2)) ends so
// what its dead children have left behind, whatever its session and group.
void KillOtherChildren(absl::Span<const pid_t> spared = {});

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_PROCESS_TREE_H_
