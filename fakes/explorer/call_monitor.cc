#include "fakes/explorer/call_monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <numeric>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "fakes/call.h"
#include "fakes/explorer/call_memory.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/fd_sets.h"
#include "fakes/invocation.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net {
namespace {

constexpr int kTypeMask = 0xf;  // The other bits of a socket's type are flags.

size_t SizeOf(const iovec* parts, size_t count) {
  if (!fake::IsUserAddress(parts)) return 0;
  return std::accumulate(
      parts, parts + count, size_t{0},
      [](size_t sum, const iovec& part) { return sum + part.iov_len; });
}

size_t SizeOf(const msghdr* message) {
  return fake::IsUserAddress(message)
             ? SizeOf(message->msg_iov, message->msg_iovlen)
             : 0;
}

size_t SizeOf(const mmsghdr* messages, size_t count) {
  if (!fake::IsUserAddress(messages)) return 0;
  return std::accumulate(messages, messages + count, size_t{0},
                         [](size_t sum, const mmsghdr& message) {
                           return sum + SizeOf(&message.msg_hdr);
                         });
}

// Returns how many bytes the call asks to move.
size_t BytesOf(const Invocation& invocation) {
  if (const auto* call = invocation.As<Call::kSend>()) return call->size;
  if (const auto* call = invocation.As<Call::kRecv>()) return call->size;
  if (const auto* call = invocation.As<Call::kRead>()) return call->size;
  if (const auto* call = invocation.As<Call::kWrite>()) return call->size;
  if (const auto* call = invocation.As<Call::kSendTo>()) return call->size;
  if (const auto* call = invocation.As<Call::kRecvFrom>()) return call->size;
  if (const auto* call = invocation.As<Call::kReadV>()) {
    return SizeOf(call->buffers, static_cast<size_t>(std::max(call->count, 0)));
  }
  if (const auto* call = invocation.As<Call::kWriteV>()) {
    return SizeOf(call->buffers, static_cast<size_t>(std::max(call->count, 0)));
  }
  if (const auto* call = invocation.As<Call::kSendMsg>()) {
    return SizeOf(call->message);
  }
  if (const auto* call = invocation.As<Call::kSendMMsg>()) {
    return SizeOf(call->messages, call->count);
  }
  if (const auto* call = invocation.As<Call::kRecvMMsg>()) {
    return SizeOf(call->messages, call->count);
  }
  if (const auto* call = invocation.As<Call::kRecvMsg>()) {
    return SizeOf(call->message);
  }
  if (const auto* call = invocation.As<Call::kSendFile>()) return call->size;
  if (const auto* call = invocation.As<Call::kSplice>()) return call->size;
  return 0;
}

bool WritesAddress(const Invocation& invocation) {
  if (const auto* call = invocation.As<Call::kAccept>()) {
    return call->addr != nullptr;
  }
  if (const auto* call = invocation.As<Call::kAccept4>()) {
    return call->addr != nullptr;
  }
  return invocation.call() == Call::kGetSockName ||
         invocation.call() == Call::kGetPeerName;
}

bool ReadsError(const Invocation& invocation) {
  const auto* call = invocation.As<Call::kGetSockOpt>();
  return call != nullptr && call->level == SOL_SOCKET && call->name == SO_ERROR;
}

bool MakesTcpSocket(const Invocation& invocation) {
  const auto* call = invocation.As<Call::kSocket>();
  return call != nullptr && (call->type & kTypeMask) == SOCK_STREAM &&
         (call->domain == AF_INET || call->domain == AF_INET6);
}

// Returns the second descriptor of sendfile(2) or splice(2), else -1.
int SecondEndOf(const Invocation& invocation) {
  if (const auto* call = invocation.As<Call::kSendFile>()) return call->in_fd;
  if (const auto* call = invocation.As<Call::kSplice>()) return call->out_fd;
  return -1;
}

// Returns the descriptor to which a call without flags of send(2) writes, else
// -1.
int WrittenBy(const Invocation& invocation) {
  switch (invocation.call()) {
    case Call::kWrite:
    case Call::kWriteV:
    case Call::kSendFile:
      return invocation.fd();
    case Call::kSplice:
      return SecondEndOf(invocation);
    default:
      return -1;
  }
}

// Returns the descriptors of poll(2), ppoll(2), select(2) and pselect(2), else
// none.
std::vector<int> PolledDescriptors(const Invocation& invocation) {
  const pollfd* fds = nullptr;
  nfds_t count = 0;
  if (const auto* poll = invocation.As<Call::kPoll>()) {
    fds = poll->fds;
    count = poll->count;
  }
  if (const auto* ppoll = invocation.As<Call::kPPoll>()) {
    fds = ppoll->fds;
    count = ppoll->count;
  }
  std::vector<int> polled;
  const auto add = [&polled](int fd) { polled.push_back(fd); };
  if (const auto* select = invocation.As<Call::kSelect>()) {
    ForEachSelected(*select, add);
  }
  if (const auto* pselect = invocation.As<Call::kPSelect6>()) {
    ForEachSelected(*pselect, add);
  }
  if (!fake::IsUserAddress(fds)) return polled;
  for (nfds_t i = 0; i < count; ++i) polled.push_back(fds[i].fd);
  return polled;
}

// Returns whether the new descriptor, if it is one, is closed by execve(2).
bool IsCloseOnExec(const Invocation& invocation) {
  if (const auto* call = invocation.As<Call::kSocket>()) {
    return (call->type & SOCK_CLOEXEC) != 0;
  }
  if (const auto* call = invocation.As<Call::kAccept4>()) {
    return (call->flags & SOCK_CLOEXEC) != 0;
  }
  if (const auto* call = invocation.As<Call::kEpollCreate1>()) {
    return (call->flags & EPOLL_CLOEXEC) != 0;
  }
  if (const auto* call = invocation.As<Call::kEventFd>()) {
    return (call->flags & EFD_CLOEXEC) != 0;
  }
  if (const auto* call = invocation.As<Call::kTimerFdCreate>()) {
    return (call->flags & TFD_CLOEXEC) != 0;
  }
  if (const auto* call = invocation.As<Call::kDup3>()) {
    return (call->flags & O_CLOEXEC) != 0;
  }
  if (const auto* call = invocation.As<Call::kPipe2>()) {
    return (call->flags & O_CLOEXEC) != 0;
  }
  if (const auto* call = invocation.As<Call::kFcntl>()) {
    return call->command == F_DUPFD_CLOEXEC;
  }
  return invocation.call() != Call::kDup && invocation.call() != Call::kAccept;
}

// Returns whether the call lets time pass, so that a retry after it is no
// storm.
bool Waits(Call call) {
  return FamilyOf(IdOf(call)) == "poll" || call == Call::kNanoSleep;
}

}  // namespace

const CallMonitor::Descriptor* CallMonitor::Find(int fd) const {
  const auto index = static_cast<size_t>(fd);
  return fd >= 0 && index < descriptors_.size() ? &descriptors_[index]
                                                : nullptr;
}

bool CallMonitor::IsTcp(int fd) const {
  const Descriptor* descriptor = Find(fd);
  return descriptor != nullptr && descriptor->open && descriptor->is_tcp;
}

bool CallMonitor::HasPosition(const Invocation& invocation) const {
  if (UsesNoSocket(IdOf(invocation.call()))) return false;
  if (MakesTcpSocket(invocation) || IsTcp(invocation.fd())) return true;
  if (const auto* call = invocation.As<Call::kEpollCtl>()) {
    return IsTcp(call->fd);
  }
  if (IsTcp(SecondEndOf(invocation))) return true;
  const std::vector<int> polled = PolledDescriptors(invocation);
  return std::any_of(polled.begin(), polled.end(),
                     [&](int fd)
                         ABSL_NO_THREAD_SAFETY_ANALYSIS { return IsTcp(fd); });
}

void CallMonitor::Report(FindingKind kind, int call, int maker) {
  const auto is_same = [&](const Violation& other) {
    return other.kind == kind && other.maker == maker;
  };
  // The first one counts: a program that has closed a descriptor twice does
  // other things wrong because of that.
  if (std::any_of(violations_.begin(), violations_.end(), is_same)) return;
  violations_.push_back({kind, call, maker});
}

void CallMonitor::ReportOutParameter() {
  const MutexLock lock(mutex_);
  Report(FindingKind::kOutParameter, -1, -1);
}

void CallMonitor::CheckUse(int fd, int index) {
  const Descriptor* descriptor = Find(fd);
  if (descriptor == nullptr || descriptor->open || descriptor->maker < 0) {
    return;
  }
  // If the number has had two owners, one of them has closed the other's.
  Report(descriptor->generations > 1 ? FindingKind::kCloseOfReusedNumber
                                     : FindingKind::kUseAfterClose,
         index, descriptor->maker);
}

void CallMonitor::NoteClose(int fd, int index) {
  if (fd < 0) return;
  const Descriptor* descriptor = Find(fd);
  if (descriptor == nullptr || descriptor->maker < 0) {
    Report(FindingKind::kDoubleClose, index, -1);
  } else if (!descriptor->open) {
    Report(descriptor->generations > 1 ? FindingKind::kCloseOfReusedNumber
                                       : FindingKind::kDoubleClose,
           index, descriptor->maker);
  }
  // Linux releases the descriptor whatever close(2) returns. The number is free
  // before close(2) returns, so it must be noted before the call.
  if (descriptor != nullptr) descriptors_[static_cast<size_t>(fd)].open = false;
}

void CallMonitor::CheckDescriptors(const Invocation& invocation, int index) {
  if (invocation.call() == Call::kClose) {
    NoteClose(invocation.fd(), index);
    return;
  }
  CheckUse(invocation.fd(), index);
  if (const auto* call = invocation.As<Call::kEpollCtl>()) {
    CheckUse(call->fd, index);
  }
  if (const int fd = SecondEndOf(invocation); fd >= 0) CheckUse(fd, index);
  for (const int fd : PolledDescriptors(invocation)) CheckUse(fd, index);
}

void CallMonitor::CheckSigpipe(const Invocation& invocation, int index) {
  if (limits_.ignores_sigpipe) return;
  bool can_raise = false;
  if (const auto* send = invocation.As<Call::kSend>()) {
    can_raise = (send->flags & MSG_NOSIGNAL) == 0;
  } else if (const auto* sendto = invocation.As<Call::kSendTo>()) {
    can_raise = (sendto->flags & MSG_NOSIGNAL) == 0;
  } else if (const auto* several = invocation.As<Call::kSendMMsg>()) {
    can_raise = (several->flags & MSG_NOSIGNAL) == 0;
  } else if (const auto* sendmsg = invocation.As<Call::kSendMsg>()) {
    can_raise = (sendmsg->flags & MSG_NOSIGNAL) == 0;
  } else {
    const Descriptor* descriptor = Find(WrittenBy(invocation));
    can_raise = descriptor != nullptr && descriptor->is_socket;
  }
  if (can_raise) Report(FindingKind::kSigpipe, index, -1);
}

int CallMonitor::Enter(const Invocation& invocation) {
  MonitoredCall made;
  made.call = invocation.call();
  made.fd = invocation.fd();
  made.tries_bytes = BytesOf(invocation) > 1;
  made.makes_descriptor = invocation.makes_descriptor();
  made.writes_address = WritesAddress(invocation);
  made.reads_error = ReadsError(invocation);
  made.digest = DigestOf(invocation);
  if (caller_ != nullptr) made.participant = caller_();

  const MutexLock lock(mutex_);
  const int index = static_cast<int>(calls_.size());
  const bool is_over = index >= limits_.max_calls;
  if (is_over) Report(FindingKind::kEndless, -1, -1);
  if (index >= 2 * limits_.max_calls) return -1;
  if (HasPosition(invocation)) made.position = ++position_;
  int& count = counts_[static_cast<size_t>(made.call)];
  if (made.position > 0 || UsesNoSocket(IdOf(made.call))) ++count;
  made.occurrence = count;
  calls_.push_back(made);
  if (is_over) return index;
  CheckDescriptors(invocation, index);
  CheckSigpipe(invocation, index);
  return index;
}

void CallMonitor::NoteDescriptor(int fd, int index, bool is_socket,
                                 bool is_tcp) {
  const auto place = static_cast<size_t>(fd);
  if (place >= descriptors_.size()) descriptors_.resize(place + 1);
  Descriptor& descriptor = descriptors_[place];
  descriptor.open = true;
  descriptor.is_socket = is_socket;
  descriptor.is_tcp = is_tcp;
  descriptor.maker = index;
  ++descriptor.generations;
}

void CallMonitor::NoteMade(const Invocation& invocation, int index,
                           SysResult result) {
  if (!result.ok()) return;
  if (const int* pair = invocation.pipe_descriptors()) {
    NoteDescriptor(pair[0], index, false, false);
    NoteDescriptor(pair[1], index, false, false);
  } else if (!invocation.makes_descriptor()) {
    return;
  } else if (invocation.call() == Call::kSocket) {
    NoteDescriptor(result.fd(), index, true, MakesTcpSocket(invocation));
  } else {
    // accept, accept4 and the duplicates make what the argument is.
    const Descriptor* source = Find(invocation.fd());
    const bool is_known = source != nullptr && source->open;
    NoteDescriptor(result.fd(), index, is_known && source->is_socket,
                   is_known && source->is_tcp);
  }
  if (!limits_.allows_inherited && !IsCloseOnExec(invocation)) {
    Report(FindingKind::kNotCloseOnExec, index, index);
  }
}

void CallMonitor::NoteStorm(int index) {
  const MonitoredCall& call = calls_[static_cast<size_t>(index)];
  if (call.result.ok() || call.result.error() == EINTR ||
      call.result.error() == ECONNABORTED || Waits(call.call)) {
    failures_in_a_row_ = 0;
    return;
  }
  const MonitoredCall* const before =
      index > 0 ? &calls_[static_cast<size_t>(index) - 1] : nullptr;
  const bool is_repeated = before != nullptr && before->call == call.call &&
                           before->digest == call.digest &&
                           before->result == call.result;
  failures_in_a_row_ = is_repeated ? failures_in_a_row_ + 1 : 1;
  if (failures_in_a_row_ >= limits_.storm) {
    Report(FindingKind::kRetryStorm, index + 1 - failures_in_a_row_, -1);
  }
}

void CallMonitor::Leave(const Invocation& invocation, int index,
                        SysResult result) {
  const MutexLock lock(mutex_);
  calls_[static_cast<size_t>(index)].result = result;
  calls_[static_cast<size_t>(index)].end = ++ended_;
  NoteMade(invocation, index, result);
  NoteStorm(index);
}

SysResult CallMonitor::InterceptLate(const Invocation& invocation,
                                     bool is_last_resort,
                                     absl::FunctionRef<SysResult()> make) {
  // close(2) always succeeds now: destructors call it, which must not throw,
  // and some programs call it until it succeeds.
  if (invocation.call() == Call::kClose) {
    static_cast<void>(make());
    return SysResult::Ok();
  }
  if (is_last_resort && std::uncaught_exceptions() == 0) throw EndlessProgram();
  return SysResult::Error(EDEADLK);
}

SysResult CallMonitor::Intercept(Invocation& invocation,
                                 absl::FunctionRef<SysResult()> make) {
  const int index = Enter(invocation);
  if (index < 0 || index >= limits_.max_calls) {
    return InterceptLate(invocation, index < 0, make);
  }
  const SysResult result = make();
  if (!result.ok()) PoisonOutParameters(invocation);
  Leave(invocation, index, result);
  return result;
}

void CallMonitor::Finish() {
  const MutexLock lock(mutex_);
  for (const Descriptor& descriptor : descriptors_) {
    if (descriptor.open) Report(FindingKind::kLeak, -1, descriptor.maker);
  }
}

std::string SiteText(const std::vector<MonitoredCall>& calls, int index) {
  if (index < 0) return "the end";
  const MonitoredCall& call = calls[static_cast<size_t>(index)];
  const auto of_that_name = [&](const MonitoredCall& other) {
    return other.call == call.call && other.occurrence > 1;
  };
  std::string name(CallName(call.call));
  if (std::none_of(calls.begin(), calls.end(), of_that_name)) return name;
  return absl::StrCat(name, "#", call.occurrence);
}

}  // namespace net
