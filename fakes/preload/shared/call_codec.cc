#include "fakes/preload/shared/call_codec.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "fakes/kernel/user_memory.h"
#include "fakes/preload/shared/message.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net::preload {
namespace {

// The largest buffer that is copied. Longer ones are read and written in part,
// as by a call that a signal interrupts.
constexpr size_t kLongestData = size_t{1} << 30;
// Longer addresses and option values are errors, or their end is not read.
constexpr size_t kLongestAddress = sizeof(sockaddr_storage);
constexpr size_t kLongestOption = 4096;
constexpr size_t kLongestControl = size_t{64} << 10;
constexpr size_t kMostBuffers = 1024;  // UIO_MAXIOV.
// Behind each copy: the kernel reads some structures whole, whatever the length
// is that the program has passed.
constexpr size_t kSlack = 128;
constexpr size_t kPointerSize = sizeof(void*);

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

}  // namespace

// Finds the regions of a call.
class ClientCall::Finder {
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

  // `back` is that of the data.
  void AddMessage(size_t index, Back back) {
    const bool is_read = back == Back::kNothing;
    const Back other = is_read ? Back::kNothing : Back::kAll;
    const int header = AddArgument(index, sizeof(msghdr), other);
    if (header < 0) return;
    const auto& message = *As<const msghdr>(arguments_[index]);
    const size_t name = std::min<size_t>(message.msg_namelen, kLongestAddress);
    Add(message.msg_name, name, other, header, offsetof(msghdr, msg_name));
    Add(message.msg_control,
        std::min<size_t>(message.msg_controllen, kLongestControl), other,
        header, offsetof(msghdr, msg_control));
    AddBuffers(message.msg_iov, message.msg_iovlen, header,
               offsetof(msghdr, msg_iov), back);
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
        AddArgument(index, sizeof(timespec), Back::kAll);
        return;
      case ArgumentKind::kSignalsIn:
        AddArgument(index, sizeof(sigset_t), Back::kNothing);
        return;
      case ArgumentKind::kFdPairOut:
        AddArgument(index, 2 * sizeof(int), Back::kAll);
        return;
      case ArgumentKind::kPointer:
        // No call has one yet. The kernel would follow it in its own memory.
        arguments_[index].pointer = nullptr;
        return;
    }
  }

  absl::InlinedVector<Argument, 6>& arguments_;
  std::vector<Region>& regions_;
};

ClientCall::ClientCall(const Invocation& invocation)
    : call_(invocation.call()), arguments_(invocation.List()) {
  Finder(arguments_, regions_).FindAll();
}

void ClientCall::Put(MessageWriter& message) const {
  message.Put(static_cast<uint32_t>(call_));
  for (const Argument& argument : arguments_) {
    message.Put(
        argument.pointer != nullptr
            ? static_cast<int64_t>(reinterpret_cast<intptr_t>(argument.pointer))
            : argument.number);
  }
  message.Put(static_cast<uint32_t>(regions_.size()));
  for (const Region& region : regions_) {
    message.Put(region.back)
        .Put(static_cast<int32_t>(region.parent))
        .Put(static_cast<uint64_t>(region.place))
        .Put(static_cast<uint64_t>(region.size));
    if (region.is_sent()) message.PutBytes(region.memory, region.size);
  }
}

SysResult ClientCall::TakeResult(MessageReader& message) const {
  const auto result = message.Take<SysResult>();
  for (const Region& region : regions_) {
    if (region.back == Region::Back::kNothing) continue;
    const absl::string_view bytes = message.TakeBytes();
    const size_t size = std::min(bytes.size(), region.size);
    // Memory that the call only reads may be read-only.
    if (size > 0 && std::memcmp(region.memory, bytes.data(), size) != 0) {
      std::memcpy(region.memory, bytes.data(), size);
    }
  }
  return result;
}

// --- The server's side

namespace {

template <typename T>
T FromWord(int64_t word) {
  if constexpr (std::is_pointer_v<T>) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): words carry pointers
    return reinterpret_cast<T>(word);
  } else {
    return static_cast<T>(word);
  }
}

#define NET_KIND(type, name, kind) ArgumentKind::k##kind
constexpr size_t kArgumentCounts[] = {
#define NET_SYSCALL(method, name, result, ...)                    \
  std::initializer_list<ArgumentKind>{                            \
      NET_SYSCALL_EACH(NET_KIND, NET_SYSCALL_COMMA, __VA_ARGS__)} \
      .size(),
#include "syscalls/syscall_table.inc"
};
#undef NET_KIND

// Returns the call with the arguments.
#define NET_FROM_WORD(type, name, kind) FromWord<type>(*word++)
Invocation MakeInvocation(Call call, const int64_t* word) {
  switch (call) {
#define NET_SYSCALL(method, name, result, ...)    \
  case Call::k##method:                           \
    return Invocation(Arguments<Call::k##method>{ \
        NET_SYSCALL_EACH(NET_FROM_WORD, NET_SYSCALL_COMMA, __VA_ARGS__)});
#include "syscalls/syscall_table.inc"
  }
  return Invocation(Arguments<Call::kClose>{-1});
}
#undef NET_FROM_WORD

}  // namespace

std::optional<ServerCall> ServerCall::Take(MessageReader& message) {
  const auto call = message.Take<uint32_t>();
  if (call >= kCallCount) return std::nullopt;
  int64_t words[6] = {};
  for (size_t i = 0; i < kArgumentCounts[call]; ++i) {
    words[i] = message.Take<int64_t>();
  }
  ServerCall taken;
  const auto count = message.Take<uint32_t>();
  for (uint32_t i = 0; i < count; ++i) {
    Region region;
    region.back = message.Take<Region::Back>();
    region.parent = message.Take<int32_t>();
    region.place = message.Take<uint64_t>();
    region.size = message.Take<uint64_t>();
    if (region.size > kLongestData) return std::nullopt;
    Copy copy = {
        .bytes = std::unique_ptr<char[]>(new char[region.size + kSlack]),
        .size = region.size,
        .back = region.back,
        .place = nullptr,
        .client_pointer = {}};
    char* const bytes = copy.bytes.get();
    if (region.is_sent()) {
      const absl::string_view sent = message.TakeBytes();
      if (sent.size() != region.size) return std::nullopt;
      std::memcpy(bytes, sent.data(), sent.size());
      std::memset(bytes + region.size, 0, kSlack);
    }
    if (region.parent == Region::kArguments) {
      if (region.place >= std::size(words)) return std::nullopt;
      words[region.place] =
          static_cast<int64_t>(reinterpret_cast<intptr_t>(bytes));
    } else {
      const auto parent = static_cast<size_t>(region.parent);
      if (parent >= taken.copies_.size() ||
          region.place + kPointerSize > taken.copies_[parent].size) {
        return std::nullopt;
      }
      copy.place = taken.copies_[parent].bytes.get() + region.place;
      std::memcpy(copy.client_pointer.data(), copy.place, kPointerSize);
      std::memcpy(copy.place, &bytes, kPointerSize);
    }
    taken.copies_.push_back(std::move(copy));
  }
  taken.invocation_ = MakeInvocation(static_cast<Call>(call), words);
  return taken;
}

void ServerCall::PutResult(SysResult result, MessageWriter& message) {
  message.Put(result);
  // The client's structures keep their pointers.
  for (const Copy& copy : copies_) {
    if (copy.place == nullptr) continue;
    std::memcpy(copy.place, copy.client_pointer.data(), kPointerSize);
  }
  size_t left = result.ok() ? static_cast<size_t>(result.value()) : 0;
  for (const Copy& copy : copies_) {
    size_t size = copy.size;
    switch (copy.back) {
      case Region::Back::kNothing:
        continue;
      case Region::Back::kAll:
        break;
      case Region::Back::kBytes:
        size = std::min(left, size);
        left -= size;
        break;
      case Region::Back::kEvents:
        size = std::min(left * sizeof(epoll_event), size);
        break;
    }
    message.PutBytes(copy.bytes.get(), size);
  }
}

}  // namespace net::preload
