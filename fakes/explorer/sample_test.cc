// The sample of docs/FAULTS.md and README.md.

#include <sys/socket.h>

#include <cstdint>

#include "absl/status/status.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/has_no_findings.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace {

// The code under test.
absl::Status ReservePort(uint16_t port, net::Syscalls& sys) {
  const net::SysResult made =
      sys.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!made.ok()) return net::ErrnoError(made.error(), "socket");
  const net::ip::SockAddr addr(net::ip::Endpoint{net::ip::kLocalV4, port});
  const net::SysResult bound = sys.Bind(made.fd(), addr.get(), addr.size());
  const net::SysResult closed = sys.Close(made.fd());
  if (!bound.ok()) return net::ErrnoError(bound.error(), "bind");
  if (!closed.ok()) return net::ErrnoError(closed.error(), "close");
  return absl::OkStatus();
}

// [sample]
TEST(ReservePort, HasNoBadErrorPath) {
  EXPECT_THAT(net::ExploreFaults(
                  [](net::Syscalls& sys) { return ReservePort(4711, sys); }),
              net::HasNoFindings());
}
// [/sample]

}  // namespace
