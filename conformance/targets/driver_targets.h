#ifndef CONFORMANCE_TARGETS_DRIVER_TARGETS_H_
#define CONFORMANCE_TARGETS_DRIVER_TARGETS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/driver_subject.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// Makes the target of a driver, judged by all cases for implementations.
Target MakeDriverTarget(std::string name, const DriverCommand& command,
                        const DriverSubjectOptions& options);

// Starts the driver of a target, and gives the target the name in its hello.
// Keeps the target's name if the driver fails or if its name has no usable
// characters.
void NameByGreeting(Target& target);

// Converts a driver's name to the name of a target: letters, digits and "-+._",
// with "_" for every other character, at most 40 characters. "" if the result
// would be unusable.
std::string TargetNameOf(absl::string_view name);

// Returns the command line that runs a program, for DriverCommand.
std::string ProgramAsCommand(const std::string& path);

// Returns the command that runs this program with the flag --serve=NAME, which
// makes it the driver of one of its own implementations.
DriverCommand CommandToServe(absl::string_view name);

// Moves the implementation of a target into a process of its own: the driver
// that `command` starts.
void Isolate(Target& target, const DriverCommand& command,
             const DriverSubjectOptions& options);

// Makes the cases that inject faults run behind a driver whose system calls are
// trapped. For an implementation that does not use class Syscalls.
void TrapForFaults(Target& target, const DriverCommand& command,
                   const DriverSubjectOptions& options);

// Returns whether a target's implementation uses class Syscalls. Makes one in a
// child process. Throws HarnessError.
bool HasSyscalls(const Target& target);

// Returns the targets of this tree's drivers, conformance/drivers. If this
// machine lacks a driver's toolchain, `missing` has the reason.
std::vector<Target> DriversOfTheTree(const DriverSubjectOptions& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_DRIVER_TARGETS_H_
