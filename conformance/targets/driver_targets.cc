#include "conformance/targets/driver_targets.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/cases/cases.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/driver_subject.h"
#include "conformance/driver_host/greeting.h"
#include "conformance/driver_host/trap_program.h"
#include "conformance/engine/runfiles.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/checked.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/implementation.h"
#include "syscalls/sandbox/child.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/command_line.h"

namespace net::conformance {
namespace {

// Names of targets, and their programs.
constexpr struct {
  const char* name;
  const char* program;
  bool stdio = false;  // its language cannot open descriptors by number
} kDrivers[] = {
    {.name = "python", .program = "conformance/drivers/python"},
    {.name = "go", .program = "conformance/drivers/go"},
    {.name = "node", .program = "conformance/drivers/node"},
    {.name = "rust", .program = "conformance/drivers/rust"},
    {.name = "java", .program = "conformance/drivers/java", .stdio = true},
    {.name = "net_tcp_driver", .program = "conformance/targets/net_tcp_driver"},
};

}  // namespace

std::string ProgramAsCommand(const std::string& path) {
  // Absolute, because sh(1) searches the PATH for a name without a slash.
  return ShellWord(std::filesystem::absolute(path).string());
}

DriverCommand CommandToServe(absl::string_view name) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  return {.line = absl::StrCat(ProgramAsCommand(self), " ",
                               ShellWord(absl::StrCat("--serve=", name)))};
}

void Isolate(Target& target, const DriverCommand& command,
             const DriverSubjectOptions& options) {
  target.make_environment = nullptr;
  target.make_implementation = nullptr;
  target.start_subject = [command, options] {
    return StartDriver(command, options);
  };
  TrapForFaults(target, command, options);
}

void TrapForFaults(Target& target, const DriverCommand& command,
                   const DriverSubjectOptions& options) {
  target.start_trapped_subject = [command, options](bool traps_close) {
    DriverCommand trapped = command;
    DriverSubjectOptions with_reason = options;
    if (absl::StatusOr<std::string> trap = FindTrap(); trap.ok()) {
      trapped.trap = {.program = *std::move(trap), .traps_close = traps_close};
    } else {
      with_reason.why_no_faults = std::string(trap.status().message());
    }
    return StartDriver(trapped, with_reason);
  };
}

bool HasSyscalls(const Target& target) {
  const pid_t child = Checked(sandbox::ForkChild());
  if (child == 0) {
    Syscalls& sys = DefaultSyscalls();
    _exit(target.make_implementation(sys)->UseSyscalls(sys) ? 0 : 1);
  }
  return sandbox::ReapChild(child) == 0;
}

Target MakeDriverTarget(std::string name, const DriverCommand& command,
                        const DriverSubjectOptions& options) {
  Target target = {.name = std::move(name),
                   .cases = AllCases(),
                   .start_subject = [command, options] {
                     return StartDriver(command, options);
                   }};
  // A driver that the user has to start must not be started twice.
  if (options.attach_folder.empty()) {
    TrapForFaults(target, command, options);
    target.greet = [command, network = DriverNetwork{.ipv6 = options.ipv6}] {
      return GreetDriver(command, network, std::cerr);
    };
  }
  return target;
}

void NameByGreeting(Target& target) {
  if (target.greet == nullptr) return;
  absl::StatusOr<SubjectGreeting> greeting = target.greet();
  if (greeting.ok()) {
    const std::string name = TargetNameOf(greeting->name);
    if (!name.empty()) target.name = name;
  }
  // The driver is not started for this again.
  target.greet = [greeting = std::move(greeting)] { return greeting; };
}

std::string TargetNameOf(absl::string_view name) {
  constexpr size_t kLongest = 40;
  std::string clean(name.substr(0, kLongest));
  for (char& c : clean) {
    const bool is_plain = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                          c == '-' || c == '+' || c == '.' || c == '_';
    if (!is_plain) c = '_';
  }
  const bool has_letter =
      std::any_of(clean.begin(), clean.end(), absl::ascii_isalnum);
  // A name with a leading dash would look like a flag.
  return has_letter && clean.front() != '-' ? clean : "";
}

std::vector<Target> DriversOfTheTree(const DriverSubjectOptions& options) {
  std::vector<Target> targets;
  for (const auto& driver : kDrivers) {
    const std::optional<std::string> program = FindRunfile(driver.program);
    Target target = MakeDriverTarget(
        driver.name,
        {.line = ProgramAsCommand(program.value_or(driver.program)),
         .stdio = driver.stdio},
        options);
    target.expectations =
        absl::StrCat("conformance/drivers/", driver.name, ".expectations");
    if (!program.has_value()) {
      target.missing = absl::StrCat(
          "its driver was not built, because its toolchain is missing. To "
          "install the toolchains: third_party/install_debian_packages "
          "drivers");
    }
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace net::conformance
