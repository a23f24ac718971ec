#include "fakes/preload/shared/call_regions.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "fakes/invocation.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/syscall_table.h"

namespace net::preload {
namespace {

// Longer addresses and option values are errors, or their end is not read.
constexpr size_t kLongestAddress = sizeof(sockaddr_storage);
constexpr size_t kLongestOption = 4096;
constexpr size_t kLongestControl = size_t{64} << 10;
constexpr size_t kMostBuffers = 1024;          // UIO_MAXIOV.
constexpr int64_t kMostDescriptors = 1 << 20;  // fs.nr_open.

template <typename T>
T* As(const Argument& argument) {
  return static_cast<T*>(const_cast<void*>(argument.pointer));
}

// Returns the pointer in an argument that is a number.
void* PointerIn(const Argument& argument) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): fcntl(2) and ioctl(2) have it
  return reinterpret_cast<void*>(argument.number);
}

// Returns the size of what the argument of fcntl(2) points to; 0: it is a
// number.
size_t SizeForFcntl(int64_t command) {
  switch (command) {
    case F_SETOWN_EX:
    case F_GETOWN_EX:
      return sizeof(f_owner_ex);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return sizeof(flock);
    default:
      return 0;
  }
}

// The same for ioctl(2), on files that the FakeKernel has.
size_t SizeForIoctl(uint64_t request) {
  constexpr uint64_t kFirstInterface = SIOCADDRT;
  constexpr uint64_t kLastInterface = 0x89ff;
  switch (request) {
    case SIOCGSTAMP_OLD:
    case SIOCGSTAMPNS_OLD:
      return sizeof(timespec);
    case SIOCGIFCONF:
      return sizeof(ifconf);
    default:
      break;
  }
  if (request > kFirstInterface && request <= kLastInterface) {
    return sizeof(ifreq);
  }
  const size_t size = _IOC_SIZE(request);
  return std::max(size, sizeof(int));
}

// Finds the regions of a call.
class Finder {
 public:
  Finder(absl::InlinedVector<Argument, 6>& arguments,
         std::vector<Region>& regions)
      : arguments_(arguments), regions_(regions) {}

  void FindAll() {
    for (size_t i = 0; i < arguments_.size(); ++i) Find(i);
  }

 private:
  using Back = Region::Back;

  // Returns the number in the argument after this one.
  size_t NumberAfter(size_t index) const {
    return index + 1 < arguments_.size()
               ? static_cast<size_t>(arguments_[index + 1].number)
               : 0;
  }
  // Returns the socklen_t to which the argument after this one points.
  size_t LengthAfter(size_t index) const {
    if (index + 1 >= arguments_.size()) return 0;
    const auto* const length = As<const int>(arguments_[index + 1]);
    if (!fake::IsUserAddress(length, sizeof(*length))) return 0;
    return static_cast<size_t>(std::max(*length, 0));
  }

  int Add(void* memory, size_t size, Back back, int parent, size_t place) {
    // What is no memory is passed as it is: the kernel checks it (EFAULT).
    if (!fake::IsUserAddress(memory)) return -1;
    if (!fake::IsUserAddress(memory, size)) size = 0;
    regions_.push_back({.memory = memory,
                        .size = size,
                        .back = back,
                        .parent = parent,
                        .place = place});
    return static_cast<int>(regions_.size()) - 1;
  }
  int AddArgument(size_t index, size_t size, Back back) {
    return Add(const_cast<void*>(arguments_[index].pointer), size, back,
               Region::kArguments, index);
  }

  // Data that a call reads or writes; the argument after it is the size.
  void AddData(size_t index, Back back) {
    size_t size = NumberAfter(index);
    const void* const memory = arguments_[index].pointer;
    if (fake::IsInUserSpace(memory, size) && size > kLongestData) {
      size = kLongestData;
      arguments_[index + 1].number = static_cast<int64_t>(size);
    }
    AddArgument(index, size, back);
  }

  void AddBuffers(iovec* buffers, size_t count, int parent, size_t place,
                  Back back) {
    count = std::min(count, kMostBuffers);
    const int array =
        Add(buffers, count * sizeof(iovec), Back::kNothing, parent, place);
    if (array < 0 || regions_.back().size == 0) return;
    for (size_t i = 0; i < count; ++i) {
      Add(buffers[i].iov_base, std::min(buffers[i].iov_len, kLongestData), back,
          array, i * sizeof(iovec) + offsetof(iovec, iov_base));
    }
  }

  // The memory of a msghdr, which is at `place` of the region `header`. `data`
  // is for its buffers, `other` for its name and control messages.
  void AddPartsOf(const msghdr& message, int header, size_t place, Back data,
                  Back other) {
    Add(message.msg_name,
        std::min<size_t>(message.msg_namelen, kLongestAddress), other, header,
        place + offsetof(msghdr, msg_name));
    Add(message.msg_control,
        std::min<size_t>(message.msg_controllen, kLongestControl), other,
        header, place + offsetof(msghdr, msg_control));
    AddBuffers(message.msg_iov, message.msg_iovlen, header,
               place + offsetof(msghdr, msg_iov), data);
  }

  // `data` is that of the buffers.
  void AddMessage(size_t index, Back data) {
    const Back other = data == Back::kNothing ? Back::kNothing : Back::kAll;
    const int header = AddArgument(index, sizeof(msghdr), other);
    if (header < 0) return;
    AddPartsOf(*As<const msghdr>(arguments_[index]), header, 0, data, other);
  }

  // The array of sendmmsg(2) and recvmmsg(2).
  void AddMessages(size_t index, Back parts) {
    const size_t count = std::min(NumberAfter(index), kMostBuffers);
    const int array = AddArgument(index, count * sizeof(mmsghdr), Back::kAll);
    if (array < 0 || regions_.back().size == 0) return;
    const auto* const messages = As<const mmsghdr>(arguments_[index]);
    for (size_t i = 0; i < count; ++i) {
      AddPartsOf(messages[i].msg_hdr, array,
                 i * sizeof(mmsghdr) + offsetof(mmsghdr, msg_hdr), parts,
                 parts);
    }
  }

  // A set of select(2), of which the kernel reads whole words.
  void AddSet(size_t index) {
    const auto count = static_cast<size_t>(
        std::clamp<int64_t>(arguments_.front().number, 0, kMostDescriptors));
    constexpr size_t kBits = 8 * sizeof(fd_mask);
    AddArgument(index, (count + kBits - 1) / kBits * sizeof(fd_mask),
                Back::kAll);
  }

  // The data of calls with MSG_TRUNC are not written, but are counted.
  Back BackOfReceived() const {
    for (const Argument& argument : arguments_) {
      if (argument.kind == ArgumentKind::kMessageFlags &&
          (argument.number & MSG_TRUNC) != 0) {
        return Back::kAll;
      }
    }
    return Back::kBytes;
  }

  // The value of an option, which can have a pointer: a filter's program.
  void AddOption(size_t index) {
    const size_t size = std::min(NumberAfter(index), kLongestOption);
    const int value = AddArgument(index, size, Back::kNothing);
    const int64_t name = arguments_[index - 1].number;
    const int64_t level = arguments_[index - 2].number;
    const bool is_filter =
        level == SOL_SOCKET &&
        (name == SO_ATTACH_FILTER || name == SO_ATTACH_REUSEPORT_CBPF);
    if (value < 0 || !is_filter || size != sizeof(sock_fprog)) return;
    const auto& program = *As<const sock_fprog>(arguments_[index]);
    Add(program.filter, program.len * sizeof(sock_filter), Back::kNothing,
        value, offsetof(sock_fprog, filter));
  }

  void AddControlled(size_t index, size_t size) {
    if (size == 0) return;
    const int region = Add(PointerIn(arguments_[index]), size, Back::kAll,
                           Region::kArguments, index);
    const auto request = static_cast<uint64_t>(arguments_[index - 1].number);
    const bool is_list =
        arguments_[index].kind == ArgumentKind::kIoctlArgument &&
        request == SIOCGIFCONF;
    if (region < 0 || !is_list) return;
    const auto& list =
        *static_cast<const ifconf*>(PointerIn(arguments_[index]));
    const auto room = static_cast<size_t>(std::max(list.ifc_len, 0));
    Add(list.ifc_buf, std::min(room, kLongestControl), Back::kAll, region,
        offsetof(ifconf, ifc_buf));
  }

  void Find(size_t index) {
    switch (arguments_[index].kind) {
      case ArgumentKind::kFd:
      case ArgumentKind::kNumber:
      case ArgumentKind::kSize:
      case ArgumentKind::kLength:
      case ArgumentKind::kDomain:
      case ArgumentKind::kSocketType:
      case ArgumentKind::kProtocol:
      case ArgumentKind::kAcceptFlags:
      case ArgumentKind::kShutdownHow:
      case ArgumentKind::kOptionLevel:
      case ArgumentKind::kOptionName:
      case ArgumentKind::kMessageFlags:
      case ArgumentKind::kEpollFlags:
      case ArgumentKind::kEpollOperation:
      case ArgumentKind::kFcntlCommand:
      case ArgumentKind::kIoctlRequest:
      case ArgumentKind::kOpenFlags:
      case ArgumentKind::kEventFdFlags:
      case ArgumentKind::kTimerFlags:
      case ArgumentKind::kSpliceFlags:
      case ArgumentKind::kClock:
        return;
      case ArgumentKind::kFcntlArgument:
        return AddControlled(index, SizeForFcntl(arguments_[index - 1].number));
      case ArgumentKind::kIoctlArgument:
        return AddControlled(
            index,
            SizeForIoctl(static_cast<uint64_t>(arguments_[index - 1].number)));
      case ArgumentKind::kAddressIn:
        AddArgument(index, std::min(NumberAfter(index), kLongestAddress),
                    Back::kNothing);
        return;
      case ArgumentKind::kAddressOut:
      case ArgumentKind::kAddressOutOrNull:
        AddArgument(index, std::min(LengthAfter(index), kLongestAddress),
                    Back::kAll);
        return;
      case ArgumentKind::kLengthInOut:
        AddArgument(index, sizeof(socklen_t), Back::kAll);
        return;
      case ArgumentKind::kOptionIn:
        return AddOption(index);
      case ArgumentKind::kOptionOut:
        AddArgument(index, std::min(LengthAfter(index), kLongestOption),
                    Back::kAll);
        return;
      case ArgumentKind::kDataIn:
        return AddData(index, Back::kNothing);
      case ArgumentKind::kDataOut:
        return AddData(index, BackOfReceived());
      case ArgumentKind::kMessageIn:
        return AddMessage(index, Back::kNothing);
      case ArgumentKind::kMessageOut:
        return AddMessage(index, BackOfReceived());
      case ArgumentKind::kBuffersIn:
      case ArgumentKind::kBuffersOut:
        return AddBuffers(As<iovec>(arguments_[index]), NumberAfter(index),
                          Region::kArguments, index,
                          arguments_[index].kind == ArgumentKind::kBuffersIn
                              ? Back::kNothing
                              : Back::kBytes);
      case ArgumentKind::kMessagesIn:
        return AddMessages(index, Back::kNothing);
      case ArgumentKind::kMessagesOut:
        return AddMessages(index, Back::kAll);
      case ArgumentKind::kFdSet:
        return AddSet(index);
      case ArgumentKind::kPollSet:
        AddArgument(index, NumberAfter(index) * sizeof(pollfd), Back::kAll);
        return;
      case ArgumentKind::kEpollEventIn:
        AddArgument(index, sizeof(epoll_event), Back::kNothing);
        return;
      case ArgumentKind::kEpollEventsOut:
        AddArgument(index, NumberAfter(index) * sizeof(epoll_event),
                    Back::kEvents);
        return;
      case ArgumentKind::kTimeIn:
        AddArgument(index, sizeof(timespec), Back::kNothing);
        return;
      case ArgumentKind::kTimeOut:
      case ArgumentKind::kTimeLeft:
      case ArgumentKind::kTimeInOut:
        AddArgument(index, sizeof(timespec), Back::kAll);
        return;
      case ArgumentKind::kTimevalInOut:
        AddArgument(index, sizeof(timeval), Back::kAll);
        return;
      case ArgumentKind::kTimerIn:
        AddArgument(index, sizeof(itimerspec), Back::kNothing);
        return;
      case ArgumentKind::kTimerOut:
        AddArgument(index, sizeof(itimerspec), Back::kAll);
        return;
      case ArgumentKind::kSignalsIn:
        AddArgument(index, sizeof(sigset_t), Back::kNothing);
        return;
      case ArgumentKind::kFdPairOut:
        AddArgument(index, 2 * sizeof(int), Back::kAll);
        return;
      case ArgumentKind::kOffsetInOut:
        AddArgument(index, sizeof(loff_t), Back::kAll);
        return;
    }
  }

  absl::InlinedVector<Argument, 6>& arguments_;
  std::vector<Region>& regions_;
};

}  // namespace

std::vector<Region> FindRegions(absl::InlinedVector<Argument, 6>& arguments) {
  std::vector<Region> regions;
  Finder(arguments, regions).FindAll();
  return regions;
}

}  // namespace net::preload
