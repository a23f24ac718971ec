#include "conformance/environments/linux/blocked_call.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "conformance/suite/checked.h"
#include "syscalls/sandbox/proc.h"
#include "syscalls/sandbox/thread_status.h"

namespace net::conformance {
namespace {

using Kind = BlockedCall::Kind;
using enum SocketOperation;

constexpr int16_t kReadable = POLLIN | POLLRDNORM;
constexpr int16_t kWritable = POLLOUT | POLLWRNORM;

// The kernel's limit for nested epoll(7) sets (EP_MAX_NESTS in fs/eventpoll.c).
constexpr int kMostNested = 5;

// More descriptors than a process may have open by default. A set of this size
// takes less than 1 MiB.
constexpr uint64_t kMostPolled = 65536;

struct CallInfo {
  int64_t number;
  const char* name;
  Kind kind;
  SocketOperation operation = kAccept;  // of Kind::kSocket
  int fd_argument = 0;                  // of Kind::kSocket and kEpoll
  int flags_argument = -1;              // of recv(2)
};

constexpr CallInfo kCalls[] = {
    {SYS_accept4, "accept4", Kind::kSocket, kAccept},
    {SYS_accept, "accept", Kind::kSocket, kAccept},
    {SYS_connect, "connect", Kind::kSocket, kConnect},
    {SYS_read, "read", Kind::kSocket, kReceive},
    {SYS_readv, "readv", Kind::kSocket, kReceive},
    {SYS_preadv2, "preadv2", Kind::kSocket, kReceive},
    {SYS_recvfrom, "recvfrom", Kind::kSocket, kReceive, 0, 3},
    {SYS_recvmsg, "recvmsg", Kind::kSocket, kReceive, 0, 2},
    {SYS_recvmmsg, "recvmmsg", Kind::kSocket, kReceive, 0, 3},
    {SYS_write, "write", Kind::kSocket, kSend},
    {SYS_writev, "writev", Kind::kSocket, kSend},
    {SYS_pwritev2, "pwritev2", Kind::kSocket, kSend},
    {SYS_sendto, "sendto", Kind::kSocket, kSend},
    {SYS_sendmsg, "sendmsg", Kind::kSocket, kSend},
    {SYS_sendmmsg, "sendmmsg", Kind::kSocket, kSend},
    {SYS_sendfile, "sendfile", Kind::kSocket, kSend},
    {SYS_splice, "splice", Kind::kPoll},
#ifdef SYS_poll
    {SYS_poll, "poll", Kind::kPoll},
    {SYS_select, "select", Kind::kPoll},
    {SYS_epoll_wait, "epoll_wait", Kind::kEpoll},
#endif
    {SYS_ppoll, "ppoll", Kind::kPoll},
    {SYS_pselect6, "pselect6", Kind::kPoll},
    {SYS_epoll_pwait, "epoll_pwait", Kind::kEpoll},
    {SYS_epoll_pwait2, "epoll_pwait2", Kind::kEpoll},
    {SYS_close, "close", Kind::kClose},
    // After a stop the kernel shows this number instead of that of the
    // restarted call.
    {SYS_restart_syscall, "restart_syscall", Kind::kOpaque},
    {SYS_io_uring_enter, "io_uring_enter", Kind::kOpaque},
    {SYS_futex, "futex", Kind::kOther},
    {SYS_nanosleep, "nanosleep", Kind::kOther},
    {SYS_clock_nanosleep, "clock_nanosleep", Kind::kOther},
    {SYS_wait4, "wait4", Kind::kOther},
    {SYS_waitid, "waitid", Kind::kOther},
    {SYS_rt_sigsuspend, "rt_sigsuspend", Kind::kOther},
    {SYS_rt_sigtimedwait, "rt_sigtimedwait", Kind::kOther},
    {SYS_flock, "flock", Kind::kOther},
    {SYS_fcntl, "fcntl", Kind::kOther},
};

const CallInfo* FindCall(int64_t number) {
  const auto* const found =
      std::find_if(std::begin(kCalls), std::end(kCalls),
                   [&](const CallInfo& info) { return info.number == number; });
  return found == std::end(kCalls) ? nullptr : found;
}

bool IsSelect(int64_t number) {
#ifdef SYS_select
  if (number == SYS_select) return true;
#endif
  return number == SYS_pselect6;
}

// Parses the number and the arguments in /proc/pid/syscall (proc(5)). Returns
// false for "running" and for -1, where the thread is in no system call.
bool ParseCall(absl::string_view line, BlockedCall& call) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  if (words.size() < 1 + call.args.size()) return false;
  if (!absl::SimpleAtoi(words[0], &call.number)) return false;
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (!absl::SimpleHexAtoi(words[i + 1], &call.args[i])) return false;
  }
  return call.number >= 0;
}

std::string NameOf(int64_t number) {
  const CallInfo* info = FindCall(number);
  return info == nullptr ? absl::StrCat("system call ", number) : info->name;
}

// Reads the call that the calling thread makes, as proc(5) shows it: this
// read(2). Under an emulator of another processor the numbers are those of the
// real one, and without ptrace(2)'s hooks (CONFIG_HAVE_ARCH_TRACEHOOK) the file
// does not exist.
absl::Status CheckCallsAreShown() {
  constexpr char kPath[] = "/proc/thread-self/syscall";
  const absl::StatusOr<std::string> line = sandbox::ReadFile(kPath);
  if (!line.ok()) return line.status();
  if (absl::StartsWith(*line, absl::StrCat(SYS_read, " "))) {
    return absl::OkStatus();
  }
  const absl::string_view number =
      absl::string_view(*line).substr(0, line->find_first_of(" \n"));
  return absl::FailedPreconditionError(
      absl::StrCat(kPath, " shows a read(2) as system call ", number));
}

std::string Numbers(const std::vector<BlockedCall::Awaited>& awaited) {
  if (awaited.empty()) return " on no descriptor";
  return absl::StrCat(
      awaited.size() == 1 ? " on descriptor " : " on descriptors ",
      absl::StrJoin(awaited, ", ", [](std::string* out, const auto& one) {
        absl::StrAppend(out, one.fd);
      }));
}

// A line of /proc/pid/fdinfo/N for an epoll(7) descriptor: "tfd: 5 events: 19
// data: 5 pos:0 ino:1f sdev:9".
struct EpollItem {
  int fd = -1;
  uint32_t events = 0;
  uint64_t inode = 0;
};
std::optional<EpollItem> ParseEpollItem(absl::string_view line) {
  if (!absl::StartsWith(line, "tfd:")) return std::nullopt;
  EpollItem item;
  absl::string_view key;
  for (absl::string_view word :
       absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
    if (absl::EndsWith(word, ":")) {
      key = word;
    } else if (key == "tfd:") {
      if (!absl::SimpleAtoi(word, &item.fd)) return std::nullopt;
      key = "";
    } else if (key == "events:") {
      if (!absl::SimpleHexAtoi(word, &item.events)) return std::nullopt;
      key = "";
    } else if (absl::ConsumePrefix(&word, "ino:")) {
      if (!absl::SimpleHexAtoi(word, &item.inode)) return std::nullopt;
    }
  }
  return item;
}

}  // namespace

int16_t EventsOf(SocketOperation operation) {
  return operation == kConnect || operation == kSend ? kWritable : kReadable;
}

bool BlockedCall::CanBe(SocketOperation operation, int fd) const {
  if (direct.has_value()) {
    return direct->operation == operation && direct->fd == fd;
  }
  return std::any_of(awaited.begin(), awaited.end(), [&](const Awaited& one) {
    return one.fd == fd && (one.events & EventsOf(operation)) != 0;
  });
}

std::string Describe(const BlockedCall& call) {
  std::string text =
      absl::StrCat("thread ", call.thread, " sleeps in ", NameOf(call.number));
  if (call.direct.has_value()) {
    absl::StrAppend(&text, " on descriptor ", call.direct->fd);
  } else if (call.kind == Kind::kPoll || call.kind == Kind::kEpoll) {
    absl::StrAppend(&text, Numbers(call.awaited));
  }
  return text;
}

std::string Describe(absl::Span<const BlockedCall> calls) {
  return absl::StrJoin(calls, ", ",
                       [](std::string* out, const BlockedCall& call) {
                         absl::StrAppend(out, Describe(call));
                       });
}

std::string Describe(SocketOperation operation, std::optional<int> fd) {
  const char* name = operation == kAccept    ? "accept"
                     : operation == kConnect ? "connect"
                     : operation == kReceive ? "recv"
                                             : "send";
  if (!fd.has_value()) return name;
  return absl::StrCat(name, " on descriptor ", *fd);
}

BlockedCallReader::BlockedCallReader(pid_t pid)
    : pid_(pid),
      folder_(pid == getpid() ? "/proc/self" : absl::StrCat("/proc/", pid)),
      pidfd_(pid == getpid()
                 ? -1
                 : CheckedFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)),
                             absl::StrCat("pidfd_open ", pid))),
      shown_(CheckCallsAreShown()) {}

BlockedCallReader::~BlockedCallReader() {
  if (pidfd_ >= 0) close(pidfd_);
}

std::vector<pid_t> BlockedCallReader::Threads() const {
  return Checked(sandbox::ListNumbers(absl::StrCat(folder_, "/task")));
}

absl::StatusOr<std::optional<BlockedCall>> BlockedCallReader::Read(
    pid_t thread) const {
  if (!shown_.ok()) return shown_;
  const auto status = sandbox::ReadThreadStatus(PathOf(thread, "status"));
  if (!status.has_value() || !status->sleeps) return std::nullopt;
  const auto line = sandbox::ReadFile(PathOf(thread, "syscall"));
  if (!line.ok()) {
    // The files of a thread that has ended are gone.
    if (access(PathOf(thread, "status").c_str(), F_OK) != 0) {
      return std::nullopt;
    }
    return line.status();
  }
  // The call is trapped (seccomp_unotify(2)) and has not begun. `wchan` is read
  // after `syscall`: a thread that has just fallen asleep can still be on its
  // run queue (EEVDF's delayed dequeue, Linux 6.12), and its `wchan` is then
  // "0". Reading `syscall` takes it off (wait_task_inactive()).
  if (absl::StrContains(sandbox::FirstLineOf(PathOf(thread, "wchan")),
                        "seccomp")) {
    return std::nullopt;
  }
  BlockedCall call{.thread = thread, .times_slept = status->times_slept};
  if (!ParseCall(*line, call)) return std::nullopt;
  FindAwaited(call);
  return call;
}

bool BlockedCallReader::IsStillBlocked(const BlockedCall& call) const {
  for (const BlockedCall::Awaited& waker : call.wakers) {
    if (IsReady(waker.fd, waker.events)) return false;
  }
  const auto status = sandbox::ReadThreadStatus(PathOf(call.thread, "status"));
  return status.has_value() && status->sleeps &&
         status->times_slept == call.times_slept;
}

bool BlockedCallReader::IsReady(int fd, int16_t events) const {
  const int own =
      pidfd_ < 0 ? fd
                 : static_cast<int>(syscall(SYS_pidfd_getfd, pidfd_, fd, 0));
  pollfd one = {.fd = own, .events = events, .revents = 0};
  const bool is_ready = own < 0 || poll(&one, 1, 0) != 0;
  if (pidfd_ >= 0 && own >= 0) close(own);
  return is_ready;
}

bool BlockedCallReader::IsSocket(int fd) const {
  return absl::StartsWith(LinkOf(fd), "socket:");
}

std::string BlockedCallReader::PathOf(pid_t thread, const char* file) const {
  return absl::StrCat(folder_, "/task/", thread, "/", file);
}

std::string BlockedCallReader::LinkOf(int fd) const {
  return sandbox::ReadLink(absl::StrCat(folder_, "/fd/", fd)).value_or("");
}

bool BlockedCallReader::ReadMemory(uint64_t address, void* to,
                                   size_t size) const {
  const int memory =
      open(absl::StrCat(folder_, "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  if (memory < 0) return false;
  const ssize_t got = pread(memory, to, size, static_cast<off_t>(address));
  close(memory);
  return got == static_cast<ssize_t>(size);
}

void BlockedCallReader::FindAwaited(BlockedCall& call) const {
  const CallInfo* info = FindCall(call.number);
  if (info == nullptr) return;
  call.kind = info->kind;
  const int fd =
      static_cast<int>(call.args[static_cast<size_t>(info->fd_argument)]);
  if (call.number == SYS_sendfile && !IsSocket(fd)) {
    call.kind = Kind::kPoll;
    AddSpliceEnds(call, static_cast<int>(call.args[1]), fd);
  } else if (call.kind == Kind::kSocket) {
    call.direct = {.operation = info->operation, .fd = fd};
    const bool waits_for_all =
        info->flags_argument >= 0 &&
        (call.args[static_cast<size_t>(info->flags_argument)] & MSG_WAITALL) !=
            0;
    if (!waits_for_all) {
      call.wakers.push_back({.fd = fd, .events = EventsOf(info->operation)});
    }
  } else if (call.kind == Kind::kEpoll) {
    call.wakers.push_back({.fd = fd, .events = POLLIN});
    AddEpollSet(call, fd, 1);
  } else if (IsSelect(call.number)) {
    AddSelectSets(call);
  } else if (call.number == SYS_splice) {
    AddSpliceEnds(call, static_cast<int>(call.args[0]),
                  static_cast<int>(call.args[2]));
  } else if (call.kind == Kind::kPoll) {
    AddPollSet(call);
  }
}

void BlockedCallReader::AddPollSet(BlockedCall& call) const {
  std::vector<pollfd> set(std::min(call.args[1], kMostPolled));
  if (!ReadMemory(call.args[0], set.data(), set.size() * sizeof(pollfd))) {
    return;
  }
  for (const pollfd& one : set) {
    if (one.fd < 0) continue;  // poll(2): ignored
    const BlockedCall::Awaited awaited{.fd = one.fd, .events = one.events};
    call.wakers.push_back(awaited);
    Add(call, awaited, 0);
  }
}

void BlockedCallReader::AddSpliceEnds(BlockedCall& call, int from,
                                      int to) const {
  const BlockedCall::Awaited awaited =
      IsReady(from, kReadable)
          ? BlockedCall::Awaited{.fd = to, .events = kWritable}
          : BlockedCall::Awaited{.fd = from, .events = kReadable};
  call.wakers.push_back(awaited);
  Add(call, awaited, 0);
}

void BlockedCallReader::AddSelectSets(BlockedCall& call) const {
  const auto size =
      static_cast<int>(std::min<uint64_t>(call.args[0], kMostPolled));
  constexpr int kBitsInWord = 8 * static_cast<int>(sizeof(uint64_t));
  std::vector<uint64_t> words(
      static_cast<size_t>((size + kBitsInWord - 1) / kBitsInWord));
  constexpr int16_t kEventsOfSets[] = {kReadable, kWritable, POLLPRI};
  for (size_t i = 0; i < std::size(kEventsOfSets); ++i) {
    const uint64_t address = call.args[i + 1];
    if (address == 0 ||
        !ReadMemory(address, words.data(), words.size() * sizeof(uint64_t))) {
      continue;
    }
    for (int fd = 0; fd < size; ++fd) {
      const uint64_t word = words[static_cast<size_t>(fd / kBitsInWord)];
      if ((word >> (fd % kBitsInWord) & 1) == 0) continue;
      const BlockedCall::Awaited awaited{.fd = fd, .events = kEventsOfSets[i]};
      call.wakers.push_back(awaited);
      Add(call, awaited, 0);
    }
  }
}

void BlockedCallReader::Add(BlockedCall& call, BlockedCall::Awaited one,
                            int depth) const {
  if ((one.events & kReadable) != 0 && depth < kMostNested &&
      LinkOf(one.fd) == "anon_inode:[eventpoll]") {
    AddEpollSet(call, one.fd, depth + 1);
  } else {
    call.awaited.push_back(one);
  }
}

void BlockedCallReader::AddEpollSet(BlockedCall& call, int epoll,
                                    int depth) const {
  std::ifstream file(absl::StrCat(folder_, "/fdinfo/", epoll));
  for (std::string line; std::getline(file, line);) {
    const std::optional<EpollItem> item = ParseEpollItem(line);
    if (!item.has_value()) continue;
    // The number is that at the time of EPOLL_CTL_ADD. Another socket may have
    // it now.
    const std::string link = LinkOf(item->fd);
    if (absl::StartsWith(link, "socket:") &&
        link != absl::StrCat("socket:[", item->inode, "]")) {
      continue;
    }
    // The low bits are those of poll(2). Flags such as EPOLLET are above them.
    Add(call,
        {.fd = item->fd, .events = static_cast<int16_t>(item->events & 0x7fff)},
        depth);
  }
}

}  // namespace net::conformance
