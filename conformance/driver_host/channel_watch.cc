#include "conformance/driver_host/channel_watch.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "conformance/driver_host/session.h"
#include "syscalls/sandbox/proc.h"
#include "syscalls/sandbox/process_tree.h"

namespace net::conformance {
namespace {

// Ignored number of ticks (of 10 ms) between two samples, because a JVM's own
// threads wake up now and then.
constexpr uint64_t kNothing = 1;

std::string LinkOf(const std::string& path) {
  return sandbox::ReadLink(path).value_or("");
}

// Returns none if the process has ended.
std::vector<int> NumbersIn(const std::string& folder) {
  return sandbox::ListNumbers(folder).value_or(std::vector<int>());
}

// Returns the fields of /proc/PID/stat from the third one, the state. The
// second one, the name, may contain anything, even parentheses.
std::vector<std::string> FieldsOfStat(const std::string& process) {
  const std::string line = sandbox::FirstLineOf(absl::StrCat(process, "/stat"));
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  return absl::StrSplit(line.substr(name_end + 1), ' ', absl::SkipEmpty());
}

}  // namespace

ChannelWatch::ChannelWatch(Channel channel)
    : channel_(channel),
      commands_(LinkOf(absl::StrCat("/proc/self/fd/", channel.write_fd))),
      inspected_(std::chrono::steady_clock::now()),
      idle_since_(inspected_) {}

void ChannelWatch::Inspect() {
  Sample sample;
  for (const pid_t pid : Holders()) AddProcess(pid, sample);
  int unread = 0;
  const bool has_read =
      ioctl(channel_.write_fd, FIONREAD, &unread) == 0 && unread == 0;
  inspected_ = std::chrono::steady_clock::now();

  const bool idle = !sample.runs && sample.ticks <= ticks_ + kNothing;
  if (!idle) idle_since_ = inspected_;
  if (!idle || !sample.reads || !has_read) {
    reading_since_.reset();
  } else if (!reading_since_) {
    reading_since_ = inspected_;
  }
  ticks_ = sample.ticks;
  if (!first_ticks_) first_ticks_ = ticks_;
}

ChannelWatch::Duration ChannelWatch::Used() const {
  static const auto ticks_per_second =
      static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  // The sum is smaller than before if a process has ended.
  const uint64_t first = std::min(first_ticks_.value_or(ticks_), ticks_);
  return std::chrono::milliseconds(1000 * (ticks_ - first) / ticks_per_second);
}

std::vector<pid_t> ChannelWatch::Holders() const {
  std::vector<pid_t> holders;
  for (const pid_t pid : sandbox::AllProcesses()) {
    if (pid == getpid()) continue;
    const std::string folder = absl::StrCat("/proc/", pid, "/fd");
    const std::vector<int> fds = NumbersIn(folder);
    if (std::any_of(fds.begin(), fds.end(), [&](int fd) {
          return LinkOf(absl::StrCat(folder, "/", fd)) == commands_;
        })) {
      holders.push_back(pid);
    }
  }
  return holders;
}

void ChannelWatch::AddProcess(pid_t pid, Sample& sample) const {
  // Indices into the result of FieldsOfStat().
  constexpr size_t kState = 0;
  constexpr size_t kUserTicks = 11;
  constexpr size_t kSystemTicks = 12;
  const std::string process = absl::StrCat("/proc/", pid);
  const std::vector<std::string> fields = FieldsOfStat(process);
  for (const size_t field : {kUserTicks, kSystemTicks}) {
    uint64_t ticks = 0;
    if (field < fields.size() && absl::SimpleAtoi(fields[field], &ticks)) {
      sample.ticks += ticks;
    }
  }
  for (const int thread : NumbersIn(absl::StrCat(process, "/task"))) {
    const std::string task = absl::StrCat(process, "/task/", thread);
    const std::vector<std::string> own = FieldsOfStat(task);
    sample.runs =
        sample.runs || own.empty() || own[kState] == "R" || own[kState] == "D";
    sample.reads = sample.reads || IsInRead(task);
  }
}

bool ChannelWatch::IsInRead(const std::string& task) const {
  // The file holds "0 0x3 0x7ffc..." during read(3, ...); "running" or "-1 ..."
  // if the thread is in no system call.
  const std::vector<std::string> words =
      absl::StrSplit(sandbox::FirstLineOf(absl::StrCat(task, "/syscall")), ' ');
  int number = -1;
  int fd = -1;
  if (words.size() < 2 || !absl::SimpleAtoi(words[0], &number) ||
      (number != SYS_read && number != SYS_readv) ||
      !absl::SimpleHexAtoi(words[1], &fd)) {
    return false;
  }
  return LinkOf(absl::StrCat(task, "/fd/", fd)) == commands_;
}

}  // namespace net::conformance
