#include "fakes/trap/local_call.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/applicable.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/local_epoll.h"
#include "fakes/trap/local_message.h"
#include "fakes/trap/local_poll.h"
#include "fakes/trap/local_select.h"
#include "fakes/trap/memory_copy.h"
#include "fakes/trap/owned_fd.h"
#include "fakes/trap/process.h"
#include "fakes/trap/trapped_call.h"
#include "syscalls/sandbox/proc.h"
#include "syscalls/syscall_table.h"

namespace net::trap {
namespace {

constexpr uint64_t kMostOption = 65536;
constexpr uint64_t kMostPolled = 1024;
// The kernel copies no more of an address than it has (sys/socket.h).
constexpr uint64_t kAddressRoom = sizeof(sockaddr_storage);

// An obstacle.
constexpr absl::string_view kNoMemory = "its memory cannot be copied";

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

// Returns whether the process counts processes as this one does: its namespace
// of processes is that of our /proc (pid_namespaces(7)).
bool SharesProcessIds(const Process& process) {
  int pid = 0;  // More than one number is none.
  const std::string field = sandbox::FieldOf(
      absl::StrCat("/proc/", process.pid(), "/status"), "NSpid");
  return absl::SimpleAtoi(field, &pid) && pid == process.pid();
}

// Returns whether a descriptor of this process can have the number.
bool CanHaveNumber(int number) {
  rlimit limit = {};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 && number >= 0 &&
         static_cast<rlim_t>(number) < limit.rlim_cur;
}

}  // namespace

bool LocalCall::Prepare(const Limits& limits) {
  address_limit_ = limits.address;
  switch (call_.call) {
    case SyscallId::kEpollCtl:
      return PrepareEpollCtl();
    case SyscallId::kSendMMsg:
    case SyscallId::kRecvMMsg:
      return PrepareMessages(limits);
    case SyscallId::kSelect:
    case SyscallId::kPSelect6:
      return PrepareSelect();
    case SyscallId::kDup:
      return PrepareDescriptor(0);
    case SyscallId::kDup3:
      return PrepareDup3();
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
      return PrepareOption(i);
    case ArgumentKind::kOptionOut:
      // Its room is made when the length is known.
      return true;
    case ArgumentKind::kDataIn:
      return PrepareData(i, Output::kNone, limits);
    case ArgumentKind::kDataOut:
      return PrepareData(i, Output::kData, limits);
    case ArgumentKind::kMessageIn:
      return PrepareMessage(i, /*receives=*/false, limits);
    case ArgumentKind::kMessageOut:
      return PrepareMessage(i, /*receives=*/true, limits);
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
      // ppoll(2) of the kernel writes the rest of the time.
      return CopyIn(
          i, sizeof(timespec),
          call_.call == SyscallId::kPPoll ? Output::kTime : Output::kNone);
    case ArgumentKind::kTimerIn:
      return CopyIn(i, sizeof(itimerspec));
    case ArgumentKind::kTimerOut:
      return MakeRoom(i, sizeof(itimerspec), Output::kAll);
    case ArgumentKind::kSignalsIn:
      return PrepareSignals(i);
    case ArgumentKind::kFcntlArgument:
    case ArgumentKind::kIoctlArgument:
      return PrepareControl(i);
    case ArgumentKind::kBuffersIn:
      return PrepareBuffers(i, /*receives=*/false, limits);
    case ArgumentKind::kBuffersOut:
      return PrepareBuffers(i, /*receives=*/true, limits);
    case ArgumentKind::kOffsetInOut:
      return CopyIn(i, sizeof(int64_t), Output::kAll);
    case ArgumentKind::kTimeOut:
      return MakeRoom(i, sizeof(timespec), Output::kAll);
    case ArgumentKind::kTimeLeft:
      // Only an interrupted call fills it in, and the kernel makes that again.
      return MakeRoom(i, sizeof(timespec), Output::kNone);
    case ArgumentKind::kEpollEventIn:
    case ArgumentKind::kFdPairOut:
    case ArgumentKind::kMessagesIn:  // These have a way of their own.
    case ArgumentKind::kMessagesOut:
    case ArgumentKind::kFdSet:
    case ArgumentKind::kTimeInOut:
    case ArgumentKind::kTimevalInOut:
      return Refuse("it is never made in the program's place");
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
  if (!duplicate.ok()) return Refuse("its descriptor cannot be duplicated");
  arguments_[i] = static_cast<uint64_t>(duplicate.get());
  duplicates_.push_back(std::move(duplicate));
  return true;
}

bool LocalCall::PrepareDup3() {
  const int number = call_.Int(1);
  if (number == call_.Int(0)) return Refuse("its numbers are equal");
  if (number < 0 || (call_.Int(2) & ~O_CLOEXEC) != 0) {
    return Refuse("its arguments are invalid");
  }
  return PrepareDescriptor(0);
}

bool LocalCall::PrepareLength(size_t i) {
  // Without an address the kernel ignores the length, too.
  const bool is_option = call_.call == SyscallId::kGetSockOpt;
  if (call_.arguments[i - 1] == 0 && !is_option) return true;
  if (call_.arguments[i] == 0) return Refuse("it has no length");
  if (!CopyIn(i, sizeof(socklen_t), Output::kAll)) return false;
  length_ = copies_.back().copy;
  length_before_ = Length();
  if (!is_option) return true;
  if (Length() > kMostOption) return Refuse(kNoMemory);
  return MakeRoom(i - 1, Length(), Output::kCounted);
}

bool LocalCall::PrepareOption(size_t i) {
  if (HasPointerInside(call_.Int(1), call_.Int(2))) {
    return Refuse("the option has a pointer inside");
  }
  const auto size = static_cast<uint32_t>(call_.arguments[i + 1]);
  return size <= kMostOption ? CopyIn(i, size) : Refuse(kNoMemory);
}

bool LocalCall::PrepareControl(size_t i) {
  const uint64_t operation = call_.arguments[i - 1];
  const bool names_process = operation == F_GETOWN || operation == F_SETOWN ||
                             operation == F_GETOWN_EX ||
                             operation == F_SETOWN_EX;
  if (call_.call == SyscallId::kFcntl) {
    if (names_process && !SharesProcessIds(*process_)) {
      return Refuse("it names a process of another namespace");
    }
    switch (operation) {
      case F_GETFL:
      case F_SETFL:
      case F_GETOWN:
      case F_SETOWN:
      case F_GETSIG:
      case F_SETSIG:
        return true;
      case F_GETOWN_EX:
        return MakeRoom(i, sizeof(f_owner_ex), Output::kAll);
      case F_SETOWN_EX:
        return CopyIn(i, sizeof(f_owner_ex));
      default:
        return Refuse("the command is not about the open file");
    }
  }
  switch (operation) {
    case FIONBIO:
      return CopyIn(i, sizeof(int));
    case FIONREAD:
    case SIOCOUTQ:
    case SIOCOUTQNSD:
      return MakeRoom(i, sizeof(int), Output::kAll);
    default:
      return Refuse("the trap does not know the arguments of the request");
  }
}

bool LocalCall::PrepareData(size_t i, Output output, const Limits& limits) {
  const uint64_t size =
      std::min<uint64_t>(call_.arguments[i + 1], limits.bytes);
  return output == Output::kNone ? CopyIn(i, size) : MakeRoom(i, size, output);
}

bool LocalCall::PreparePoll(size_t i) {
  const uint64_t count = call_.arguments[i + 1];
  if (count > kMostPolled) return Refuse("it waits for too many descriptors");
  if (!poll_.Prepare(memory_, *process_, call_.arguments[i], count)) {
    return Refuse("its set cannot be copied");
  }
  arguments_[i] = AsArgument(poll_.data());
  return true;
}

bool LocalCall::PrepareSignals(size_t i) {
  uint64_t mask = call_.arguments[i];
  // pselect6(2) has the mask and its size in a struct.
  if (call_.call == SyscallId::kPSelect6 && mask != 0 &&
      !ReadMemory(call_.thread, mask, &mask, sizeof(mask))) {
    return Refuse(kNoMemory);
  }
  arguments_[i] = 0;
  return mask == 0 || Refuse("it changes the signal mask of its caller");
}

bool LocalCall::PrepareMessage(size_t i, bool receives, const Limits& limits) {
  size_t limit = limits.bytes;
  if (!message_.Prepare(memory_, call_.arguments[i], receives, limit)) {
    return Refuse(kNoMemory);
  }
  arguments_[i] = AsArgument(&message_.header());
  return true;
}

bool LocalCall::PrepareBuffers(size_t i, bool receives, const Limits& limits) {
  size_t limit = limits.bytes;
  if (!buffers_.Prepare(memory_, call_.arguments[i], call_.arguments[i + 1],
                        receives, limit)) {
    return Refuse(kNoMemory);
  }
  arguments_[i] = AsArgument(buffers_.data());
  return true;
}

bool LocalCall::PrepareMessages(const Limits& limits) {
  arguments_ = call_.arguments;
  const bool receives = call_.call == SyscallId::kRecvMMsg;
  if (!PrepareDescriptor(0)) return false;
  if (!messages_.Prepare(memory_, call_.arguments[1],
                         static_cast<uint32_t>(call_.arguments[2]), receives,
                         limits.bytes)) {
    return Refuse(kNoMemory);
  }
  arguments_[1] = AsArgument(messages_.data());
  arguments_[2] = messages_.size();
  // recvmmsg(2) writes the rest of the time.
  return !receives || CopyIn(4, sizeof(timespec), Output::kAll);
}

bool LocalCall::PrepareSelect() {
  if (!select_.Prepare(memory_, *process_, call_.arguments)) {
    return Refuse("its sets cannot be copied");
  }
  arguments_[0] = static_cast<uint64_t>(select_.count());
  for (size_t i = 0; i < 3; ++i) {
    arguments_[i + 1] = AsArgument(select_.set(i));
  }
  const bool has_signals = call_.call == SyscallId::kPSelect6;
  const size_t time_size = has_signals ? sizeof(timespec) : sizeof(timeval);
  arguments_[4] = call_.arguments[4];
  return CopyIn(4, time_size, Output::kTime) &&
         (!has_signals || PrepareSignals(5));
}

bool LocalCall::PrepareEpollCtl() {
  arguments_ = call_.arguments;
  if (!CanHaveNumber(call_.Int(2))) {
    return Refuse("the descriptor's number is beyond the trap's RLIMIT_NOFILE");
  }
  if (!PrepareDescriptor(0) || !PrepareDescriptor(2)) return false;
  if (call_.Int(1) == EPOLL_CTL_DEL) return true;
  // The kernel knows the errno for a null pointer.
  return ReadMemory(call_.thread, call_.arguments[3], &event_.emplace(),
                    sizeof(epoll_event)) ||
         Refuse(kNoMemory);
}

bool LocalCall::CopyIn(size_t i, uint64_t size, Output output) {
  const uint64_t address = call_.arguments[i];
  return address == 0 || Use(i, memory_.AddCopy(address, size), output);
}

bool LocalCall::MakeRoom(size_t i, uint64_t size, Output output) {
  const uint64_t address = call_.arguments[i];
  return address == 0 || Use(i, memory_.AddRoom(address, size), output);
}

bool LocalCall::Use(size_t i, MemoryCopy* copy, Output output) {
  if (copy == nullptr) return Refuse(kNoMemory);
  arguments_[i] = AsArgument(copy->bytes.data());
  copies_.push_back({.copy = copy, .output = output});
  return true;
}

bool LocalCall::Refuse(absl::string_view why) {
  obstacle_ = why;
  return false;
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
    const bool has_number = id == SyscallId::kPoll ||
                            id == SyscallId::kEpollWait ||
                            id == SyscallId::kEpollPWait;
    return !has_number || call_.Int(id == SyscallId::kPoll ? 2 : 3) != 0;
  }
  const bool waits = family == "accept" || family == "send" ||
                     family == "recv" || id == SyscallId::kConnect ||
                     id == SyscallId::kSplice || id == SyscallId::kNanoSleep;
  if (!waits) return false;
  if ((MessageFlagsOf(call_) & MSG_DONTWAIT) != 0) return false;
  const int status = fcntl(fd(), F_GETFL);
  return status < 0 || (status & O_NONBLOCK) == 0;
}

int64_t LocalCall::Make() {
  if (select_.has_bad_descriptor()) return -EBADF;
  if (call_.call != SyscallId::kEpollCtl) return MakeByKernel();
  const std::optional<int64_t> result =
      EpollCtlAs(call_.Int(2), duplicates_[0].get(), call_.Int(1),
                 duplicates_[1].get(), event_.has_value() ? &*event_ : nullptr);
  if (!result.has_value()) {
    Refuse("a thread cannot have a table of descriptors of its own");
  }
  return result.value_or(-ENOSYS);
}

int64_t LocalCall::MakeByKernel() const {
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
  return result == -1 ? -errno : result;
}

void LocalCall::SetOptionValue(int value) {
  for (const FilledCopy& filled : copies_) {
    if (filled.output != Output::kCounted) continue;
    std::memcpy(filled.copy->bytes.data(), &value,
                std::min(sizeof(value), filled.copy->bytes.size()));
  }
}

bool LocalCall::WriteOutputs(int64_t result) {
  if (result < 0) return true;
  if (!WriteCopies(result)) return false;
  const auto count = static_cast<size_t>(result);
  switch (call_.call) {
    case SyscallId::kReadV:
      return buffers_.WriteOutputs(memory_, count);
    case SyscallId::kRecvMsg:
      return message_.WriteOutputs(memory_, message_.header(),
                                   HasData() ? count : 0);
    case SyscallId::kSendMMsg:
    case SyscallId::kRecvMMsg:
      return messages_.WriteOutputs(memory_, count, HasData());
    case SyscallId::kSelect:
    case SyscallId::kPSelect6:
      return select_.WriteOutputs(memory_);
    default:
      return poll_.WriteOutputs(call_.thread);
  }
}

bool LocalCall::HasData() const {
  return (MessageFlagsOf(call_) & MSG_TRUNC) == 0;
}

bool LocalCall::WriteCopies(int64_t result) const {
  return std::all_of(
      copies_.begin(), copies_.end(), [&](const FilledCopy& filled) {
        return memory_.Write(filled.copy, FilledBytes(filled, result)) ||
               filled.output == Output::kTime;
      });
}

size_t LocalCall::FilledBytes(const FilledCopy& filled, int64_t result) const {
  const auto count = static_cast<size_t>(result);
  switch (filled.output) {
    case Output::kNone:
      return 0;
    case Output::kData:
      return HasData() ? count : 0;
    case Output::kCounted: {
      const bool is_address = call_.call != SyscallId::kGetSockOpt;
      const size_t before = length_before_;
      return std::min<size_t>(
          {Length(), before, is_address ? address_limit_ : SIZE_MAX});
    }
    case Output::kEvents:
      return count * sizeof(epoll_event);
    case Output::kAll:
    case Output::kTime:
      return filled.copy->bytes.size();
  }
  return 0;
}

}  // namespace net::trap
