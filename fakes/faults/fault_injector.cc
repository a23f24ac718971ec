#include "fakes/faults/fault_injector.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/call_text.h"
#include "fakes/faults/call_facts.h"
#include "fakes/faults/carry_out.h"
#include "fakes/faults/descriptor_table.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/plan_state.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/fd_sets.h"
#include "fakes/invocation.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using ::net::fake::IsUserAddress;

bool IsTcp(int domain, int type) {
  constexpr int kTypeMask = 0xf;  // The other bits are flags.
  return (domain == AF_INET || domain == AF_INET6) &&
         (type & kTypeMask) == SOCK_STREAM;
}

// Returns whether the entries of a poll set can be read. A set that is larger
// than any RLIMIT_NOFILE is a mistake, which poll(2) reports.
bool IsReadable(const pollfd* fds, nfds_t count) {
  constexpr nfds_t kLargestSet = 1 << 20;
  return count <= kLargestSet && IsUserAddress(fds, count * sizeof(pollfd));
}

constexpr bool IsEpollWait(Call call) {
  return call == Call::kEpollWait || call == Call::kEpollPWait ||
         call == Call::kEpollPWait2;
}

// Returns the descriptors of a select(2) or pselect(2).
template <Call kCall>
DescriptorList SelectedBy(const Arguments<kCall>& arguments) {
  DescriptorList fds;
  ForEachSelected(arguments, [&](int fd) { fds.push_back(fd); });
  return fds;
}

// Returns the descriptors of sendfile(2) and splice(2). Either can be a socket.
template <Call kCall>
DescriptorList EndsOf(const Arguments<kCall>& arguments) {
  return {arguments.in_fd, arguments.out_fd};
}

bool IsDuplication(const Arguments<Call::kFcntl>& fcntl) {
  return fcntl.command == F_DUPFD || fcntl.command == F_DUPFD_CLOEXEC;
}

// Returns the descriptor that the call is about; -1 if there is none.
template <Call kCall>
int DescriptorOf(const Arguments<kCall>& arguments) {
  if constexpr (requires { arguments.fd; }) {
    return arguments.fd;  // Of epoll_ctl(2) the one that is waited for.
  } else if constexpr (requires { arguments.old_fd; }) {
    return arguments.old_fd;
  } else {
    return -1;
  }
}

int DescriptorOf(const Invocation& invocation) {
  return invocation.Visit(
      [](const auto& arguments) { return DescriptorOf(arguments); });
}

absl::string_view Mark(const FaultAction& action) {
  return action.kind == ActionKind::kDelay ? " (DELAYED)" : " (INJECTED)";
}

}  // namespace

FaultInjector::FaultInjector(Syscalls& target)
    : FaultInjector(target, Options()) {}

FaultInjector::FaultInjector(Syscalls& target, const Options& options)
    : target_(target), traces_(options.trace), is_plain_(!options.trace) {}

void FaultInjector::Arm(const FaultPlan& plan) {
  const MutexLock lock(mutex_);
  state_.Arm(plan);
  table_.Arm();
  trace_.clear();
  hits_.clear();
  stray_closes_ = 0;
  is_plain_ = !traces_ && plan.rules.empty();
}

std::vector<FaultRule> FaultInjector::Unmatched() const {
  const MutexLock lock(mutex_);
  return state_.Unmatched();
}

std::vector<FaultInjector::Hit> FaultInjector::Hits() const {
  const MutexLock lock(mutex_);
  return hits_;
}

int FaultInjector::Count(absl::string_view calls) const {
  return state_.Count(calls);
}

std::vector<std::string> FaultInjector::Trace() const {
  const MutexLock lock(mutex_);
  return trace_;
}

std::vector<int> FaultInjector::OpenDescriptors() const {
  const MutexLock lock(mutex_);
  return table_.OpenSinceArm();
}

int FaultInjector::StrayCloses() const {
  const MutexLock lock(mutex_);
  return stray_closes_;
}

// ---- The quick way ---------------------------------------------------------

template <Call kCall>
bool FaultInjector::Enter(const Arguments<kCall>& arguments) {
  constexpr SyscallId kId = IdOf(kCall);
  if (!is_plain_.load(std::memory_order_relaxed)) return false;
  if constexpr (kCall == Call::kSocket) {
    if (IsTcp(arguments.domain, arguments.type)) state_.CountOnly(kId);
    return true;
  } else if constexpr (kCall == Call::kPoll || kCall == Call::kPPoll) {
    return EnterPoll(kId, arguments.fds, arguments.count);
  } else if constexpr (kCall == Call::kSelect || kCall == Call::kPSelect6) {
    return EnterAny(kId, SelectedBy(arguments));
  } else if constexpr (kCall == Call::kSendFile || kCall == Call::kSplice) {
    return EnterAny(kId, EndsOf(arguments));
  } else if constexpr (IsEpollWait(kCall)) {
    if (table_.KindOf(arguments.epoll_fd) == DescriptorKind::kEpollOfTcp) {
      state_.CountOnly(kId);
    }
    return true;
  } else if constexpr (kCall == Call::kClose) {
    return EnterClose(arguments.fd);
  } else if constexpr (requires { DescriptorOf(arguments); }) {
    const int fd = DescriptorOf(arguments);
    if (UsesNoSocket(kId)) {
      state_.CountOnly(kId);
      return true;
    }
    const DescriptorKind kind = table_.KindOf(fd);
    if (kind == DescriptorKind::kTcp) state_.CountOnly(kId);
    return kind != DescriptorKind::kUnknown && kind != DescriptorKind::kClosed;
  }
}

bool FaultInjector::EnterPoll(SyscallId id, const pollfd* fds, nfds_t count) {
  if (!IsReadable(fds, count)) return true;
  return EnterSeveral(id, count, [fds](size_t i) { return fds[i].fd; });
}

bool FaultInjector::EnterAny(SyscallId id, const DescriptorList& fds) {
  return EnterSeveral(id, fds.size(), [&fds](size_t i) { return fds[i]; });
}

template <typename DescriptorAt>
bool FaultInjector::EnterSeveral(SyscallId id, size_t count, DescriptorAt at) {
  bool uses_tcp = false;
  for (size_t i = 0; i < count; ++i) {
    const DescriptorKind kind = table_.KindOf(at(i));
    if (kind == DescriptorKind::kUnknown || kind == DescriptorKind::kClosed) {
      return false;
    }
    uses_tcp |= kind == DescriptorKind::kTcp;
  }
  if (uses_tcp) state_.CountOnly(id);
  return true;
}

bool FaultInjector::EnterClose(int fd) {
  if (fd < 0) return true;
  const DescriptorKind kind = table_.KindOf(fd);
  if (kind == DescriptorKind::kUnknown) return false;
  if (kind == DescriptorKind::kTcp) state_.CountOnly(SyscallId::kClose);
  const MutexLock lock(mutex_);
  NoteClose(fd);
  return true;
}

template <Call kCall>
void FaultInjector::Leave(const Arguments<kCall>& arguments, SysResult result) {
  if constexpr (kCall == Call::kConnect) {
    const int error = result.error();
    if (error == 0 || error == EINPROGRESS || error == EINTR) {
      const bool disconnects =
          error == 0 && arguments.addr->sa_family == AF_UNSPEC;
      NoteRole(arguments.fd,
               disconnects ? SocketRole::kAny : SocketRole::kConnection);
    }
  } else if constexpr (kCall == Call::kListen) {
    if (result.ok()) NoteRole(arguments.fd, SocketRole::kListener);
  } else if constexpr (kCall == Call::kFcntl) {
    if (result.ok() && IsDuplication(arguments)) {
      LeaveMade(arguments, result.fd());
    }
  } else if constexpr (kCall == Call::kSocket || kCall == Call::kAccept ||
                       kCall == Call::kAccept4 || kCall == Call::kDup ||
                       kCall == Call::kDup3 || kCall == Call::kEpollCreate1 ||
                       kCall == Call::kEpollCtl || kCall == Call::kPipe2 ||
                       kCall == Call::kEventFd ||
                       kCall == Call::kTimerFdCreate) {
    if (result.ok()) LeaveMade(arguments, result.fd());
  }
}

template <Call kCall>
void FaultInjector::LeaveMade(const Arguments<kCall>& arguments, int made) {
  const MutexLock lock(mutex_);
  if constexpr (kCall == Call::kSocket) {
    if (IsTcp(arguments.domain, arguments.type)) {
      table_.AddTcp(made, SocketRole::kAny);
    } else {
      table_.Add(made, DescriptorKind::kForeign);
    }
  } else if constexpr (kCall == Call::kAccept || kCall == Call::kAccept4) {
    if (table_.SlowKindOf(arguments.fd) == DescriptorKind::kTcp) {
      table_.AddTcp(made, SocketRole::kConnection);
    } else {
      table_.Add(made, DescriptorKind::kForeign);
    }
  } else if constexpr (kCall == Call::kEpollCreate1) {
    table_.Add(made, DescriptorKind::kEpoll);
  } else if constexpr (kCall == Call::kEventFd ||
                       kCall == Call::kTimerFdCreate) {
    table_.Add(made, DescriptorKind::kOther);
  } else if constexpr (kCall == Call::kPipe2) {
    table_.Add(arguments.fds[0], DescriptorKind::kOther);
    table_.Add(arguments.fds[1], DescriptorKind::kOther);
  } else if constexpr (kCall == Call::kEpollCtl) {
    if (arguments.operation == EPOLL_CTL_ADD) {
      table_.AddToEpoll(arguments.epoll_fd, arguments.fd);
    } else if (arguments.operation == EPOLL_CTL_DEL) {
      table_.RemoveFromEpoll(arguments.epoll_fd, arguments.fd);
    }
  } else {
    table_.AddDuplicate(DescriptorOf(arguments), made);
  }
}

void FaultInjector::NoteRole(int fd, SocketRole role) {
  const MutexLock lock(mutex_);
  SocketFacts* const facts = table_.FactsOf(fd);
  if (facts != nullptr) facts->role = role;
}

// The descriptor is erased before the call: after it, the number can already be
// another thread's new descriptor.
void FaultInjector::NoteClose(int fd) {
  if (fd < 0) return;
  const DescriptorKind kind = table_.SlowKindOf(fd);
  if (kind == DescriptorKind::kUnknown || kind == DescriptorKind::kClosed) {
    ++stray_closes_;
  }
  table_.Remove(fd);
  last_closed_ = fd;
}

#define NET_SYSCALL(method, name, result, ...)                             \
  SysResult FaultInjector::method(NET_SYSCALL_PARAMETERS(__VA_ARGS__)) {   \
    const Arguments<Call::k##method> arguments{                            \
        NET_SYSCALL_NAMES(__VA_ARGS__)};                                   \
    if (!Enter(arguments)) return Intercept(Invocation(arguments));        \
    const SysResult made = target_.method(NET_SYSCALL_NAMES(__VA_ARGS__)); \
    Leave(arguments, made);                                                \
    return made;                                                           \
  }
#include "syscalls/syscall_table.inc"

// ---- The way of calls with rules -------------------------------------------

DescriptorList FaultInjector::DescriptorsOf(
    const Invocation& invocation) const {
  DescriptorList fds;
  const auto append_set = [&fds](const pollfd* set, nfds_t count) {
    if (!IsReadable(set, count)) return;
    for (nfds_t i = 0; i < count; ++i) fds.push_back(set[i].fd);
  };
  if (const auto* const poll = invocation.As<Call::kPoll>()) {
    append_set(poll->fds, poll->count);
  } else if (const auto* const ppoll = invocation.As<Call::kPPoll>()) {
    append_set(ppoll->fds, ppoll->count);
  } else if (const auto* const select = invocation.As<Call::kSelect>()) {
    fds = SelectedBy(*select);
  } else if (const auto* const pselect = invocation.As<Call::kPSelect6>()) {
    fds = SelectedBy(*pselect);
  } else if (const auto* const file = invocation.As<Call::kSendFile>()) {
    fds = EndsOf(*file);
  } else if (const auto* const splice = invocation.As<Call::kSplice>()) {
    fds = EndsOf(*splice);
  } else if (IsEpollWait(invocation.call())) {
    const MutexLock lock(mutex_);
    table_.AppendEpollMembers(invocation.fd(), fds);
  } else {
    fds.push_back(DescriptorOf(invocation));
  }
  return fds;
}

void FaultInjector::LearnDescriptor(int fd, bool closes) {
  {
    const MutexLock lock(mutex_);
    const DescriptorKind kind = table_.SlowKindOf(fd);
    // close(2) does not ask about a number that has been closed: the second
    // close is what StrayCloses() counts.
    const bool asks = kind == DescriptorKind::kUnknown ||
                      (kind == DescriptorKind::kClosed && !closes);
    if (!asks) return;
  }
  int error = 0;
  const std::optional<int> domain = IntOption(target_, fd, SO_DOMAIN, error);
  if (!domain.has_value() && error != ENOTSOCK) return;  // EBADF.
  const std::optional<int> type = IntOption(target_, fd, SO_TYPE, error);
  if (!domain.has_value() || !type.has_value() || !IsTcp(*domain, *type)) {
    const MutexLock lock(mutex_);
    table_.Learn(fd, DescriptorKind::kForeign);
    return;
  }
  SocketFacts facts;
  if (IntOption(target_, fd, SO_ACCEPTCONN, error).value_or(0) != 0) {
    facts.role = SocketRole::kListener;
  } else if (RemoteName(target_, fd).has_value()) {
    facts.role = SocketRole::kConnection;
  }
  const MutexLock lock(mutex_);
  table_.LearnTcp(fd, facts);
}

void FaultInjector::LearnNames(int fd) {
  {
    const MutexLock lock(mutex_);
    if (table_.FactsOf(fd) == nullptr) return;
  }
  const std::optional<ip::Endpoint> local = LocalName(target_, fd);
  const std::optional<ip::Endpoint> remote = RemoteName(target_, fd);
  const MutexLock lock(mutex_);
  SocketFacts* const facts = table_.FactsOf(fd);
  if (facts == nullptr) return;
  facts->local = local;
  facts->remote = remote;
}

bool FaultInjector::Counts(const Invocation& invocation,
                           const SocketList& sockets) {
  if (const auto* const socket = invocation.As<Call::kSocket>()) {
    return IsTcp(socket->domain, socket->type);
  }
  return !sockets.empty() || UsesNoSocket(IdOf(invocation.call()));
}

FaultInjector::Entered FaultInjector::EnterSlowly(
    const Invocation& invocation) {
  const auto* const close = invocation.As<Call::kClose>();
  const DescriptorList fds = DescriptorsOf(invocation);
  for (const int fd : fds) {
    LearnDescriptor(fd, close != nullptr);
    if (state_.needs_addresses()) LearnNames(fd);
  }
  CallFacts facts = FactsOf(invocation);
  const MutexLock lock(mutex_);
  Entered entered;
  entered.last_closed = last_closed_;
  SocketList sockets;
  for (const int fd : fds) {
    const SocketFacts* const socket = table_.FactsOf(fd);
    if (socket != nullptr) sockets.push_back(socket);
  }
  facts.sockets = sockets;
  entered.counts = Counts(invocation, sockets);
  if (entered.counts) entered.decision = state_.Decide(facts);
  if (!UsesNoSocket(facts.call)) entered.position = state_.position();
  if (close != nullptr) NoteClose(close->fd);
  return entered;
}

SysResult FaultInjector::Intercept(const Invocation& invocation) {
  std::optional<CallText> text;
  if (traces_) text.emplace(invocation);
  const Entered entered = EnterSlowly(invocation);
  bool applied = entered.decision.has_value();
  const SysResult result =
      applied ? CarryOut(invocation, entered, applied) : Make(invocation);
  if (entered.decision.has_value()) {
    const MutexLock lock(mutex_);
    if (applied) {
      hits_.push_back({entered.position, entered.decision->rule});
    } else {
      state_.Retract(*entered.decision);
    }
  }
  if (!traces_ || !entered.counts) return result;
  std::string line =
      absl::StrCat(text->Call(result), " = ", text->Result(result),
                   applied ? Mark(entered.decision->action) : "");
  const MutexLock lock(mutex_);
  trace_.push_back(std::move(line));
  return result;
}

SysResult FaultInjector::Make(const Invocation& invocation) {
  const SysResult result = invocation.MakeOn(target_);
  invocation.Visit([&](const auto& arguments) { Leave(arguments, result); });
  return result;
}

SysResult FaultInjector::CarryOut(const Invocation& invocation,
                                  const Entered& entered, bool& applied) {
  const FaultAction& action = entered.decision->action;
  switch (action.kind) {
    case ActionKind::kError:
      return MakeWithError(invocation, action);
    case ActionKind::kShort:
      return MakeShort(target_, invocation, action.bytes);
    case ActionKind::kDelay:
      Delay(target_, action.delay);
      return Make(invocation);
    case ActionKind::kErrorConsumed:
      ConsumeError(target_, DescriptorOf(invocation));
      return Make(invocation);
    default:
      return MakeHostile(invocation, entered, applied);
  }
}

SysResult FaultInjector::MakeWithError(const Invocation& invocation,
                                       const FaultAction& action) {
  const SysResult error = SysResult::Error(action.error);
  if (action.effect == Effect::kAfter) {
    MakeForEffect(target_, invocation, action.error);
    if (invocation.call() == Call::kConnect) {
      invocation.Visit([&](const auto& arguments) { Leave(arguments, error); });
    }
  } else if (action.effect == Effect::kPartial) {
    static_cast<void>(MakeShort(target_, invocation, action.bytes));
  }
  return error;
}

// Makes a call whose success is hostile. If it fails, or if the hostile part
// cannot be done, the rule has not applied.
SysResult FaultInjector::MakeHostile(const Invocation& invocation,
                                     const Entered& entered, bool& applied) {
  const FaultAction& action = entered.decision->action;
  if (action.kind == ActionKind::kTruncatedAddress) {
    const std::optional<SysResult> result =
        MakeTruncated(target_, invocation, action.bytes);
    applied = result.has_value() && result->ok();
    if (!result.has_value()) return Make(invocation);
    invocation.Visit([&](const auto& arguments) { Leave(arguments, *result); });
    return *result;
  }
  SysResult result = invocation.MakeOn(target_);
  if (!result.ok()) {
    applied = false;
  } else if (action.kind == ActionKind::kResetBeforeAccept) {
    ResetConnection(target_, result.fd());
  } else {
    const int wanted =
        action.kind == ActionKind::kDescriptorZero ? 0 : entered.last_closed;
    applied = wanted >= 0 && MoveDescriptor(target_, result.fd(), wanted);
    if (applied) result = SysResult::Ok(wanted);
  }
  invocation.Visit([&](const auto& arguments) { Leave(arguments, result); });
  return result;
}

}  // namespace net
