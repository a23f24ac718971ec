#include "conformance/kernel_cases/fast_open_helpers.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {

using loopback::Bind;
using loopback::Listener;
using loopback::RawSocket;

SysResult SendFastOpen(const RawSocket& socket, const ip::Endpoint& remote,
                       std::string data) {
  LongAddress name = MakeLongAddress(remote);
  iovec part = {.iov_base = data.data(), .iov_len = data.size()};
  msghdr header = {};
  header.msg_name = &name.storage;
  header.msg_namelen =
      remote.addr.is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  return socket.syscalls().SendMsg(socket.fd(), &header,
                                   MSG_FASTOPEN | MSG_NOSIGNAL);
}

absl::StatusOr<Listener> NewFastListener(Context& c,
                                         const loopback::ListenConfig& config) {
  c.env().SetSysctl(kFastOpenSysctl, "3");
  auto listener = NewListener(c, config);
  if (!listener.ok()) return listener.status();
  const SysResult set = SetTcp(listener->socket(), TCP_FASTOPEN, 5);
  if (!set.ok()) return ErrnoError(ErrnoOf(set), "setsockopt");
  return listener;
}

void GetFastOpenCookie(Context& c, const Listener& listener) {
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(SendFastOpen(client, listener.endpoint(), "first"),
              IsOkAndHolds(5));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds("first"));
}

void ExpectAccepted(const Listener& listener, absl::string_view data) {
  ASSERT_THAT(listener.socket().Ready(POLLIN), IsOkAndHolds(POLLIN));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds(std::string(data)));
}

void ExpectNothingQueued(const Listener& listener) {
  EXPECT_THAT(listener.socket().Ready(POLLIN), IsOkAndHolds(0));
}

absl::StatusOr<RawSocket> NewDeferring(Context& c, int type_flags) {
  auto client = NewTcp(c, type_flags);
  if (!client.ok()) return client.status();
  const SysResult set = SetTcp(*client, TCP_FASTOPEN_CONNECT, 1);
  if (!set.ok()) return ErrnoError(ErrnoOf(set), "setsockopt");
  return client;
}

absl::StatusOr<ip::Endpoint> RefusedEndpoint(Context& c, RawSocket& holder) {
  auto socket = NewTcp(c);
  if (!socket.ok()) return socket.status();
  const absl::Status bound = Bind(*socket, {c.Loopback(), 0});
  if (!bound.ok()) return bound;
  holder = std::move(*socket);
  return holder.LocalEndpoint();
}

}  // namespace net::conformance
