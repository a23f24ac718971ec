#ifndef SYSCALLS_SANDBOX_PROCESS_TREE_H_
#define SYSCALLS_SANDBOX_PROCESS_TREE_H_

#include <sys/types.h>

#include <string>
#include <vector>

// Processes and their children, from /proc (proc(5)). The functions omit a
// process that ends while they read /proc.

namespace net::sandbox {

// Returns all processes that /proc shows.
std::vector<pid_t> AllProcesses();

// Returns the children of a process, zombies included.
std::vector<pid_t> ChildrenOf(pid_t pid);

// Returns the children, their children, and so on. Parents come before
// children.
std::vector<pid_t> DescendantsOf(pid_t pid);

// Returns the process IDs of a process: first the ID in this process's PID
// namespace, last the ID in its own (pid_namespaces(7)). Returns an empty
// vector if there is no such process.
std::vector<pid_t> NumbersOf(pid_t pid);

// Returns whether a process runs: it exists and is not a zombie.
bool IsAlive(pid_t pid);

// Returns the name of a process, "python3", or "" if there is no such process.
std::string NameOf(pid_t pid);

// A file that a process has open.
struct OpenFile {
  dev_t device = 0;
  ino_t inode = 0;
  bool can_read = false;
  bool can_write = false;
};
// Returns the open files of a process. Returns none if this process may not
// inspect it.
std::vector<OpenFile> OpenFilesOf(pid_t pid);

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_PROCESS_TREE_H_
