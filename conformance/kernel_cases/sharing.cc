#include "conformance/kernel_cases/sharing.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"

namespace net::conformance {

using loopback::RawSocket;

absl::StatusOr<RawSocket> NewSharing(Context& c, int family,
                                     const Sharing& sharing) {
  absl::StatusOr<RawSocket> socket = loopback::NewSocket(c.sys(), family);
  if (!socket.ok()) return socket;
  struct {
    bool wanted;
    int level;
    int name;
  } options[] = {{sharing.reuse_addr, SOL_SOCKET, SO_REUSEADDR},
                 {sharing.reuse_port, SOL_SOCKET, SO_REUSEPORT},
                 {sharing.v6_only, IPPROTO_IPV6, IPV6_V6ONLY}};
  for (const auto& option : options) {
    if (!option.wanted) continue;
    const SysResult set = socket->SetOption(option.level, option.name, 1);
    if (!set.ok()) return ErrnoError(set.error(), "setsockopt");
  }
  return socket;
}

absl::StatusOr<RawSocket> BoundSharing(Context& c, const ip::Endpoint& local,
                                       const Sharing& sharing) {
  absl::StatusOr<RawSocket> socket =
      NewSharing(c, local.addr.family(), sharing);
  if (!socket.ok()) return socket;
  const absl::Status bound = loopback::Bind(*socket, local);
  if (!bound.ok()) return bound;
  return socket;
}

void ExpectBesideBound(Context& c, const ip::Addr& held, const Sharing& holder,
                       const ip::Addr& wanted, const Sharing& second,
                       int error) {
  // In a network that is shared, another program may have the port that was
  // picked, at the second address.
  constexpr int kPorts = 10;
  for (int i = 1; i <= kPorts; ++i) {
    ASSERT_OK_AND_ASSIGN(const RawSocket first,
                         BoundSharing(c, {held, 0}, holder));
    ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
    const absl::StatusOr<RawSocket> beside =
        BoundSharing(c, {wanted, at.port}, second);
    const bool is_taken = error == 0 && net::ErrnoOf(beside) == EADDRINUSE;
    if (is_taken && i < kPorts) continue;
    EXPECT_THAT(beside, ReturnsErrno(error));
    return;
  }
}

}  // namespace net::conformance
