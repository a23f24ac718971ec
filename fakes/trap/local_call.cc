#include "fakes/trap/local_call.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/faults/applicable.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/process.h"
#include "fakes/trap/trapped_call.h"
#include "syscalls/syscall_table.h"

namespace net::trap {
namespace {

// The most memory that is copied for a call. The kernel makes calls with more.
constexpr uint64_t kMostMemory = uint64_t{64} << 20;
constexpr uint64_t kMostOption = 65536;
constexpr uint64_t kMostPolled = 1024;
// The kernel copies no more of an address than it has (sys/socket.h).
constexpr uint64_t kAddressRoom = sizeof(sockaddr_storage);

uint64_t AsArgument(const void* pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

bool HasPointerInside(int level, int option) {
  return level == SOL_SOCKET &&
         (option == SO_ATTACH_FILTER || option == SO_ATTACH_REUSEPORT_CBPF);
}

// Returns the argument that says SOCK_CLOEXEC, O_CLOEXEC and their like, or -1.
int CloexecIndex(SyscallId call) {
  switch (call) {
    case SyscallId::kEpollCreate1:
      return 0;
    case SyscallId::kSocket:
    case SyscallId::kEventFd:
    case SyscallId::kTimerFdCreate:
      return 1;
    case SyscallId::kAccept4:
      return 3;
    default:
      return -1;
  }
}

}  // namespace

bool LocalCall::Prepare(const Limits& limits) {
  address_limit_ = limits.address;
  switch (call_.call) {
    case SyscallId::kEpollCtl:
    case SyscallId::kSendMMsg:
    case SyscallId::kRecvMMsg:
    case SyscallId::kSelect:
    case SyscallId::kPSelect6:
      return false;
    case SyscallId::kDup:
      return PrepareDescriptor(0);
    case SyscallId::kDup3:
      return call_.Int(0) != call_.Int(1) && PrepareDescriptor(0);
    default:
      break;
  }
  for (size_t i = 0; i < KindsOf(call_.call).size(); ++i) {
    if (!PrepareArgument(i, limits)) return false;
  }
  return true;
}

bool LocalCall::PrepareArgument(size_t i, const Limits& limits) {
  const uint64_t value = call_.arguments[i];
  const uint64_t next = i + 1 < 6 ? call_.arguments[i + 1] : 0;
  arguments_[i] = value;
  switch (KindsOf(call_.call)[i]) {
    case ArgumentKind::kFd:
      return PrepareDescriptor(i);
    case ArgumentKind::kAddressIn:
      // The kernel checks the length before it reads.
      return static_cast<uint32_t>(next) > kAddressRoom ||
             CopyIn(i, static_cast<uint32_t>(next));
    case ArgumentKind::kAddressOut:
    case ArgumentKind::kAddressOutOrNull:
      return MakeRoom(i, kAddressRoom, Output::kCounted);
    case ArgumentKind::kLengthInOut:
      return PrepareLength(i);
    case ArgumentKind::kOptionIn:
      return !HasPointerInside(call_.Int(1), call_.Int(2)) &&
             static_cast<uint32_t>(next) <= kMostOption &&
             CopyIn(i, static_cast<uint32_t>(next));
    case ArgumentKind::kOptionOut:
      // Its room is made when the length is known.
      return true;
    case ArgumentKind::kDataIn:
      return PrepareData(i, Output::kNone, limits);
    case ArgumentKind::kDataOut:
      return PrepareData(i, Output::kData, limits);
    case ArgumentKind::kMessageIn:
    case ArgumentKind::kMessageOut:
      return PrepareMessage(i, limits);
    case ArgumentKind::kPollSet:
      return PreparePoll(i);
    case ArgumentKind::kEpollEventsOut:
      // The kernel checks the number before it writes.
      return call_.Int(i + 1) <= 0 ||
             MakeRoom(
                 i,
                 static_cast<uint64_t>(call_.Int(i + 1)) * sizeof(epoll_event),
                 Output::kEvents);
    case ArgumentKind::kTimeIn:
      return CopyIn(i, sizeof(timespec));
    case ArgumentKind::kSignalsIn:
      return value == 0;
    case ArgumentKind::kFcntlArgument:
    case ArgumentKind::kIoctlArgument:
      return PrepareControl(i);
    case ArgumentKind::kBuffersIn:
    case ArgumentKind::kBuffersOut:
      if (!PrepareBuffers(value, next, call_.call == SyscallId::kReadV,
                          limits)) {
        return false;
      }
      arguments_[i] = AsArgument(buffers_.data());
      return true;
    case ArgumentKind::kPointer:
      // The offsets of sendfile(2) and splice(2).
      return CopyIn(i, sizeof(int64_t), Output::kAll);
    case ArgumentKind::kEpollEventIn:
    case ArgumentKind::kTimeOut:
    case ArgumentKind::kTimeLeft:
    case ArgumentKind::kFdPairOut:
      return false;
    case ArgumentKind::kSize:
      if (MovesBytes(call_.call)) {
        arguments_[i] = std::min<uint64_t>(value, limits.bytes);
      }
      return true;
    default:  // A number.
      return true;
  }
}

bool LocalCall::PrepareDescriptor(size_t i) {
  OwnedFd duplicate(process_->Duplicate(call_.Int(i)));
  if (!duplicate.ok()) return false;
  arguments_[i] = static_cast<uint64_t>(duplicate.get());
  duplicates_.push_back(std::move(duplicate));
  return true;
}

bool LocalCall::PrepareLength(size_t i) {
  // Without an address the kernel ignores the length, too.
  const bool is_option = call_.call == SyscallId::kGetSockOpt;
  if (call_.arguments[i - 1] == 0 && !is_option) return true;
  if (call_.arguments[i] == 0) return false;
  if (!CopyIn(i, sizeof(socklen_t), Output::kAll)) return false;
  length_ = copies_.back().get();
  length_before_ = Length();
  if (!is_option) return true;
  return Length() <= kMostOption && MakeRoom(i - 1, Length(), Output::kCounted);
}

bool LocalCall::PrepareControl(size_t i) {
  const uint64_t operation = call_.arguments[i - 1];
  if (call_.call == SyscallId::kFcntl) {
    return operation == F_GETFL || operation == F_SETFL;
  }
  switch (operation) {
    case FIONBIO:
      return CopyIn(i, sizeof(int));
    case FIONREAD:
    case SIOCOUTQ:
    case SIOCOUTQNSD:
      return MakeRoom(i, sizeof(int), Output::kAll);
    default:
      return false;
  }
}

bool LocalCall::PrepareData(size_t i, Output output, const Limits& limits) {
  const uint64_t size =
      std::min<uint64_t>(call_.arguments[i + 1], limits.bytes);
  return output == Output::kNone ? CopyIn(i, size) : MakeRoom(i, size, output);
}

bool LocalCall::PreparePoll(size_t i) {
  const uint64_t count = call_.arguments[i + 1];
  if (count > kMostPolled) return false;
  if (!CopyIn(i, count * sizeof(pollfd), Output::kNone)) return false;
  if (call_.arguments[i] == 0) return true;
  poll_ = copies_.back().get();
  poll_set_.resize(count);
  std::memcpy(poll_set_.data(), poll_->bytes.data(), poll_->bytes.size());
  for (pollfd& one : poll_set_) {
    if (one.fd < 0) continue;
    OwnedFd duplicate(process_->Duplicate(one.fd));
    // A number that is not open here either: POLLNVAL.
    one.fd = duplicate.ok() ? duplicate.get() : INT_MAX;
    if (duplicate.ok()) duplicates_.push_back(std::move(duplicate));
  }
  arguments_[i] = AsArgument(poll_set_.data());
  return true;
}

bool LocalCall::PrepareMessage(size_t i, const Limits& limits) {
  if (!ReadMemory(call_.thread, call_.arguments[i], &message_,
                  sizeof(message_))) {
    return false;
  }
  const bool receives = KindsOf(call_.call)[i] == ArgumentKind::kMessageOut;
  const uint64_t buffers = AsArgument(message_.msg_iov);
  if (!PrepareBuffers(buffers, message_.msg_iovlen, receives, limits)) {
    return false;
  }
  message_.msg_iov = buffers_.data();
  if (message_.msg_control != nullptr) {
    control_ = Add(AsArgument(message_.msg_control), message_.msg_controllen,
                   !receives, Output::kNone);
    if (control_ == nullptr) return false;
    message_.msg_control = control_->bytes.data();
  }
  if (message_.msg_name != nullptr) {
    name_ = Add(AsArgument(message_.msg_name),
                std::min<uint64_t>(message_.msg_namelen, kAddressRoom),
                !receives, Output::kNone);
    if (name_ == nullptr) return false;
    message_.msg_name = name_->bytes.data();
    message_.msg_namelen = static_cast<socklen_t>(name_->bytes.size());
  }
  arguments_[i] = AsArgument(&message_);
  return true;
}

bool LocalCall::PrepareBuffers(uint64_t address, uint64_t count, bool receives,
                               const Limits& limits) {
  if (count > IOV_MAX) return false;
  receives_ = receives;
  remote_buffers_.resize(count);
  if (count > 0 && !ReadMemory(call_.thread, address, remote_buffers_.data(),
                               count * sizeof(iovec))) {
    return false;
  }
  uint64_t rest = limits.bytes;
  for (const iovec& remote : remote_buffers_) {
    const uint64_t size = std::min<uint64_t>(remote.iov_len, rest);
    rest -= size;
    Copy* const copy =
        Add(AsArgument(remote.iov_base), size, !receives, Output::kNone);
    if (copy == nullptr) return false;
    buffers_.push_back({.iov_base = copy->bytes.data(), .iov_len = size});
  }
  return true;
}

bool LocalCall::CopyIn(size_t i, uint64_t size, Output output) {
  const uint64_t address = call_.arguments[i];
  if (address == 0) return true;
  const Copy* const copy = Add(address, size, /*read=*/true, output);
  if (copy == nullptr) return false;
  arguments_[i] = AsArgument(copy->bytes.data());
  return true;
}

bool LocalCall::MakeRoom(size_t i, uint64_t size, Output output) {
  const uint64_t address = call_.arguments[i];
  if (address == 0) return true;
  const Copy* const copy = Add(address, size, /*read=*/false, output);
  if (copy == nullptr) return false;
  arguments_[i] = AsArgument(copy->bytes.data());
  return true;
}

LocalCall::Copy* LocalCall::Add(uint64_t address, uint64_t size, bool read,
                                Output output) {
  if (size > kMostMemory - total_) return nullptr;
  total_ += size;
  auto copy = std::make_unique<Copy>();
  copy->address = address;
  copy->output = output;
  copy->bytes.resize(size);
  if (read && size > 0 &&
      !ReadMemory(call_.thread, address, copy->bytes.data(), size)) {
    return nullptr;
  }
  copies_.push_back(std::move(copy));
  return copies_.back().get();
}

socklen_t LocalCall::Length() const {
  socklen_t length = 0;
  if (length_ != nullptr) {
    std::memcpy(&length, length_->bytes.data(), sizeof(length));
  }
  return length;
}

bool LocalCall::MayBlock() const {
  const SyscallId id = call_.call;
  const absl::string_view family = FamilyOf(id);
  if (family == "poll") {
    // A null timeout, or -1, is none; 0 does not wait.
    return id == SyscallId::kPPoll || id == SyscallId::kEpollPWait2 ||
           call_.Int(id == SyscallId::kPoll ? 2 : 3) != 0;
  }
  const bool waits = family == "accept" || family == "send" ||
                     family == "recv" || id == SyscallId::kConnect ||
                     id == SyscallId::kSplice;
  if (!waits) return false;
  if ((MessageFlagsOf(call_) & MSG_DONTWAIT) != 0) return false;
  const int status = fcntl(fd(), F_GETFL);
  return status < 0 || (status & O_NONBLOCK) == 0;
}

int64_t LocalCall::Make() {
  std::array<uint64_t, 6> a = arguments_;
  int number = NumberOf(call_.call);
  switch (call_.call) {
    case SyscallId::kAccept:  // accept4(2) with close-on-exec here
      number = SYS_accept4;
      a[3] = SOCK_CLOEXEC;
      break;
    case SyscallId::kDup:
    case SyscallId::kDup3:
      number = SYS_fcntl;
      a = {arguments_[0], F_DUPFD_CLOEXEC, 0, 0, 0, 0};
      break;
    default:
      break;
  }
  const int cloexec = CloexecIndex(call_.call);
  // SOCK_CLOEXEC, EPOLL_CLOEXEC, EFD_CLOEXEC and TFD_CLOEXEC are O_CLOEXEC.
  if (cloexec >= 0) a[static_cast<size_t>(cloexec)] |= O_CLOEXEC;
  const int64_t result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  return result < 0 ? -errno : result;
}

void LocalCall::SetOptionValue(int value) {
  for (const std::unique_ptr<Copy>& copy : copies_) {
    if (copy->output != Output::kCounted) continue;
    std::memcpy(copy->bytes.data(), &value,
                std::min(sizeof(value), copy->bytes.size()));
  }
}

bool LocalCall::WriteOutputs(int64_t result) const {
  if (result < 0) return true;
  for (const std::unique_ptr<Copy>& copy : copies_) {
    const size_t size = FilledBytes(*copy, result);
    if (size > 0 &&
        !WriteMemory(call_.thread, copy->address, copy->bytes.data(), size)) {
      return false;
    }
  }
  if (poll_ != nullptr && !WritePoll()) return false;
  if (receives_ && !WriteBuffers(result)) return false;
  return call_.call != SyscallId::kRecvMsg || WriteMessage();
}

size_t LocalCall::FilledBytes(const Copy& copy, int64_t result) const {
  const auto count = static_cast<size_t>(result);
  size_t filled = 0;
  switch (copy.output) {
    case Output::kNone:
      break;
    case Output::kData: {
      // MSG_TRUNC discards the data.
      const bool is_recv = call_.call != SyscallId::kRead;
      filled = is_recv && (call_.Int(3) & MSG_TRUNC) != 0 ? 0 : count;
      break;
    }
    case Output::kCounted: {
      const bool is_address = call_.call != SyscallId::kGetSockOpt;
      const size_t before = length_before_;
      filled = std::min<size_t>(
          {Length(), before, is_address ? address_limit_ : SIZE_MAX});
      break;
    }
    case Output::kEvents:
      filled = count * sizeof(epoll_event);
      break;
    case Output::kAll:
      filled = copy.bytes.size();
      break;
  }
  return std::min(filled, copy.bytes.size());
}

bool LocalCall::WriteBuffers(int64_t result) const {
  auto rest = static_cast<size_t>(result);
  for (size_t i = 0; i < buffers_.size() && rest > 0; ++i) {
    const size_t size = std::min(rest, buffers_[i].iov_len);
    rest -= size;
    if (size > 0 &&
        !WriteMemory(call_.thread, AsArgument(remote_buffers_[i].iov_base),
                     buffers_[i].iov_base, size)) {
      return false;
    }
  }
  return true;
}

bool LocalCall::WriteMessage() const {
  const uint64_t address = call_.arguments[1];
  const auto write = [&](size_t offset, const void* from, size_t size) {
    return size == 0 || WriteMemory(call_.thread, address + offset, from, size);
  };
  const auto write_copy = [&](const Copy* copy, size_t size) {
    return copy == nullptr || size == 0 ||
           WriteMemory(call_.thread, copy->address, copy->bytes.data(),
                       std::min(size, copy->bytes.size()));
  };
  return write_copy(name_, message_.msg_namelen) &&
         write_copy(control_, message_.msg_controllen) &&
         write(offsetof(msghdr, msg_namelen), &message_.msg_namelen,
               sizeof(message_.msg_namelen)) &&
         write(offsetof(msghdr, msg_controllen), &message_.msg_controllen,
               sizeof(message_.msg_controllen)) &&
         write(offsetof(msghdr, msg_flags), &message_.msg_flags,
               sizeof(message_.msg_flags));
}

bool LocalCall::WritePoll() const {
  for (size_t i = 0; i < poll_set_.size(); ++i) {
    const uint64_t address = poll_->address + i * sizeof(pollfd);
    if (!WriteMemory(call_.thread, address + offsetof(pollfd, revents),
                     &poll_set_[i].revents, sizeof(poll_set_[i].revents))) {
      return false;
    }
  }
  return true;
}

}  // namespace net::trap
