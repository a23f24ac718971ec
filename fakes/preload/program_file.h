#ifndef FAKES_PRELOAD_PROGRAM_FILE_H_
#define FAKES_PRELOAD_PROGRAM_FILE_H_

#include <string>

#include "absl/status/status.h"

namespace net::preload {

// Returns the path of a command as execvp(3) finds it: by PATH if the command
// has no slash. Returns "" if there is no such executable file.
std::string FindProgram(const std::string& command);

// Returns OK if a library can be preloaded into the program. Otherwise fails
// with kFailedPrecondition and the reason: the program is linked statically, is
// written in Go (which makes system calls without the C library), makes the
// system call socket(2) itself, runs with the rights of another user, or is for
// another machine. For a script, checks its interpreter. Does not check
// libraries.
absl::Status CheckProgram(const std::string& path);

}  // namespace net::preload

#endif  // FAKES_PRELOAD_PROGRAM_FILE_H_
