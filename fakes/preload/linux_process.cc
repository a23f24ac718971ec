#include "fakes/preload/linux_process.h"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace net::preload {

namespace {

// As get_wchan() of Linux (kernel/sched/core.c), which returns 0 for a thread
// that has not left its processor's queue.
bool WaitsNowhere(pid_t id) {
  std::ifstream file(absl::StrCat("/proc/", id, "/wchan"));
  std::string function;
  return std::getline(file, function) && function == "0";
}

}  // namespace

LinuxProcess StatusOf(pid_t id) {
  // The fields after the name, which can have any character.
  constexpr size_t kState = 0;
  constexpr size_t kParent = 1;
  constexpr size_t kUserTime = 11;
  constexpr size_t kSystemTime = 12;
  std::ifstream file(absl::StrCat("/proc/", id, "/stat"));
  std::string text;
  std::getline(file, text);
  const size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  const std::vector<absl::string_view> words = absl::StrSplit(
      absl::string_view(text).substr(end + 1), ' ', absl::SkipEmpty());
  LinuxProcess process;
  int64_t user = 0;
  int64_t system = 0;
  if (words.size() <= kSystemTime ||
      !absl::SimpleAtoi(words[kParent], &process.parent) ||
      !absl::SimpleAtoi(words[kUserTime], &user) ||
      !absl::SimpleAtoi(words[kSystemTime], &system)) {
    return {};
  }
  process.state = words[kState].front();
  process.waits_nowhere = process.state == 'S' && WaitsNowhere(id);
  process.processor_time = absl::Seconds(user + system) / sysconf(_SC_CLK_TCK);
  return process;
}

namespace {

// The sets of signals of a thread (proc(5), /proc/PID/task/TID/status). Bit 0
// stands for signal 1.
struct SignalSets {
  uint64_t blocked = 0;
  uint64_t ignored = 0;
  uint64_t caught = 0;
};

SignalSets SetsOf(const std::filesystem::path& task) {
  SignalSets sets;
  std::ifstream file(task / "status");
  for (std::string line; std::getline(file, line);) {
    absl::string_view rest = line;
    uint64_t* const set = absl::ConsumePrefix(&rest, "SigBlk:") ? &sets.blocked
                          : absl::ConsumePrefix(&rest, "SigIgn:")
                              ? &sets.ignored
                          : absl::ConsumePrefix(&rest, "SigCgt:") ? &sets.caught
                                                                  : nullptr;
    if (set == nullptr) continue;
    static_cast<void>(
        absl::SimpleHexAtoi(absl::StripAsciiWhitespace(rest), set));
  }
  return sets;
}

// Returns whether the default action of the signal ends the process
// (signal(7)).
bool EndsByDefault(int signal) {
  constexpr int kOthers[] = {SIGCHLD, SIGCONT, SIGURG,  SIGWINCH,
                             SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
  return std::find(std::begin(kOthers), std::end(kOthers), signal) ==
         std::end(kOthers);
}

}  // namespace

SignalEffect EffectOf(int signal, pid_t process, pid_t thread) {
  const uint64_t bit = uint64_t{1} << static_cast<unsigned>(signal - 1);
  std::error_code error;
  SignalEffect otherwise = SignalEffect::kOther;
  for (const auto& task : std::filesystem::directory_iterator(
           absl::StrCat("/proc/", process, "/task"), error)) {
    if (thread != 0 && task.path().filename() != absl::StrCat(thread)) continue;
    const SignalSets sets = SetsOf(task.path());
    if ((sets.blocked & bit) != 0) {
      if ((sets.caught & bit) != 0) otherwise = SignalEffect::kLater;
      continue;
    }
    if ((sets.caught & bit) != 0) return SignalEffect::kHandler;
    return (sets.ignored & bit) == 0 && EndsByDefault(signal)
               ? SignalEffect::kEnd
               : SignalEffect::kOther;
  }
  return otherwise;
}

}  // namespace net::preload
