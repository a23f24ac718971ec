#include "fakes/faults/carry_out.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <ctime>
#include <deque>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using ::net::fake::IsUserAddress;

// The largest option value that is written elsewhere.
constexpr socklen_t kMaxOptionValue = 4096;

// Shortens the array to that number of bytes.
std::vector<iovec> Shortened(const iovec* buffers, size_t count, size_t bytes) {
  std::vector<iovec> shortened;
  for (size_t i = 0; i < count && bytes > 0; ++i) {
    iovec buffer = buffers[i];
    buffer.iov_len = std::min(buffer.iov_len, bytes);
    bytes -= buffer.iov_len;
    shortened.push_back(buffer);
  }
  return shortened;
}

// Sets the fields that recvmsg(2) has filled in.
void CopyHeader(const msghdr& from, msghdr& to) {
  to.msg_namelen = from.msg_namelen;
  to.msg_controllen = from.msg_controllen;
  to.msg_flags = from.msg_flags;
}

// Returns whether a message and its array of buffers can be read.
bool IsReadable(const msghdr* message) {
  return IsUserAddress(message, sizeof(msghdr)) &&
         message->msg_iovlen <= IOV_MAX &&
         IsUserAddress(message->msg_iov, message->msg_iovlen * sizeof(iovec));
}

// The first messages of sendmmsg(2) or recvmmsg(2), shortened to a number of
// bytes in all. At least one.
class ShortMessages {
 public:
  // Requires that the messages are readable.
  ShortMessages(mmsghdr* messages, unsigned int count, size_t bytes) {
    for (unsigned int i = 0; i < count && (i == 0 || bytes > 0); ++i) {
      mmsghdr message = messages[i];
      buffers_.push_back(Shortened(message.msg_hdr.msg_iov,
                                   message.msg_hdr.msg_iovlen, bytes));
      for (const iovec& buffer : buffers_.back()) bytes -= buffer.iov_len;
      message.msg_hdr.msg_iov = buffers_.back().data();
      message.msg_hdr.msg_iovlen = buffers_.back().size();
      messages_.push_back(message);
    }
  }

  mmsghdr* data() { return messages_.data(); }
  unsigned int count() const {
    return static_cast<unsigned int>(messages_.size());
  }
  // Sets what the call has filled in.
  void CopyResults(mmsghdr* to) const {
    for (const mmsghdr& message : messages_) {
      CopyHeader(message.msg_hdr, to->msg_hdr);
      to->msg_len = message.msg_len;
      ++to;
    }
  }

 private:
  std::vector<mmsghdr> messages_;
  std::deque<std::vector<iovec>> buffers_;
};

SysResult SendShort(Syscalls& target, const Arguments<Call::kSendMsg>& send,
                    size_t bytes) {
  msghdr message = *send.message;
  std::vector<iovec> buffers =
      Shortened(message.msg_iov, message.msg_iovlen, bytes);
  message.msg_iov = buffers.data();
  message.msg_iovlen = buffers.size();
  return target.SendMsg(send.fd, &message, send.flags);
}

SysResult RecvShort(Syscalls& target, const Arguments<Call::kRecvMsg>& recv,
                    size_t bytes) {
  std::vector<iovec> buffers =
      Shortened(recv.message->msg_iov, recv.message->msg_iovlen, bytes);
  msghdr message = *recv.message;
  message.msg_iov = buffers.data();
  message.msg_iovlen = buffers.size();
  const SysResult result = target.RecvMsg(recv.fd, &message, recv.flags);
  CopyHeader(message, *recv.message);
  return result;
}

bool AreReadable(const mmsghdr* messages, unsigned int count) {
  if (count == 0 || count > IOV_MAX ||
      !IsUserAddress(messages, count * sizeof(mmsghdr))) {
    return false;
  }
  return std::all_of(messages, messages + count, [](const mmsghdr& message) {
    return IsReadable(&message.msg_hdr);
  });
}

bool AreReadable(const iovec* buffers, int count) {
  return count >= 0 && count <= IOV_MAX &&
         IsUserAddress(buffers, static_cast<size_t>(count) * sizeof(iovec));
}

// Makes the call, of several buffers or messages, with fewer bytes. Returns
// nullopt if it is another one, or if its arguments cannot be read.
std::optional<SysResult> MakeSeveralShort(Syscalls& target,
                                          const Invocation& invocation,
                                          size_t bytes) {
  if (const auto* const send = invocation.As<Call::kSendMsg>()) {
    if (!IsReadable(send->message)) return std::nullopt;
    return SendShort(target, *send, bytes);
  }
  if (const auto* const recv = invocation.As<Call::kRecvMsg>()) {
    if (!IsReadable(recv->message)) return std::nullopt;
    return RecvShort(target, *recv, bytes);
  }
  const auto shortened = [bytes](const auto& call) {
    return Shortened(call.buffers, static_cast<size_t>(call.count), bytes);
  };
  if (const auto* const readv = invocation.As<Call::kReadV>()) {
    if (!AreReadable(readv->buffers, readv->count)) return std::nullopt;
    const std::vector<iovec> buffers = shortened(*readv);
    return target.ReadV(readv->fd, buffers.data(),
                        static_cast<int>(buffers.size()));
  }
  if (const auto* const writev = invocation.As<Call::kWriteV>()) {
    if (!AreReadable(writev->buffers, writev->count)) return std::nullopt;
    const std::vector<iovec> buffers = shortened(*writev);
    return target.WriteV(writev->fd, buffers.data(),
                         static_cast<int>(buffers.size()));
  }
  if (const auto* const send = invocation.As<Call::kSendMMsg>()) {
    if (!AreReadable(send->messages, send->count)) return std::nullopt;
    ShortMessages some(send->messages, send->count, bytes);
    const SysResult result =
        target.SendMMsg(send->fd, some.data(), some.count(), send->flags);
    some.CopyResults(send->messages);
    return result;
  }
  if (const auto* const recv = invocation.As<Call::kRecvMMsg>()) {
    if (!AreReadable(recv->messages, recv->count)) return std::nullopt;
    ShortMessages some(recv->messages, recv->count, bytes);
    const SysResult result = target.RecvMMsg(
        recv->fd, some.data(), some.count(), recv->flags, recv->timeout);
    some.CopyResults(recv->messages);
    return result;
  }
  return std::nullopt;
}

// The place at which a call writes an address.
struct AddressArguments {
  sockaddr** addr = nullptr;
  socklen_t** len = nullptr;

  // Returns whether the call will write one, if it succeeds.
  bool are_used() const {
    return addr != nullptr && *addr != nullptr &&
           IsUserAddress(*len, sizeof(socklen_t));
  }
};

AddressArguments AddressOf(Invocation& invocation) {
  if (auto* const accept = invocation.As<Call::kAccept>()) {
    return {&accept->addr, &accept->len};
  }
  if (auto* const accept4 = invocation.As<Call::kAccept4>()) {
    return {&accept4->addr, &accept4->len};
  }
  if (auto* const recv = invocation.As<Call::kRecvFrom>()) {
    return {&recv->addr, &recv->len};
  }
  if (auto* const local = invocation.As<Call::kGetSockName>()) {
    return {&local->addr, &local->len};
  }
  if (auto* const peer = invocation.As<Call::kGetPeerName>()) {
    return {&peer->addr, &peer->len};
  }
  return {};
}

SysResult MakeWithoutBlocking(Syscalls& target, const Invocation& connect) {
  const int fd = connect.fd();
  const SysResult flags = target.Fcntl(fd, F_GETFL, 0);
  const bool blocks = flags.ok() && (flags.value() & O_NONBLOCK) == 0;
  if (blocks) {
    static_cast<void>(target.Fcntl(fd, F_SETFL, flags.value() | O_NONBLOCK));
  }
  const SysResult result = connect.MakeOn(target);
  if (blocks) static_cast<void>(target.Fcntl(fd, F_SETFL, flags.value()));
  return result;
}

void CloseMade(Syscalls& target, const Invocation& invocation,
               SysResult result) {
  // The descriptor is closed even if close(2) fails.
  if (const int* const pair = invocation.pipe_descriptors()) {
    static_cast<void>(target.Close(pair[0]));
    static_cast<void>(target.Close(pair[1]));
  } else if (invocation.makes_descriptor()) {
    static_cast<void>(target.Close(result.fd()));
  }
}

}  // namespace

SysResult MakeShort(Syscalls& target, Invocation invocation, size_t bytes) {
  if (const std::optional<SysResult> several =
          MakeSeveralShort(target, invocation, bytes)) {
    return *several;
  }
  if (auto* const send = invocation.As<Call::kSend>()) {
    send->size = std::min(send->size, bytes);
  } else if (auto* const recv = invocation.As<Call::kRecv>()) {
    recv->size = std::min(recv->size, bytes);
  } else if (auto* const to = invocation.As<Call::kSendTo>()) {
    to->size = std::min(to->size, bytes);
  } else if (auto* const from = invocation.As<Call::kRecvFrom>()) {
    from->size = std::min(from->size, bytes);
  } else if (auto* const read = invocation.As<Call::kRead>()) {
    read->size = std::min(read->size, bytes);
  } else if (auto* const write = invocation.As<Call::kWrite>()) {
    write->size = std::min(write->size, bytes);
  } else if (auto* const file = invocation.As<Call::kSendFile>()) {
    file->size = std::min(file->size, bytes);
  } else if (auto* const splice = invocation.As<Call::kSplice>()) {
    splice->size = std::min(splice->size, bytes);
  }
  return invocation.MakeOn(target);
}

void MakeForEffect(Syscalls& target, Invocation invocation, int error) {
  sockaddr_storage address = {};
  socklen_t address_len = sizeof(address);
  std::vector<char> value;
  socklen_t value_len = 0;
  int pair[2] = {-1, -1};
  if (const AddressArguments out = AddressOf(invocation); out.are_used()) {
    *out.addr = reinterpret_cast<sockaddr*>(&address);
    *out.len = &address_len;
  } else if (auto* const option = invocation.As<Call::kGetSockOpt>()) {
    if (IsUserAddress(option->len, sizeof(socklen_t)) &&
        *option->len <= kMaxOptionValue) {
      value_len = *option->len;
      value.resize(std::max<size_t>(value_len, 1));
      option->value = value.data();
      option->len = &value_len;
    }
  } else if (auto* const pipe = invocation.As<Call::kPipe2>()) {
    pipe->fds = pair;
  }
  const bool goes_on = error == EINTR || error == EINPROGRESS;
  const SysResult result = goes_on && invocation.call() == Call::kConnect
                               ? MakeWithoutBlocking(target, invocation)
                               : invocation.MakeOn(target);
  if (result.ok()) CloseMade(target, invocation, result);
}

void Delay(Syscalls& target, absl::Duration delay) {
  timespec left = absl::ToTimespec(delay);
  while (true) {
    const timespec duration = left;
    if (target.NanoSleep(&duration, &left).error() != EINTR) return;
  }
}

bool MoveDescriptor(Syscalls& target, int fd, int wanted) {
  if (fd == wanted) return true;
  const SysResult flags = target.Fcntl(fd, F_GETFD, 0);
  const bool close_on_exec = flags.ok() && (flags.value() & FD_CLOEXEC) != 0;
  const SysResult moved =
      target.Fcntl(fd, close_on_exec ? F_DUPFD_CLOEXEC : F_DUPFD, wanted);
  if (!moved.ok()) return false;
  const bool is_wanted = moved.fd() == wanted;
  static_cast<void>(target.Close(is_wanted ? fd : moved.fd()));
  return is_wanted;
}

std::optional<SysResult> MakeTruncated(Syscalls& target, Invocation invocation,
                                       size_t bytes) {
  const AddressArguments out = AddressOf(invocation);
  if (!out.are_used()) return std::nullopt;
  socklen_t* const caller_len = *out.len;
  // The kernel itself truncates, and returns the whole length.
  auto len = static_cast<socklen_t>(std::min<size_t>(*caller_len, bytes));
  *out.len = &len;
  const SysResult result = invocation.MakeOn(target);
  if (result.ok()) *caller_len = len;
  return result;
}

void ConsumeError(Syscalls& target, int fd) {
  int error = 0;
  socklen_t len = sizeof(error);
  static_cast<void>(target.GetSockOpt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
}

void ResetConnection(Syscalls& target, int fd) {
  sockaddr unspecified = {};
  unspecified.sa_family = AF_UNSPEC;
  static_cast<void>(target.Connect(fd, &unspecified, sizeof(unspecified)));
}

}  // namespace net
