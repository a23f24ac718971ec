#include "fakes/call_text.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "fakes/argument_text.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "fakes/kernel/user_memory.h"
#include "fakes/symbols.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net {
namespace {

// Returns whether the target of an argument that the program filled in may be
// read.
Show In(SysResult result) {
  return result.error() == EFAULT ? Show::kHidden : Show::kShown;
}

// Returns whether an argument that a successful call fills in is filled in.
Show Out(SysResult result) {
  return result.ok() ? Show::kShown : Show::kHidden;
}

// Returns the number of bytes that a call has filled in, of a buffer of `size`.
size_t CountOf(SysResult result, size_t size) {
  return result.ok() ? std::min(static_cast<size_t>(result.value()), size) : 0;
}

socklen_t LengthAt(const void* pointer) {
  socklen_t length = 0;
  return fake::CopyIn(&length, pointer, sizeof(length)) ? length : 0;
}

template <typename T>
const T* To(const Argument& argument) {
  return static_cast<const T*>(argument.pointer);
}

std::string NullOrUnknown(const Argument& argument) {
  return argument.pointer == nullptr ? "NULL" : "?";
}

// Returns the third argument of fcntl(2), or nullopt if the command has none.
std::optional<std::string> FcntlArgumentText(int64_t command, int argument) {
  switch (command) {
    case F_GETFD:
    case F_GETFL:
    case F_GETPIPE_SZ:
      return std::nullopt;
    case F_SETFD:
      return DescriptorFlagSymbols(argument);
    case F_SETFL:
      return StatusFlagSymbols(argument);
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_SETPIPE_SZ:
      return absl::StrCat(argument);
    default:  // It may be a pointer.
      return "?";
  }
}

// Returns the third argument of ioctl(2), or nullopt if the request has none.
std::optional<std::string> IoctlArgumentText(int64_t request, int64_t argument,
                                             SysResult result) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the request says which it is
  const auto* const value = reinterpret_cast<const int*>(argument);
  switch (request) {
    case FIOCLEX:
    case FIONCLEX:
      return std::nullopt;
    case FIONBIO:
      return IntText(value, In(result));
    case FIONREAD:
    case SIOCOUTQ:
    case SIOCOUTQNSD:
      return IntText(value, Out(result));
    default:
      return "?";
  }
}

// Returns the flags that a result of fcntl(2) consists of: " (FD_CLOEXEC)".
std::string FcntlFlags(int64_t command, SysResult result) {
  if (command == F_GETFL) {
    return absl::StrCat(" (", StatusFlagSymbols(result.fd()), ")");
  }
  if (command == F_GETFD && result.value() != 0) {
    return absl::StrCat(" (", DescriptorFlagSymbols(result.fd()), ")");
  }
  return "";
}

}  // namespace

bool IsChanged(ArgumentKind kind) {
  return kind == ArgumentKind::kFdSet || kind == ArgumentKind::kTimeInOut ||
         kind == ArgumentKind::kTimevalInOut ||
         kind == ArgumentKind::kOffsetInOut;
}

CallText::CallText(const Invocation& invocation)
    : name_(CallName(invocation.call())), arguments_(invocation.List()) {
  for (size_t i = 0; i < arguments_.size(); ++i) {
    if (UsesLength(i)) length_before_ = LengthAt(arguments_[i].pointer);
    if (!IsChanged(arguments_[i].kind)) continue;
    before_.resize(arguments_.size());
    before_[i] = ChangedTarget(i, arguments_[i].pointer);
  }
}

CallText::CallText(absl::string_view name, Arguments arguments,
                   socklen_t length_before,
                   absl::Span<const void* const> before, Detail detail)
    : name_(name),
      arguments_(std::move(arguments)),
      length_before_(length_before),
      detail_(detail) {
  for (size_t i = 0; i < arguments_.size(); ++i) {
    if (!IsChanged(arguments_[i].kind)) continue;
    before_.resize(arguments_.size());
    before_[i] = ChangedTarget(i, before[i]);
  }
}

std::string CallText::Call(SysResult result) const {
  std::vector<std::string> texts;
  for (size_t i = 0; i < arguments_.size(); ++i) {
    std::optional<std::string> text = Text(i, result);
    if (text.has_value()) texts.push_back(*std::move(text));
  }
  return absl::StrCat(name_, "(", absl::StrJoin(texts, ", "), ")");
}

std::string CallText::Result(SysResult result) const {
  if (!result.ok()) return absl::StrCat("-1 ", ErrnoSymbol(result.error()));
  std::string text = absl::StrCat(result.value());
  for (size_t i = 0; i < arguments_.size(); ++i) {
    const Argument& argument = arguments_[i];
    if (argument.kind == ArgumentKind::kFcntlCommand) {
      absl::StrAppend(&text, FcntlFlags(argument.number, result));
    }
    if (argument.kind == ArgumentKind::kPollSet && result.value() > 0) {
      absl::StrAppend(&text, " ",
                      PollResultText(To<pollfd>(argument), SizeAfter(i),
                                     Show::kShown, detail_));
    }
  }
  return text;
}

std::optional<std::string> CallText::Text(size_t i, SysResult result) const {
  const int64_t number = arguments_[i].number;
  const int value = static_cast<int>(number);
  switch (arguments_[i].kind) {
    case ArgumentKind::kFd:
    case ArgumentKind::kNumber:
      return absl::StrCat(number);
    case ArgumentKind::kSize:
      return absl::StrCat(static_cast<size_t>(number));
    case ArgumentKind::kLength:
      return absl::StrCat(value);
    case ArgumentKind::kDomain:
      return DomainSymbol(value);
    case ArgumentKind::kSocketType:
      return TypeSymbols(value);
    case ArgumentKind::kProtocol:
      return ProtocolSymbol(value);
    case ArgumentKind::kAcceptFlags:
      return AcceptFlagSymbols(value);
    case ArgumentKind::kShutdownHow:
      return ShutdownSymbol(value);
    case ArgumentKind::kOptionLevel:  // The name's text contains it.
      return std::nullopt;
    case ArgumentKind::kOptionName:
      return OptionSymbols(
          static_cast<int>(NumberOf(ArgumentKind::kOptionLevel)), value);
    case ArgumentKind::kMessageFlags:
      return MessageFlagSymbols(value);
    case ArgumentKind::kEpollFlags:
      return EpollFlagSymbols(value);
    case ArgumentKind::kEpollOperation:
      return EpollOperationSymbol(value);
    case ArgumentKind::kFcntlCommand:
      return FcntlSymbol(value);
    case ArgumentKind::kFcntlArgument:
      return FcntlArgumentText(NumberOf(ArgumentKind::kFcntlCommand), value);
    case ArgumentKind::kIoctlRequest:
      return IoctlSymbol(static_cast<uint64_t>(number));
    case ArgumentKind::kIoctlArgument:
      return IoctlArgumentText(NumberOf(ArgumentKind::kIoctlRequest), number,
                               result);
    case ArgumentKind::kOpenFlags:
      return OpenFlagSymbols(value);
    case ArgumentKind::kEventFdFlags:
      return EventFdFlagSymbols(value);
    case ArgumentKind::kTimerFlags:
      return TimerFlagSymbols(value);
    case ArgumentKind::kSpliceFlags:
      return SpliceFlagSymbols(value);
    case ArgumentKind::kClock:
      return ClockSymbol(value);
    default:
      return PointerText(i, result);
  }
}

std::string CallText::PointerText(size_t i, SysResult result) const {
  const Argument& argument = arguments_[i];
  switch (argument.kind) {
    case ArgumentKind::kPollSet: {
      // EINVAL: too many for the kernel to read them.
      const Show show = result.error() == EINVAL ? Show::kHidden : In(result);
      return PollText(To<pollfd>(argument), SizeAfter(i), show, detail_);
    }
    case ArgumentKind::kEpollEventIn: {
      // The kernel ignores the event of EPOLL_CTL_DEL.
      const bool ignored =
          NumberOf(ArgumentKind::kEpollOperation) == EPOLL_CTL_DEL;
      return EpollText(To<epoll_event>(argument),
                       ignored ? Show::kHidden : In(result), detail_);
    }
    case ArgumentKind::kEpollEventsOut:
      return EpollResultText(To<epoll_event>(argument),
                             result.ok() ? result.fd() : 0, Out(result),
                             detail_);
    case ArgumentKind::kTimeIn:
      return TimeText(To<timespec>(argument), In(result));
    case ArgumentKind::kTimeOut:
      return TimeText(To<timespec>(argument), Out(result));
    case ArgumentKind::kTimeLeft:
      return TimeText(To<timespec>(argument),
                      result.error() == EINTR ? Show::kShown : Show::kHidden);
    case ArgumentKind::kFdSet:
    case ArgumentKind::kTimeInOut:
    case ArgumentKind::kTimevalInOut:
    case ArgumentKind::kOffsetInOut:
      return ChangedText(i, result);
    case ArgumentKind::kTimerIn:
      return TimerText(To<itimerspec>(argument), In(result));
    case ArgumentKind::kTimerOut:
      return TimerText(To<itimerspec>(argument), Out(result));
    case ArgumentKind::kSignalsIn:
      return SignalsText(To<sigset_t>(argument), In(result));
    case ArgumentKind::kFdPairOut:
      return PairText(To<int>(argument), Out(result));
    default:
      return BufferText(i, result);
  }
}

std::string CallText::ChangedTarget(size_t i, const void* target) const {
  switch (arguments_[i].kind) {
    case ArgumentKind::kTimeInOut:
      return TimeText(static_cast<const timespec*>(target), Show::kShown);
    case ArgumentKind::kTimevalInOut:
      return TimevalText(static_cast<const timeval*>(target), Show::kShown);
    case ArgumentKind::kOffsetInOut:
      return OffsetText(static_cast<const int64_t*>(target), Show::kShown);
    default:
      return FdSetText(static_cast<const fd_set*>(target),
                       static_cast<int>(arguments_.front().number),
                       Show::kShown);
  }
}

std::string CallText::ChangedText(size_t i, SysResult result) const {
  if (result.error() == EFAULT) return NullOrUnknown(arguments_[i]);
  const std::string after = ChangedTarget(i, arguments_[i].pointer);
  return after == before_[i] ? after : absl::StrCat(before_[i], " => ", after);
}

std::string CallText::BufferText(size_t i, SysResult result) const {
  const Argument& argument = arguments_[i];
  const auto option_text = [&](socklen_t size, Show show) {
    return OptionText(static_cast<int>(NumberOf(ArgumentKind::kOptionLevel)),
                      static_cast<int>(NumberOf(ArgumentKind::kOptionName)),
                      argument.pointer, size, show, detail_);
  };
  switch (argument.kind) {
    case ArgumentKind::kAddressIn:
      return AddressText(To<sockaddr>(argument),
                         static_cast<socklen_t>(SizeAfter(i)), In(result),
                         detail_);
    case ArgumentKind::kAddressOut:
    case ArgumentKind::kAddressOutOrNull:
      return AddressText(To<sockaddr>(argument), FilledBytes(i), Out(result),
                         detail_);
    case ArgumentKind::kLengthInOut:
      return LengthText(To<socklen_t>(argument), length_before_,
                        UsesLength(i) ? In(result) : Show::kHidden);
    case ArgumentKind::kOptionIn:
      return option_text(static_cast<socklen_t>(SizeAfter(i)), In(result));
    case ArgumentKind::kOptionOut:
      return option_text(FilledBytes(i), Out(result));
    case ArgumentKind::kDataIn:
      return DataText(argument.pointer, SizeAfter(i), In(result), detail_);
    case ArgumentKind::kDataOut:
      return DataText(argument.pointer, CountOf(result, SizeAfter(i)),
                      Received(result), detail_);
    case ArgumentKind::kBuffersIn:
      return BuffersText(To<iovec>(argument), SizeAfter(i), SIZE_MAX,
                         In(result), In(result), detail_);
    case ArgumentKind::kBuffersOut:
      return BuffersText(To<iovec>(argument), SizeAfter(i),
                         CountOf(result, SIZE_MAX), In(result), Out(result),
                         detail_);
    case ArgumentKind::kMessagesIn:
      return MessagesText(To<mmsghdr>(argument), SizeAfter(i),
                          /*is_filled=*/false, In(result), In(result), detail_);
    case ArgumentKind::kMessagesOut:
      return MessagesText(To<mmsghdr>(argument), CountOf(result, SizeAfter(i)),
                          /*is_filled=*/true, Out(result), Received(result),
                          detail_);
    case ArgumentKind::kMessageIn:
      return MessageText(To<msghdr>(argument), SIZE_MAX, In(result), In(result),
                         detail_);
    case ArgumentKind::kMessageOut:
      return MessageText(To<msghdr>(argument), CountOf(result, SIZE_MAX),
                         In(result), Received(result), detail_);
    default:
      return "?";
  }
}

int64_t CallText::NumberOf(ArgumentKind kind) const {
  for (const Argument& argument : arguments_) {
    if (argument.kind == kind) return argument.number;
  }
  return 0;
}

size_t CallText::SizeAfter(size_t i) const {
  return static_cast<size_t>(arguments_[i + 1].number);
}

socklen_t CallText::FilledBytes(size_t i) const {
  if (!UsesLength(i + 1)) return 0;
  return std::min(LengthAt(arguments_[i + 1].pointer), length_before_);
}

bool CallText::UsesLength(size_t i) const {
  if (arguments_[i].kind != ArgumentKind::kLengthInOut) return false;
  const Argument& buffer = arguments_[i - 1];
  return buffer.kind != ArgumentKind::kAddressOutOrNull ||
         buffer.pointer != nullptr;
}

Show CallText::Received(SysResult result) const {
  // MSG_TRUNC (tcp(7)) counts data and discards it.
  const bool discards =
      (NumberOf(ArgumentKind::kMessageFlags) & MSG_TRUNC) != 0;
  return discards ? Show::kHidden : Out(result);
}

}  // namespace net
