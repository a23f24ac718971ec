#include "fakes/kernel/stub_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/raw_address.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

// Returns an unused abstract address (unix(7), "Autobind feature").
RawAddress AbstractName(uint64_t number) {
  const std::string text = absl::StrFormat("%c%05x", '\0', number & 0xfffff);
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, text.data(), text.size());
  RawAddress raw;
  raw.size = static_cast<int>(offsetof(sockaddr_un, sun_path) + text.size());
  std::memcpy(&raw.storage, &name, sizeof(name));
  return raw;
}

}  // namespace

StubSocket::StubSocket(Kernel& kernel, int domain, int type)
    : kernel_(kernel),
      domain_(domain),
      type_(type),
      options_(domain, kernel.first_host().machine.sysctls(), type) {}

const FakeSysctls& StubSocket::sysctls() const {
  return kernel_.first_host().machine.sysctls();
}

TcpState StubSocket::state() const {
  return listens_ ? TcpState::kListen : TcpState::kClosed;
}

int16_t StubSocket::PollEvents() {
  return domain_ == AF_UNIX && type_ == SOCK_STREAM
             ? int16_t{POLLOUT | POLLWRNORM | POLLHUP}
             : int16_t{POLLOUT | POLLWRNORM};
}

SysResult StubSocket::Ioctl(uint64_t, int*) { return SysResult::Error(ENOTTY); }

std::string StubSocket::Describe() const {
  return absl::StrCat(domain_ == AF_UNIX ? "Unix socket" : "UDP socket");
}

SysResult StubSocket::Bind(const Caller&, const RawAddress& address) {
  if (FamilyOf(address) != domain_) return SysResult::Error(EINVAL);
  if (name_.size > 0) return SysResult::Error(EINVAL);
  const bool nameless = address.size == sizeof(sa_family_t);
  name_ = domain_ == AF_UNIX && nameless ? AbstractName(++kernel_.last_cookie)
                                         : address;
  return SysResult::Ok();
}

SysResult StubSocket::Listen(const Caller&, int) {
  if (type_ == SOCK_DGRAM) return SysResult::Error(EOPNOTSUPP);
  if (name_.size == 0) return SysResult::Error(EINVAL);
  listens_ = true;
  return SysResult::Ok();
}

SysResult StubSocket::Accept(const Caller&, bool, TcpSocket**) {
  if (type_ == SOCK_DGRAM) return SysResult::Error(EOPNOTSUPP);
  return SysResult::Error(listens_ ? EAGAIN : EINVAL);
}

SysResult StubSocket::Connect(const Caller&, const RawAddress& address, bool) {
  if (FamilyOf(address) != domain_) return SysResult::Error(EINVAL);
  peer_ = address;
  return SysResult::Ok();
}

SysResult StubSocket::Name(RawAddress& name) const {
  if (name_.size > 0) {
    name = name_;
  } else if (domain_ == AF_UNIX) {
    name.size = sizeof(sa_family_t);
    name.storage.ss_family = AF_UNIX;
  } else {
    name = ToRawAddress({domain_ == AF_INET ? ip::kAnyV4 : ip::kAnyV6, 0},
                        domain_);
  }
  return SysResult::Ok();
}

SysResult StubSocket::PeerName(RawAddress& name) const {
  if (peer_.size == 0) return SysResult::Error(ENOTCONN);
  name = peer_;
  return SysResult::Ok();
}

SysResult StubSocket::SetOption(const Caller&, int level, int name,
                                const void* value, socklen_t size) {
  return options_.Set(*this, level, name, value, size);
}

SysResult StubSocket::GetOption(const Caller&, int level, int name, void* value,
                                socklen_t* size) {
  return options_.Get(*this, level, name, value, size);
}

SysResult StubSocket::Shutdown(int how) {
  if (how < SHUT_RD || how > SHUT_RDWR) return SysResult::Error(EINVAL);
  return peer_.size > 0 ? SysResult::Ok() : SysResult::Error(ENOTCONN);
}

SysResult StubSocket::Send(const Caller&, absl::Span<const iovec>, int) {
  return SysResult::Error(EOPNOTSUPP);
}

SysResult StubSocket::Recv(const Caller&, absl::Span<const iovec>, int) {
  return SysResult::Error(EOPNOTSUPP);
}

void StubSocket::OnLastClose(const Caller&) {
  --kernel_.open_files;
  delete this;
}

}  // namespace net::fake
