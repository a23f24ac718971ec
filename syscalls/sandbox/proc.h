#ifndef SYSCALLS_SANDBOX_PROC_H_
#define SYSCALLS_SANDBOX_PROC_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Reads the files of /proc (proc(5)), as text and numbers. The files of a
// process that has ended do not exist.

namespace net::sandbox {

// Returns the names in a folder that are numbers, in ascending order: the
// processes of "/proc", the threads of "/proc/4711/task", the descriptors of
// "/proc/4711/fd". Omits the descriptor with which it reads the folder, if that
// is "/proc/self/fd".
absl::StatusOr<std::vector<int>> ListNumbers(const std::string& folder);

// Returns the content of a file.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Writes a file with one write(2), as the files of /proc require.
absl::Status WriteFile(const std::string& path, absl::string_view text);

// Returns the target of a symbolic link: "socket:[4711]" for a descriptor.
absl::StatusOr<std::string> ReadLink(const std::string& path);

// Returns the first line of a file, or "" if the file cannot be read.
std::string FirstLineOf(const std::string& path);

// Returns the rest of the line that begins with "NAME:\t", as in
// /proc/pid/status, or "" if there is no such line.
std::string FieldOf(const std::string& path, absl::string_view name);

// Returns the inode of the socket that has the number `fd` in a folder of
// descriptors ("/proc/4711/fd"), or 0 if there is no socket with this number.
uint64_t SocketInode(const std::string& folder, int fd);

// Returns the flags of open(2) of a process's descriptor, O_CLOEXEC included
// (/proc/pid/fdinfo), or nullopt if the descriptor is not open.
std::optional<int> DescriptorFlags(pid_t pid, int fd);

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_PROC_H_
