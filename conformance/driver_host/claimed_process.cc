#include "conformance/driver_host/claimed_process.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/session.h"
#include "conformance/environments/linux/process_view.h"
#include "syscalls/sandbox/process_tree.h"

namespace net::conformance {
namespace {

// The access mode of the other end of a pipe.
enum class Mode { kRead, kWrite };

bool HoldsOtherEnd(const std::vector<sandbox::OpenFile>& files, int end,
                   Mode mode) {
  struct stat own = {};
  if (fstat(end, &own) != 0) return false;
  return std::any_of(
      files.begin(), files.end(), [&](const sandbox::OpenFile& file) {
        return file.device == own.st_dev && file.inode == own.st_ino &&
               (mode == Mode::kRead ? file.can_read : file.can_write);
      });
}

bool HoldsChannel(pid_t pid, Channel channel) {
  const std::vector<sandbox::OpenFile> files = sandbox::OpenFilesOf(pid);
  return HoldsOtherEnd(files, channel.write_fd, Mode::kRead) &&
         HoldsOtherEnd(files, channel.read_fd, Mode::kWrite);
}

bool IsOfThisUser(pid_t pid) {
  struct stat folder = {};
  return stat(absl::StrCat("/proc/", pid).c_str(), &folder) == 0 &&
         folder.st_uid == geteuid();
}

// Returns the processes that a driver's hello may name.
std::vector<pid_t> Candidates(Channel channel, const DriverProcess* process) {
  const std::vector<pid_t> all =
      process != nullptr ? process->Processes() : sandbox::AllProcesses();
  std::vector<pid_t> candidates;
  std::copy_if(all.begin(), all.end(), std::back_inserter(candidates),
               [&](pid_t pid) {
                 return process != nullptr
                            ? sandbox::IsAlive(pid)
                            : IsOfThisUser(pid) && HoldsChannel(pid, channel);
               });
  return candidates;
}

// Returns "the channel is held by process 2 (sh) and process 3 (python3)". The
// numbers are those of the processes' own PID namespace.
std::string DescribeHolders(const std::vector<pid_t>& candidates,
                            Channel channel) {
  std::vector<std::string> holders;
  for (const pid_t pid : candidates) {
    const std::vector<pid_t> numbers = sandbox::NumbersOf(pid);
    if (numbers.empty() || !HoldsChannel(pid, channel)) continue;
    holders.push_back(absl::StrCat("process ", numbers.back(), " (",
                                   sandbox::NameOf(pid), ")"));
  }
  if (holders.empty()) {
    return "none of the driver's processes holds the channel";
  }
  return absl::StrCat("the channel is held by ",
                      absl::StrJoin(holders, " and "));
}

pid_t Find(const Hello& hello, Channel channel, const DriverProcess* process) {
  const std::vector<pid_t> candidates = Candidates(channel, process);
  // First the numbers in the processes' own PID namespace, then those in the
  // runner's.
  for (const pid_t pid : candidates) {
    const std::vector<pid_t> numbers = sandbox::NumbersOf(pid);
    if (!numbers.empty() && numbers.back() == hello.pid) return pid;
  }
  for (const pid_t pid : candidates) {
    if (pid == hello.pid) return pid;
  }
  throw DriverError(absl::StrCat(
      "the driver's hello names process ", hello.pid,
      ", which is not one of the driver's processes; ",
      DescribeHolders(candidates, channel),
      ". `pid` must be what getpid(2) returns in the process that has the "
      "sockets; a wrapper should start the driver by exec"));
}

}  // namespace

ClaimedProcess::ClaimedProcess(const Hello& hello, Channel channel,
                               const DriverProcess* process)
    : number_(hello.pid),
      process_(process),
      view_(Find(hello, channel, process)) {
  CheckSignal(hello.signal);
}

void ClaimedProcess::CheckSignal(std::optional<int> signal) const {
  if (!signal.has_value()) return;
  const uint64_t bit = uint64_t{1} << (*signal - 1);
  if ((view_.CaughtSignals() & bit) != 0) return;
  throw DriverError(absl::StrCat(Describe(),
                                 ", has no handler for the signal that hello "
                                 "names, number ",
                                 *signal));
}

void ClaimedProcess::CheckSocket(std::optional<int> descriptor,
                                 bool listens) const {
  if (!descriptor.has_value()) {
    if (!listens || !view_.TcpSockets().empty()) return;
    const std::string others = DescribeOtherOwners();
    // If no process has TCP sockets, they are not in the kernel: nothing to
    // check.
    if (others.empty()) return;
    throw DriverError(
        absl::StrCat(Describe(), ", has no socket of TCP", others));
  }
  const std::optional<std::string> link = view_.LinkOfDescriptor(*descriptor);
  // A socket that does not listen may already be closed, through a fault of the
  // judged implementation.
  if (!link.has_value() || (link->empty() && !listens)) return;
  if (absl::StartsWith(*link, "socket:")) {
    const std::optional<int> duplicate =
        view_.Duplicate(view_.Identify(*descriptor));
    const bool is_tcp = !duplicate.has_value() || IsTcpSocket(*duplicate);
    if (duplicate.has_value()) close(*duplicate);
    if (is_tcp) return;
  }
  throw DriverError(absl::StrCat(
      "the driver answered with descriptor ", *descriptor, ", which in ",
      Describe(), ", is ",
      link->empty() ? "not open"
                    : absl::StrCat("no socket of TCP, but ", *link),
      DescribeOtherOwners()));
}

std::string ClaimedProcess::Describe() const {
  return absl::StrCat("process ", number_, " (", sandbox::NameOf(view_.pid()),
                      "), which the driver's hello names");
}

std::string ClaimedProcess::DescribeOtherOwners() const {
  if (process_ == nullptr) return "";
  std::string text;
  for (const pid_t pid : process_->Processes()) {
    const std::vector<pid_t> numbers = sandbox::NumbersOf(pid);
    if (pid == view_.pid() || numbers.empty() || !sandbox::IsAlive(pid))
      continue;
    try {
      if (ProcessView(pid).TcpSockets().empty()) continue;
    } catch (const std::runtime_error&) {
      continue;  // The process has ended meanwhile.
    }
    absl::StrAppend(&text, "; process ", numbers.back(), " (",
                    sandbox::NameOf(pid), ") has sockets of TCP");
  }
  return text;
}

}  // namespace net::conformance
