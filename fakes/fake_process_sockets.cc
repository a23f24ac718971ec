// The socket calls of a FakeProcess: they check descriptors and copy addresses.
// The implementations are in kernel/.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/inlined_vector.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/control_messages.h"
#include "fakes/kernel/descriptor_table.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/options/without_effect.h"
#include "fakes/kernel/raw_address.h"
#include "fakes/kernel/socket.h"
#include "fakes/kernel/stub_socket.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

using fake::Caller;
using fake::CopyIn;
using fake::CopyOut;
using fake::FileRef;
using fake::RawAddress;

constexpr int kTypeMask = 0xf;    // The other bits of a type are flags.
constexpr int kFamilies = 46;     // AF_MAX of Linux.
constexpr int kTypes = 11;        // SOCK_MAX of Linux.
constexpr int kProtocols = 263;   // IPPROTO_MAX of Linux.
constexpr int kMostParts = 1024;  // UIO_MAXIOV of Linux.
constexpr size_t kMostBytes = INT_MAX & ~size_t{4095};  // MAX_RW_COUNT

// Copies an address in. Returns an errno, or 0 on success.
int CopyAddressIn(const sockaddr* addr, socklen_t len, RawAddress& out) {
  const int size = static_cast<int>(len);
  if (size < 0 || size > static_cast<int>(sizeof(out.storage))) return EINVAL;
  out.size = size;
  // The compiler copies a known number of bytes in two instructions.
  const bool copied = len == sizeof(sockaddr_in)
                          ? CopyIn(&out.storage, addr, sizeof(sockaddr_in))
                          : CopyIn(&out.storage, addr, len);
  return copied ? 0 : EFAULT;
}

// Copies an address out, truncated to *len, and sets *len to its full length.
// Returns an errno, or 0 on success.
int CopyAddressOut(const RawAddress& name, sockaddr* addr, socklen_t* len) {
  int room = 0;
  if (!CopyIn(&room, len, sizeof(room))) return EFAULT;
  if (room < 0) return EINVAL;
  const auto size = static_cast<size_t>(std::min(room, name.size));
  if (!CopyOut(addr, &name.storage, size)) return EFAULT;
  return CopyOut(len, &name.size, sizeof(name.size)) ? 0 : EFAULT;
}

SysResult Answer(int error) {
  return error == 0 ? SysResult::Ok() : SysResult::Error(error);
}

// Returns socket(2)'s errno for an IP socket of this type and protocol, or 0 if
// it can be created.
int CheckIpSocket(int type, int protocol) {
  if (protocol < 0 || protocol >= kProtocols) return EINVAL;
  switch (type) {
    case SOCK_STREAM:
      return protocol == 0 || protocol == IPPROTO_TCP ? 0 : EPROTONOSUPPORT;
    case SOCK_DGRAM:
      return protocol == 0 || protocol == IPPROTO_UDP ? 0 : EPROTONOSUPPORT;
    case SOCK_RAW:
      return protocol == 0 ? EPROTONOSUPPORT : EPERM;
    default:
      return ESOCKTNOSUPPORT;
  }
}

int CheckUnixSocket(int type, int protocol) {
  if (protocol != 0 && protocol != PF_UNIX) return EPROTONOSUPPORT;
  return type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET
             ? 0
             : ESOCKTNOSUPPORT;
}

int CheckSocket(int domain, int type, int protocol) {
  if (domain < 0 || domain >= kFamilies) return EAFNOSUPPORT;
  if (type < 0 || type >= kTypes) return EINVAL;
  if (domain == AF_UNIX) return CheckUnixSocket(type, protocol);
  if (domain != AF_INET && domain != AF_INET6) return EAFNOSUPPORT;
  return CheckIpSocket(type, protocol);
}

// The value that getsockopt(2) returns, or nullopt if there is none.
using OptionBytes = std::optional<std::string>;

OptionBytes ReadOption(fake::Socket& socket, const Caller& caller, int level,
                       int name) {
  // Reading these two changes them.
  if (level == SOL_SOCKET && name == SO_ERROR) return std::nullopt;
  if (level == IPPROTO_TCP && name == TCP_SAVED_SYN) return std::nullopt;
  char bytes[64];
  socklen_t size = sizeof(bytes);
  const SysResult got = socket.GetOption(caller, level, name, bytes, &size);
  if (!got.ok() || size == 0) return std::nullopt;
  return std::string(bytes, size);
}

// A message header and its buffers, copied in.
struct Message {
  msghdr header = {};
  absl::InlinedVector<iovec, 4> parts;
};

int CopyMessageIn(const msghdr* user, Message& out) {
  if (!CopyIn(&out.header, user, sizeof(out.header))) return EFAULT;
  if (out.header.msg_name != nullptr &&
      static_cast<int>(out.header.msg_namelen) < 0) {
    return EINVAL;
  }
  if (out.header.msg_iovlen > kMostParts) return EMSGSIZE;
  out.parts.resize(out.header.msg_iovlen);
  if (!CopyIn(out.parts.data(), out.header.msg_iov,
              out.parts.size() * sizeof(iovec))) {
    return EFAULT;
  }
  for (const iovec& part : out.parts) {
    if (static_cast<ssize_t>(part.iov_len) < 0) return EINVAL;
  }
  return 0;
}

}  // namespace

SysResult FakeProcess::DoSocket(int domain, int type, int protocol) {
  const int flags = type & ~kTypeMask;
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0) {
    return SysResult::Error(EINVAL);
  }
  const int kind = type & kTypeMask;
  const int error = CheckSocket(domain, kind, protocol);
  if (error != 0) return SysResult::Error(error);
  fake::Socket* socket = nullptr;
  if (kind == SOCK_STREAM && domain != AF_UNIX) {
    socket = new fake::TcpSocket(kernel_, host_, domain, uid_);
  } else {
    socket = new fake::StubSocket(kernel_, domain, kind);
  }
  socket->set_nonblocking((flags & SOCK_NONBLOCK) != 0);
  return Install(*socket, (flags & SOCK_CLOEXEC) != 0);
}

SysResult FakeProcess::DoBind(int fd, const sockaddr* addr, socklen_t len) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  RawAddress address;
  const int error = CopyAddressIn(addr, len, address);
  if (error != 0) return SysResult::Error(error);
  return socket->Bind(MakeCaller("bind", fd), address);
}

SysResult FakeProcess::DoListen(int fd, int backlog) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  return socket->Listen(MakeCaller("listen", fd), backlog);
}

SysResult FakeProcess::DoAccept4(int fd, sockaddr* addr, socklen_t* len,
                                 int flags) {
  fake::File* const file = descriptors_->Get(fd);
  if (file == nullptr) return SysResult::Error(EBADF);
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0) {
    return SysResult::Error(EINVAL);
  }
  // Linux reserves the descriptor and the file before it takes a connection, so
  // that the connection stays in the queue if one of them is missing.
  const int number = descriptors_->Reserve();
  if (number < 0) return SysResult::Error(EMFILE);
  const SysResult accepted = AcceptInto(number, fd, *file, addr, len, flags);
  if (!accepted.ok()) descriptors_->Release(number);
  return accepted;
}

SysResult FakeProcess::AcceptInto(int number, int fd, fake::File& file,
                                  sockaddr* addr, socklen_t* len, int flags) {
  fake::Socket* const socket = file.AsSocket();
  if (socket == nullptr) return SysResult::Error(ENOTSOCK);
  if (IsFileTableFull()) return SysResult::Error(ENFILE);
  const Caller caller = MakeCaller("accept4", fd);
  const FileRef ref(*socket, caller);
  fake::TcpSocket* accepted = nullptr;
  ++kernel_.open_files;
  const SysResult taken =
      socket->Accept(caller, socket->nonblocking(), &accepted);
  if (!taken.ok()) {
    --kernel_.open_files;
    return taken;
  }
  accepted->set_nonblocking((flags & SOCK_NONBLOCK) != 0);
  if (addr != nullptr) {
    const int error = CopyAddressOut(accepted->remote_name(), addr, len);
    if (error != 0) {
      // The connection is lost.
      const FileRef last(*accepted, caller);
      return SysResult::Error(error);
    }
  }
  descriptors_->Set(number, *accepted, (flags & SOCK_CLOEXEC) != 0);
  return SysResult::Ok(number);
}

SysResult FakeProcess::DoConnect(int fd, const sockaddr* addr, socklen_t len) {
  SysResult result;
  // Linux copies the address before it checks whether the descriptor is a
  // socket.
  if (descriptors_->Get(fd) == nullptr) return SysResult::Error(EBADF);
  RawAddress address;
  const int error = CopyAddressIn(addr, len, address);
  if (error != 0) return SysResult::Error(error);
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  const Caller caller = MakeCaller("connect", fd);
  const FileRef ref(*socket, caller);
  return socket->Connect(caller, address, socket->nonblocking());
}

SysResult FakeProcess::DoGetSockName(int fd, sockaddr* addr, socklen_t* len) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  RawAddress name;
  result = socket->Name(name);
  return result.ok() ? Answer(CopyAddressOut(name, addr, len)) : result;
}

SysResult FakeProcess::DoGetPeerName(int fd, sockaddr* addr, socklen_t* len) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  RawAddress name;
  result = socket->PeerName(name);
  return result.ok() ? Answer(CopyAddressOut(name, addr, len)) : result;
}

SysResult FakeProcess::DoSetSockOpt(int fd, int level, int name,
                                    const void* value, socklen_t len) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  const Caller caller = MakeCaller("setsockopt", fd);
  if (!has_strict_options()) {
    return socket->SetOption(caller, level, name, value, len);
  }
  const OptionBytes before = ReadOption(*socket, caller, level, name);
  result = socket->SetOption(caller, level, name, value, len);
  const OptionBytes after = ReadOption(*socket, caller, level, name);
  // Options that cannot be read are noted each time.
  if (result.ok() && (!after.has_value() || before != after)) {
    uint32_t number = 0;
    if (len < sizeof(number) || !CopyIn(&number, value, sizeof(number))) {
      number = ~uint32_t{0};
    }
    NoteOption(fake::OptionKind::kSocketOption, level, name, number,
               "setsockopt", fd);
  }
  return result;
}

SysResult FakeProcess::DoGetSockOpt(int fd, int level, int name, void* value,
                                    socklen_t* len) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  return socket->GetOption(MakeCaller("getsockopt", fd), level, name, value,
                           len);
}

SysResult FakeProcess::DoShutdown(int fd, int how) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  return socket == nullptr ? result : socket->Shutdown(how);
}

SysResult FakeProcess::DoSend(int fd, const void* data, size_t size,
                              int flags) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  const Caller caller = MakeCaller("send", fd);
  const FileRef ref(*socket, caller);
  const iovec part = {.iov_base = const_cast<void*>(data),
                      .iov_len = std::min(size, kMostBytes)};
  return socket->SendTo(caller, nullptr, {&part, 1}, flags);
}

SysResult FakeProcess::DoRecv(int fd, void* data, size_t size, int flags) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  const Caller caller = MakeCaller("recv", fd);
  const FileRef ref(*socket, caller);
  const iovec part = {.iov_base = data, .iov_len = std::min(size, kMostBytes)};
  return socket->Recv(caller, {&part, 1}, flags);
}

SysResult FakeProcess::DoSendMsg(int fd, const msghdr* message, int flags) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  Message copy;
  const int error = CopyMessageIn(message, copy);
  if (error != 0) return SysResult::Error(error);
  RawAddress address;
  const RawAddress* name = nullptr;
  if (copy.header.msg_name != nullptr) {
    const auto most = static_cast<socklen_t>(sizeof(address.storage));
    const int bad =
        CopyAddressIn(static_cast<const sockaddr*>(copy.header.msg_name),
                      std::min(copy.header.msg_namelen, most), address);
    if (bad != 0) return SysResult::Error(bad);
    name = &address;
  }
  fake::ControlMessages control;
  if (const int bad = control.CopyFrom(copy.header); bad != 0) {
    return SysResult::Error(bad);
  }
  const Caller caller = MakeCaller("sendmsg", fd);
  const FileRef ref(*socket, caller);
  const int refused = control.Check(caller.net_admin);
  if (refused != 0) {
    // Linux reads them when the connection is established.
    result = socket->SendTo(caller, name, {}, flags);
    return result.ok() ? SysResult::Error(refused) : result;
  }
  result = socket->SendTo(caller, name, copy.parts, flags);
  if (has_strict_options() && result.ok()) NoteControl(fd, control);
  return result;
}

SysResult FakeProcess::DoRecvMsg(int fd, msghdr* message, int flags) {
  SysResult result;
  fake::Socket* const socket = FindSocket(fd, &result);
  if (socket == nullptr) return result;
  Message copy;
  const int error = CopyMessageIn(message, copy);
  if (error != 0) return SysResult::Error(error);
  const Caller caller = MakeCaller("recvmsg", fd);
  const FileRef ref(*socket, caller);
  fake::ControlWriter control(copy.header.msg_control,
                              copy.header.msg_controllen);
  result = socket->RecvMsg(caller, copy.parts, flags, control);
  if (!result.ok()) return result;
  // TCP returns no address.
  if (copy.header.msg_name != nullptr) message->msg_namelen = 0;
  message->msg_controllen = control.used();
  message->msg_flags = (flags & MSG_CMSG_CLOEXEC) | control.flags();
  return result;
}

SysResult FakeProcess::DoRead(int fd, void* data, size_t size) {
  fake::File* const file = descriptors_->Get(fd);
  if (file == nullptr || file->access_mode() == O_WRONLY) {
    return SysResult::Error(EBADF);
  }
  if (!fake::IsInUserSpace(data, size)) return SysResult::Error(EFAULT);
  const Caller caller = MakeCaller("read", fd);
  const FileRef ref(*file, caller);
  return file->Read(caller, static_cast<char*>(data),
                    std::min(size, kMostBytes));
}

SysResult FakeProcess::DoWrite(int fd, const void* data, size_t size) {
  fake::File* const file = descriptors_->Get(fd);
  if (file == nullptr || file->access_mode() == O_RDONLY) {
    return SysResult::Error(EBADF);
  }
  if (!fake::IsInUserSpace(data, size)) return SysResult::Error(EFAULT);
  const Caller caller = MakeCaller("write", fd);
  const FileRef ref(*file, caller);
  return file->Write(caller, static_cast<const char*>(data),
                     std::min(size, kMostBytes));
}

}  // namespace net
