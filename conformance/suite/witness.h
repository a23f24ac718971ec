#ifndef CONFORMANCE_SUITE_WITNESS_H_
#define CONFORMANCE_SUITE_WITNESS_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// Reads the state of a descriptor by system calls, independently of the
// implementation that owns it. Every method makes one or two system calls and
// returns their errno if one fails. Does not own the descriptor.
class Witness {
 public:
  // `fd` is a descriptor of `sys`. Both must outlive the Witness.
  Witness(Syscalls& sys, int fd) : sys_(&sys), fd_(fd) {}

  // Values of TCP_INFO (tcp(7)). For a listener, Linux returns the state of the
  // accept queue in tcpi_unacked and tcpi_sacked. For a connection, these two
  // fields have other meanings.
  struct TcpInfo {
    int state;         // TCP_ESTABLISHED, TCP_LISTEN... of <netinet/tcp.h>
    uint32_t queued;   // on a listener: connections in the accept queue
    uint32_t backlog;  // on a listener: the effective backlog
  };

  int fd() const { return fd_; }

  // Returns an option that is an int, such as SO_KEEPALIVE of SOL_SOCKET.
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
