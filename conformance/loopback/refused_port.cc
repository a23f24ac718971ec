#include "conformance/loopback/refused_port.h"

#include <sys/socket.h>

#include <utility>

#include "absl/status/statusor.h"
#include "conformance/loopback/connection.h"
#include "conformance/loopback/raw_socket.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

namespace net::loopback {

RefusedPort::RefusedPort(RawSocket holder, const ip::Endpoint& endpoint)
    : holder_(std::move(holder)), endpoint_(endpoint) {}

absl::StatusOr<RefusedPort> RefusedPort::Reserve(Syscalls& sys, int family) {
  absl::StatusOr<RawSocket> holder = NewSocket(sys, family);
  if (!holder.ok()) return holder.status();
  const absl::Status bound = Bind(*holder, {LoopbackAddr(family), 0});
  if (!bound.ok()) return bound;
  const absl::StatusOr<ip::Endpoint> endpoint = holder->LocalEndpoint();
  if (!endpoint.ok()) return endpoint.status();
  return RefusedPort(*std::move(holder), *endpoint);
}

}  // namespace net::loopback
