#ifndef FAKES_KERNEL_STUB_SOCKET_H_
#define FAKES_KERNEL_STUB_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/raw_address.h"
#include "fakes/kernel/socket.h"
#include "syscalls/sys_result.h"

namespace net::fake {

struct Kernel;

// A socket that is not TCP: AF_UNIX or UDP. It lets a test pass such a socket
// where TCP is expected. It has an address and options, and can listen and be
// connected where its type can. It carries no data: send(2) and recv(2) fail
// with EOPNOTSUPP.
class StubSocket final : public Socket, private OptionHost {
 public:
  StubSocket(Kernel& kernel, int domain, int type);

  int16_t PollEvents() override;
  SysResult Ioctl(uint64_t request, int* value) override;
  std::string Describe() const override;

  int domain() const override { return domain_; }
  int type() const override { return type_; }
  SysResult Bind(const Caller& caller, const RawAddress& address) override;
  SysResult Listen(const Caller& caller, int backlog) override;
  SysResult Accept(const Caller& caller, bool nonblocking,
                   TcpSocket** accepted) override;
  SysResult Connect(const Caller& caller, const RawAddress& address,
                    bool nonblocking) override;
  SysResult Name(RawAddress& name) const override;
  SysResult PeerName(RawAddress& name) const override;
  SysResult SetOption(const Caller& caller, int level, int name,
                      const void* value, socklen_t size) override;
  SysResult GetOption(const Caller& caller, int level, int name, void* value,
                      socklen_t* size) override;
  SysResult Shutdown(int how) override;
  SysResult Send(const Caller& caller, absl::Span<const iovec> parts,
                 int flags) override;
  SysResult Recv(const Caller& caller, absl::Span<const iovec> parts,
                 int flags) override;

 protected:
  void OnLastClose(const Caller& caller) override;

 private:
  ~StubSocket() override = default;

  // OptionHost
  int family() const override { return domain_; }
  TcpState state() const override;
  bool bound() const override { return name_.size > 0; }
  bool net_admin() const override { return false; }
  const FakeSysctls& sysctls() const override;
  int TakeError() override { return 0; }
  void KeepError(int /*error*/) override {}
  TcpInfoSource info_source() const override { return {}; }

  Kernel& kernel_;
  const int domain_;
  const int type_;
  SocketOptions options_;
  RawAddress name_;  // Size 0: none.
  RawAddress peer_;  // Size 0: not connected.
  bool listens_ = false;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_STUB_SOCKET_H_
