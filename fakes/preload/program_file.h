#ifndef FAKES_PRELOAD_PROGRAM_FILE_H_
#define FAKES_PRELOAD_PROGRAM_FILE_H_

#include <string>

#include "absl/status/status.h"

namespace net::preload {

// Returns the path of a command as execvp(3) finds it, by PATH if it has no
// slash; empty if there is no such executable file.
std::string FindProgram(const std::string& command);

// Returns whether a library can be loaded in front of the program in the file.
// Fails with kFailedPrecondition and the reason if it cannot: the program is
// linked statically, is written in Go (which makes system calls itself), runs
// with another user's rights, or is for another machine. A script is judged by
// its interpreter.
absl::Status CheckProgram(const std::string& path);

}  // namespace net::preload

#endif  // FAKES_PRELOAD_PROGRAM_FILE_H_
