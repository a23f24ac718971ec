// The socket calls of a FakeProcess: they check descriptors and copy addresses.
// The implementations are in kernel/. The calls that move bytes are in
// fake_process_data.cc.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "fakes/fake_process.h"
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
using fake::CopyAddressIn;
using fake::CopyAddressOut;
using fake::CopyIn;
using fake::FileRef;
using fake::RawAddress;

constexpr int kTypeMask = 0xf;   // The other bits of a type are flags.
constexpr int kFamilies = 46;    // AF_MAX of Linux.
constexpr int kTypes = 11;       // SOCK_MAX of Linux.
constexpr int kProtocols = 263;  // IPPROTO_MAX of Linux.

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
    socket =
        new (kernel_.sockets) fake::TcpSocket(kernel_, host_, domain, uid_);
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

SysResult FakeProcess::DoAccept(int fd, sockaddr* addr, socklen_t* len) {
  return AcceptFrom(fd, addr, len, 0, "accept");
}

SysResult FakeProcess::DoAccept4(int fd, sockaddr* addr, socklen_t* len,
                                 int flags) {
  return AcceptFrom(fd, addr, len, flags, "accept4");
}

SysResult FakeProcess::AcceptFrom(int fd, sockaddr* addr, socklen_t* len,
                                  int flags, absl::string_view call) {
  fake::File* const file = descriptors_->Get(fd);
  if (file == nullptr) return SysResult::Error(EBADF);
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0) {
    return SysResult::Error(EINVAL);
  }
  // Linux reserves the descriptor and the file before it takes a connection, so
  // that the connection stays in the queue if one of them is missing.
  const int number = descriptors_->Reserve();
  if (number < 0) return SysResult::Error(EMFILE);
  const SysResult accepted =
      AcceptInto(number, MakeCaller(call, fd), *file, addr, len, flags);
  if (!accepted.ok()) descriptors_->Release(number);
  return accepted;
}

SysResult FakeProcess::AcceptInto(int number, const Caller& caller,
                                  fake::File& file, sockaddr* addr,
                                  socklen_t* len, int flags) {
  fake::Socket* const socket = file.AsSocket();
  if (socket == nullptr) return SysResult::Error(ENOTSOCK);
  if (IsFileTableFull()) return SysResult::Error(ENFILE);
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

}  // namespace net
