// sendto(2), recvfrom(2) and accept(2): what they have beyond send(2), recv(2)
// and accept4(2).

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;

// A number that no open descriptor has.
constexpr int kNotOpen = 999999;

SysResult SendTo(const RawSocket& socket, const sockaddr* addr, socklen_t len,
                 int flags = 0) {
  return socket.syscalls().SendTo(socket.fd(), "x", 1, flags | MSG_NOSIGNAL,
                                  addr, len);
}

// ---- sendto(2) --------------------------------------------------------------

void NoAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(SendTo(pair.client, nullptr, 0), IsOkAndHolds(1));
  EXPECT_THAT(SendTo(pair.client, nullptr, 128), IsOkAndHolds(1))
      << "the length is ignored";
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("xx"));
}

void AddressIsIgnored(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener other, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  const ip::SockAddr addr(other.endpoint());
  EXPECT_THAT(SendTo(pair.client, addr.get(), addr.size()), IsOkAndHolds(1));
  EXPECT_THAT(SendTo(pair.client, addr.get(), 1), IsOkAndHolds(1));
  EXPECT_THAT(SendTo(pair.client, BadAddress(), 0), IsOkAndHolds(1));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("xxx"));
  EXPECT_THAT(PollNow(other.socket()), IsOkAndHolds(0));
}

void AddressArguments(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  const LongAddress addr = MakeLongAddress({c.Loopback(), kPort});
  EXPECT_THAT(SendTo(pair.client, BadAddress(), 16), IsErrno(EFAULT));
  EXPECT_THAT(SendTo(pair.client, addr.get(), 129), IsErrno(EINVAL));
  EXPECT_THAT(SendTo(pair.client, addr.get(), static_cast<socklen_t>(-1)),
              IsErrno(EINVAL));
  EXPECT_THAT(SendTo(pair.client, addr.get(), 128), IsOkAndHolds(1));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("x"));
}

void AddressOfOtherFiles(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  EXPECT_THAT(SendTo(counter, BadAddress(), 16), IsErrno(ENOTSOCK));
  EXPECT_THAT(c.sys().SendTo(kNotOpen, "x", 1, 0, BadAddress(), 16),
              IsErrno(EBADF));
}

void NotConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const ip::SockAddr addr(listener.endpoint());
  EXPECT_THAT(SendTo(socket, addr.get(), addr.size()), IsErrno(EPIPE));
  EXPECT_THAT(socket.TcpState(), IsOkAndHolds(TCP_CLOSE));
}

// An address that ends in no user space: Linux checks the buffer first.
void DataBeyondUserSpace(Context& c) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  auto* const beyond = reinterpret_cast<void*>(UINTPTR_MAX - 4096);
  EXPECT_THAT(c.sys().SendTo(kNotOpen, beyond, 8, 0, nullptr, 0),
              IsErrno(EFAULT));
  EXPECT_THAT(c.sys().Send(kNotOpen, beyond, 8, 0), IsErrno(EFAULT));
  EXPECT_THAT(c.sys().RecvFrom(kNotOpen, beyond, 8, 0, nullptr, nullptr),
              IsErrno(EFAULT));
  EXPECT_THAT(c.sys().Recv(kNotOpen, beyond, 8, 0), IsErrno(EFAULT));
}

// ---- recvfrom(2) ------------------------------------------------------------

// An address for a call to fill in.
struct Room {
  sockaddr_storage storage = {.ss_family = 0x5a5a};
  socklen_t len = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SysResult RecvFrom(const RawSocket& socket, sockaddr* addr, socklen_t* len,
                   int flags = 0) {
  char byte = 0;
  return socket.syscalls().RecvFrom(socket.fd(), &byte, 1, flags, addr, len);
}

void NoName(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("abcd"), IsOk());
  Room room;
  EXPECT_THAT(RecvFrom(pair.server, room.get(), &room.len), IsOkAndHolds(1));
  EXPECT_EQ(room.len, 0U);
  EXPECT_EQ(room.storage.ss_family, 0x5a5a);
  room.len = 0;
  EXPECT_THAT(RecvFrom(pair.server, BadAddress(), &room.len), IsOkAndHolds(1));
  EXPECT_THAT(RecvFrom(pair.server, nullptr,
                       reinterpret_cast<socklen_t*>(BadAddress())),
              IsOkAndHolds(1))
      << "without an address, the length is ignored";
  EXPECT_THAT(RecvFrom(pair.server, nullptr, nullptr), IsOkAndHolds(1));
}

void NoNameAtTheEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  Room room;
  EXPECT_THAT(RecvFrom(pair.server, room.get(), &room.len), IsOkAndHolds(0));
  EXPECT_EQ(room.len, 0U);
}

void BadLength(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  Room room;
  room.len = static_cast<socklen_t>(-1);
  EXPECT_THAT(RecvFrom(pair.server, room.get(), &room.len), IsErrno(EINVAL));
  EXPECT_THAT(RecvFrom(pair.server, room.get(), nullptr), IsErrno(EFAULT));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("c")) << "the bytes are lost";
}

void FailureKeepsTheLength(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Room room;
  EXPECT_THAT(RecvFrom(pair.server, room.get(), &room.len, MSG_DONTWAIT),
              IsErrno(EAGAIN));
  EXPECT_EQ(room.len, sizeof(sockaddr_storage));
  EXPECT_THAT(RecvFrom(pair.server, room.get(), nullptr, MSG_DONTWAIT),
              IsErrno(EAGAIN));
}

void Blocks(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Room room;
  PendingCall receiving(
      c, [&] { return RecvFrom(pair.server, room.get(), &room.len); });
  ASSERT_TRUE(receiving.AwaitBlocked());
  ASSERT_THAT(SendTo(pair.client, nullptr, 0), IsOk());
  EXPECT_THAT(receiving.Join(), IsOkAndHolds(1));
}

// ---- accept(2) --------------------------------------------------------------

void AcceptFlags(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       NewListener(c, {.nonblocking = true}));
  EXPECT_THAT(c.sys().Accept(listener.socket().fd(), nullptr, nullptr),
              IsErrno(EAGAIN));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  ip::SockAddr peer;
  const SysResult accepted =
      c.sys().Accept(listener.socket().fd(), peer.get(), peer.size_ptr());
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint from, client.LocalEndpoint());
  EXPECT_EQ(peer.ToEndpoint(), from);
  EXPECT_THAT(c.sys().Fcntl(server.fd(), F_GETFD, 0), IsOkAndHolds(0));
  EXPECT_THAT(c.sys().Fcntl(server.fd(), F_GETFL, 0), IsOkAndHolds(O_RDWR));
}

void AcceptBlocks(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall accepting(c, [&] {
    return c.sys().Accept(listener.socket().fd(), nullptr, nullptr);
  });
  ASSERT_TRUE(accepting.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  const SysResult accepted = accepting.Join();
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint from, client.LocalEndpoint());
  EXPECT_THAT(server.PeerEndpoint(), IsOkAndHolds(from));
}

void AcceptErrors(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  EXPECT_THAT(c.sys().Accept(kNotOpen, nullptr, nullptr), IsErrno(EBADF));
  EXPECT_THAT(c.sys().Accept(counter.fd(), nullptr, nullptr),
              IsErrno(ENOTSOCK));
  EXPECT_THAT(c.sys().Accept(socket.fd(), nullptr, nullptr), IsErrno(EINVAL));
}

}  // namespace

const std::vector<Case>& SendtoKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.sendto.no_address",
       .requirement = "sendto(2) with a null address must send as send(2) "
                      "does, and ignore the length.",
       .source = "sendto(2), DESCRIPTION",
       .run = &NoAddress},
      {.id = "kernel.sendto.address_is_ignored",
       .requirement = "sendto(2) on a connected socket must ignore the address "
                      "and send to the peer.",
       .source = "measured on Linux 6.18 (sendto(2) allows EISCONN)",
       .run = &AddressIsIgnored},
      {.id = "kernel.sendto.address_arguments",
       .requirement = "sendto(2) must fail with EFAULT if it cannot read the "
                      "address, and with EINVAL if the length is negative or "
                      "more than 128.",
       .source = "sendto(2), EFAULT and EINVAL; measured on Linux 6.18",
       .run = &AddressArguments},
      {.id = "kernel.sendto.other_files",
       .requirement = "sendto(2) must check the descriptor before the address.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &AddressOfOtherFiles},
      {.id = "kernel.sendto.not_connected",
       .requirement = "sendto(2) on a socket without a connection must fail "
                      "with EPIPE, and must not connect.",
       .source = "measured on Linux 6.18",
       .run = &NotConnected},
      {.id = "kernel.sendto.beyond_user_space",
       .requirement = "send(2), sendto(2), recv(2) and recvfrom(2) must fail "
                      "with EFAULT for a buffer that ends outside of user "
                      "space, before they look at the descriptor.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &DataBeyondUserSpace},
      {.id = "kernel.recvfrom.no_name",
       .requirement =
           "recvfrom(2) on a TCP socket must set the length to 0 and "
           "leave the address alone.",
       .source = "measured on Linux 6.18",
       .run = &NoName},
      {.id = "kernel.recvfrom.no_name.end",
       .requirement =
           "recvfrom(2) at the end of the stream must set the length "
           "to 0, too.",
       .source = "measured on Linux 6.18",
       .run = &NoNameAtTheEnd},
      {.id = "kernel.recvfrom.bad_length",
       .requirement = "recvfrom(2) must fail with EINVAL if the length is "
                      "negative and with EFAULT if it is not readable; the "
                      "bytes are lost.",
       .source = "measured on Linux 6.18",
       .run = &BadLength},
      {.id = "kernel.recvfrom.failure",
       .requirement = "A recvfrom(2) that fails must not look at the length.",
       .source = "measured on Linux 6.18",
       .run = &FailureKeepsTheLength},
      {.id = "kernel.recvfrom.blocks",
       .requirement = "recvfrom(2) must block until there is data.",
       .source = "recv(2), DESCRIPTION",
       .run = &Blocks},
      {.id = "kernel.accept.no_flags",
       .requirement =
           "A socket from accept(2) must not inherit O_NONBLOCK, and "
           "must not be close-on-exec.",
       .source = "accept(2), NOTES",
       .run = &AcceptFlags},
      {.id = "kernel.accept.no_flags.blocks",
       .requirement = "accept(2) must block until there is a connection.",
       .source = "accept(2), DESCRIPTION",
       .run = &AcceptBlocks},
      {.id = "kernel.accept.no_flags.errors",
       .requirement = "accept(2) must fail with EBADF, ENOTSOCK and EINVAL as "
                      "accept4(2) does.",
       .source = "accept(2), ERRORS",
       .run = &AcceptErrors},
  };
  return cases;
}

}  // namespace net::conformance
