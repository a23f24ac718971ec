// The sizes of the targets of a call's arguments.

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <optional>

#include "absl/strings/string_view.h"
#include "fakes/argument_text.h"
#include "fakes/faults/call_record.h"
#include "fakes/fd_sets.h"
#include "syscalls/syscall_table.h"

namespace net {
namespace {

constexpr int64_t kMostDescriptors = 1 << 20;  // fs.nr_open of Linux.
constexpr size_t kKernelSignalsSize = 8;       // The kernel's sigset_t.

int64_t NumberOf(const CallRecord& record, ArgumentKind kind) {
  const size_t i = ArgumentIndex(record.call, kind);
  return i < ArgumentKindsOf(record.call).size() ? record.arguments[i].number
                                                 : 0;
}

// The number of bytes that a successful call has filled in at `i`. The next
// argument is their length.
size_t FilledBytes(const CallRecord& record, size_t i) {
  const absl::string_view target = record.Target(i + 1);
  socklen_t length = 0;
  if (target.size() != sizeof(length)) return 0;
  std::memcpy(&length, target.data(), sizeof(length));
  return std::min(length,
                  static_cast<socklen_t>(record.arguments[i + 1].number));
}

// Returns the size of a target that a successful call fills in.
std::optional<size_t> SizeOfOut(const CallRecord& record, size_t i) {
  const auto count = static_cast<size_t>(record.result.value());
  switch (ArgumentKindsOf(record.call)[i]) {
    case ArgumentKind::kAddressOut:
    case ArgumentKind::kAddressOutOrNull:
    case ArgumentKind::kOptionOut:
      return FilledBytes(record, i);
    case ArgumentKind::kDataOut:
      if (DiscardsData(record)) return std::nullopt;
      return std::min(count,
                      static_cast<size_t>(record.arguments[i + 1].number));
    case ArgumentKind::kEpollEventsOut:
      return count * sizeof(epoll_event);
    case ArgumentKind::kTimeOut:
      return sizeof(timespec);
    case ArgumentKind::kTimerOut:
      return sizeof(itimerspec);
    case ArgumentKind::kFdPairOut:
      return 2 * sizeof(int);
    default:
      return std::nullopt;
  }
}

// Returns the size of a target that the call changes, before and after.
std::optional<size_t> SizeOfChanged(const CallRecord& record, size_t i) {
  switch (ArgumentKindsOf(record.call)[i]) {
    case ArgumentKind::kTimeInOut:
      return sizeof(timespec);
    case ArgumentKind::kTimevalInOut:
      return sizeof(timeval);
    case ArgumentKind::kOffsetInOut:
      return sizeof(loff_t);
    default: {
      const int64_t count = record.arguments.front().number;
      if (count > kMostDescriptors) return std::nullopt;
      return FdSetSize(static_cast<int>(count));
    }
  }
}

std::optional<size_t> SizeOfIoctl(const CallRecord& record) {
  switch (NumberOf(record, ArgumentKind::kIoctlRequest)) {
    case FIONBIO:
      return sizeof(int);
    case FIONREAD:
    case SIOCOUTQ:
    case SIOCOUTQNSD:
      if (record.result.ok()) return sizeof(int);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

bool DiscardsData(const CallRecord& record) {
  return (NumberOf(record, ArgumentKind::kMessageFlags) & MSG_TRUNC) != 0;
}

std::optional<size_t> TargetSize(const CallRecord& record, size_t argument) {
  const int error = record.result.error();
  if (error == EFAULT) return std::nullopt;
  const auto size_after = [&] {
    return static_cast<size_t>(record.arguments[argument + 1].number);
  };
  switch (ArgumentKindsOf(record.call)[argument]) {
    case ArgumentKind::kAddressIn: {
      const size_t size = static_cast<socklen_t>(size_after());
      if (size > sizeof(sockaddr_storage)) return std::nullopt;
      return size;
    }
    case ArgumentKind::kLengthInOut:
      return sizeof(socklen_t);
    case ArgumentKind::kOptionIn:
      return OptionSize(
          static_cast<int>(NumberOf(record, ArgumentKind::kOptionLevel)),
          static_cast<int>(NumberOf(record, ArgumentKind::kOptionName)),
          static_cast<socklen_t>(size_after()));
    case ArgumentKind::kDataIn:
      return size_after();
    case ArgumentKind::kPollSet:
      // EINVAL: too many for the kernel to read them.
      if (error == EINVAL) return std::nullopt;
      return size_after() * sizeof(pollfd);
    case ArgumentKind::kEpollEventIn:
      // The kernel ignores the event of EPOLL_CTL_DEL.
      if (NumberOf(record, ArgumentKind::kEpollOperation) == EPOLL_CTL_DEL) {
        return std::nullopt;
      }
      return sizeof(epoll_event);
    case ArgumentKind::kFdSet:
    case ArgumentKind::kTimeInOut:
    case ArgumentKind::kTimevalInOut:
    case ArgumentKind::kOffsetInOut: {
      const std::optional<size_t> size = SizeOfChanged(record, argument);
      if (!size.has_value()) return std::nullopt;
      return 2 * *size;
    }
    case ArgumentKind::kTimeIn:
      return sizeof(timespec);
    case ArgumentKind::kTimerIn:
      return sizeof(itimerspec);
    case ArgumentKind::kTimeLeft:
      if (error != EINTR) return std::nullopt;
      return sizeof(timespec);
    case ArgumentKind::kSignalsIn:
      return kKernelSignalsSize;
    case ArgumentKind::kIoctlArgument:
      return SizeOfIoctl(record);
    default:
      if (!record.result.ok()) return std::nullopt;
      return SizeOfOut(record, argument);
  }
}

}  // namespace net
