#ifndef CONFORMANCE_SUITE_WITNESS_H_
#define CONFORMANCE_SUITE_WITNESS_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// Looks at a descriptor behind the implementation's back, to see what really
// happened. Owns nothing. Every method is one or two system calls; what cannot
// be read is an error made from the errno.
class Witness {
 public:
  // `fd` is a descriptor of `sys`; both outlive the Witness.
  Witness(Syscalls& sys, int fd) : sys_(&sys), fd_(fd) {}

  // The values of TCP_INFO (tcp(7)) that a witness needs. On a listener Linux
  // tells the accept queue in fields that mean other things elsewhere.
  struct TcpInfo {
    int state;         // TCP_ESTABLISHED, TCP_LISTEN... of <netinet/tcp.h>
    uint32_t queued;   // connections waiting to be accepted, if listening
    uint32_t backlog;  // the effective backlog, if listening
  };

  int fd() const { return fd_; }

  // An int option: SO_KEEPALIVE of SOL_SOCKET...
  absl::StatusOr<int> Option(int level, int name) const;
  absl::StatusOr<bool> Nonblocking() const;  // O_NONBLOCK, by F_GETFL
  absl::StatusOr<bool> CloseOnExec() const;  // FD_CLOEXEC, by F_GETFD
  absl::StatusOr<TcpInfo> Info() const;
  absl::StatusOr<ip::Endpoint> LocalEndpoint() const;
  absl::StatusOr<ip::Endpoint> PeerEndpoint() const;

 private:
  Syscalls* sys_;
  int fd_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_WITNESS_H_
