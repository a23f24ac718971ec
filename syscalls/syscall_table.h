#ifndef SYSCALLS_SYSCALL_TABLE_H_
#define SYSCALLS_SYSCALL_TABLE_H_

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "syscalls/require_cxx20.h"

// Argument types, argument kinds and result kinds of the rows of
// syscalls/syscall_table.inc, and macros that turn a row into C++.

namespace net {

// The meaning of an argument of a system call, in addition to its type.
enum class ArgumentKind {
  // Numbers.
  kFd,
  kNumber,  // A count, a timeout in ms.
  kSize,    // An unsigned count or number of bytes.
  kLength,  // A socklen_t, which the kernel reads as an int.
  kDomain,
  kSocketType,
  kProtocol,
  kAcceptFlags,
  kShutdownHow,
  kOptionLevel,
  kOptionName,  // Comes after a kOptionLevel.
  kMessageFlags,
  kEpollFlags,
  kEpollOperation,
  kFcntlCommand,
  kFcntlArgument,  // Comes after a kFcntlCommand.
  kIoctlRequest,
  kIoctlArgument,  // Comes after a kIoctlRequest.
  kOpenFlags,
  kEventFdFlags,
  kTimerFlags,  // Of timerfd_settime(2).
  kSpliceFlags,
  kClock,

  // Pointers. In: the call reads the target. Out: a successful call fills it
  // in. The argument after an address, an option value, data or a poll set is
  // its size.
  kAddressIn,
  kAddressOut,
  kAddressOutOrNull,  // If null, the kernel ignores the length, too.
  kLengthInOut,
  kOptionIn,
  kOptionOut,
  kDataIn,
  kDataOut,
  kMessageIn,
  kMessageOut,
  kBuffersIn,  // An array of iovec; the argument after it is their number.
  kBuffersOut,
  kMessagesIn,  // An array of mmsghdr; the argument after it is their number.
  kMessagesOut,
  kPollSet,
  kFdSet,  // The call keeps the ready ones. The first argument limits it.
  kEpollEventIn,
  kEpollEventsOut,
  kTimeIn,
  kTimeOut,
  kTimeLeft,   // Filled in by a call that fails with EINTR.
  kTimeInOut,  // A timespec. The call sets it to the time that is left.
  kTimevalInOut,
  kTimerIn,  // An itimerspec.
  kTimerOut,
  kSignalsIn,
  kFdPairOut,
  kOffsetInOut,  // A position in a file, which the call advances.
};

// The meaning of the value that a successful system call returns.
enum class ResultKind { kValue, kDescriptor };

}  // namespace net

// Turn the arguments of a row, (int, fd, Fd), (size_t, size, Size), into
//
//   NET_SYSCALL_PARAMETERS  int fd, size_t size
//   NET_SYSCALL_TYPES       int, size_t
//   NET_SYSCALL_NAMES       fd, size
#define NET_SYSCALL_PARAMETERS(...) \
  NET_SYSCALL_EACH(NET_SYSCALL_PARAMETER, NET_SYSCALL_COMMA, __VA_ARGS__)
#define NET_SYSCALL_TYPES(...) \
  NET_SYSCALL_EACH(NET_SYSCALL_TYPE, NET_SYSCALL_COMMA, __VA_ARGS__)
#define NET_SYSCALL_NAMES(...) \
  NET_SYSCALL_EACH(NET_SYSCALL_NAME, NET_SYSCALL_COMMA, __VA_ARGS__)

// NET_SYSCALL_EACH(M, S, (a...), (b...)) is M(a...) S() M(b...), for one to six
// arguments.
#define NET_SYSCALL_EACH(macro, separator, ...)                                \
  NET_SYSCALL_PICK(__VA_ARGS__, NET_SYSCALL_EACH_6, NET_SYSCALL_EACH_5,        \
                   NET_SYSCALL_EACH_4, NET_SYSCALL_EACH_3, NET_SYSCALL_EACH_2, \
                   NET_SYSCALL_EACH_1, )                                       \
  (macro, separator, __VA_ARGS__)
#define NET_SYSCALL_PICK(a1, a2, a3, a4, a5, a6, picked, ...) picked

#define NET_SYSCALL_COMMA() ,
#define NET_SYSCALL_NOTHING()
#define NET_SYSCALL_PARAMETER(type, name, kind) type name
#define NET_SYSCALL_TYPE(type, name, kind) type
#define NET_SYSCALL_NAME(type, name, kind) name

#define NET_SYSCALL_EACH_1(m, s, a) m a
#define NET_SYSCALL_EACH_2(m, s, a, ...) \
  m a s() NET_SYSCALL_EACH_1(m, s, __VA_ARGS__)
#define NET_SYSCALL_EACH_3(m, s, a, ...) \
  m a s() NET_SYSCALL_EACH_2(m, s, __VA_ARGS__)
#define NET_SYSCALL_EACH_4(m, s, a, ...) \
  m a s() NET_SYSCALL_EACH_3(m, s, __VA_ARGS__)
#define NET_SYSCALL_EACH_5(m, s, a, ...) \
  m a s() NET_SYSCALL_EACH_4(m, s, __VA_ARGS__)
#define NET_SYSCALL_EACH_6(m, s, a, ...) \
  m a s() NET_SYSCALL_EACH_5(m, s, __VA_ARGS__)

#endif  // SYSCALLS_SYSCALL_TABLE_H_
