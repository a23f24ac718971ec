// The read-only and simple options of SOL_SOCKET.

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectedPair;
using loopback::ListenAnywhere;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;

void WhatItIs(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_TYPE), IsOkAndHolds(SOCK_STREAM));
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_DOMAIN), IsOkAndHolds(c.family()));
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_PROTOCOL),
              IsOkAndHolds(+IPPROTO_TCP));
}

void ReadOnly(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int name : {SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ERROR,
                         SO_ACCEPTCONN, SO_SNDLOWAT, SO_PEERNAME, SO_COOKIE}) {
    EXPECT_THAT(SetSocketOption(socket, name, 1), IsErrno(ENOPROTOOPT)) << name;
  }
}

void AcceptConn(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  EXPECT_THAT(listener.socket().Option(SOL_SOCKET, SO_ACCEPTCONN),
              IsOkAndHolds(1));
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  EXPECT_THAT(pair.client.Option(SOL_SOCKET, SO_ACCEPTCONN), IsOkAndHolds(0));
  EXPECT_THAT(pair.server.Option(SOL_SOCKET, SO_ACCEPTCONN), IsOkAndHolds(0));
}

void NoError(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  EXPECT_THAT(pair.client.Option(SOL_SOCKET, SO_ERROR), IsOkAndHolds(0));
}

void ResetIsTakenOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(pair.server.Reset(), IsOk());
  EXPECT_THAT(pair.client.Option(SOL_SOCKET, SO_ERROR),
              IsOkAndHolds(ECONNRESET));
  EXPECT_THAT(pair.client.Option(SOL_SOCKET, SO_ERROR), IsOkAndHolds(0));
}

// A length of 0 returns no bytes, but the error is cleared.
void ErrorIsTakenInNoRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(pair.server.Reset(), IsOk());
  socklen_t size = 0;
  EXPECT_THAT(c.sys().GetSockOpt(pair.client.fd(), SOL_SOCKET, SO_ERROR,
                                 nullptr, &size),
              IsOk());
  EXPECT_THAT(pair.client.Option(SOL_SOCKET, SO_ERROR), IsOkAndHolds(0));
}

void SndLowat(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_SNDLOWAT), IsOkAndHolds(1));
}

void PriorityOfAnybody(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_PRIORITY), IsOkAndHolds(0));
  ExpectTakes(socket, SOL_SOCKET, SO_PRIORITY, {1, 6, 0}, {});
}

void BsdCompat(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetSocketOption(socket, SO_BSDCOMPAT, 1), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_BSDCOMPAT), IsOkAndHolds(0));
}

void PassCred(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetSocketOption(socket, SO_PASSCRED, 1), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_PASSCRED), IsErrno(EOPNOTSUPP));
}

void PeerCred(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const ucred nobody,
                       OptionOf<ucred>(pair.client, SOL_SOCKET, SO_PEERCRED));
  EXPECT_EQ(nobody.pid, 0);
  EXPECT_EQ(nobody.uid, static_cast<uid_t>(-1));
  EXPECT_EQ(nobody.gid, static_cast<gid_t>(-1));
}

void Cookies(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const auto one,
                       OptionOf<uint64_t>(pair.client, SOL_SOCKET, SO_COOKIE));
  ASSERT_OK_AND_ASSIGN(const auto other,
                       OptionOf<uint64_t>(pair.server, SOL_SOCKET, SO_COOKIE));
  EXPECT_NE(one, other);
  EXPECT_THAT(OptionOf<uint64_t>(pair.client, SOL_SOCKET, SO_COOKIE),
              IsOkAndHolds(one));
  EXPECT_THAT(pair.client.Option(SOL_SOCKET, SO_COOKIE), IsErrno(EINVAL));
}

void PeerName(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint server, pair.server.LocalEndpoint());
  const ip::SockAddr expected(server);
  sockaddr_storage name = {};
  socklen_t size = expected.size();
  ASSERT_THAT(c.sys().GetSockOpt(pair.client.fd(), SOL_SOCKET, SO_PEERNAME,
                                 &name, &size),
              IsOk());
  EXPECT_EQ(size, expected.size());
  sockaddr_storage peer = {};
  socklen_t peer_size = sizeof(peer);
  ASSERT_THAT(
      c.sys().GetPeerName(pair.client.fd(), reinterpret_cast<sockaddr*>(&peer),
                          &peer_size),
      IsOk());
  EXPECT_EQ(std::string(reinterpret_cast<char*>(&name), size),
            std::string(reinterpret_cast<char*>(&peer), peer_size));
}

void PeerNameInMuchRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  EXPECT_THAT(OptionOf<sockaddr_storage>(pair.client, SOL_SOCKET, SO_PEERNAME),
              IsErrno(EINVAL));
}

void PeerNameOfNobody(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_PEERNAME), IsErrno(ENOTCONN));
}

void Device(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  std::array<char, 16> name = {};
  socklen_t size = name.size();
  const auto get = [&] {
    return c.sys().GetSockOpt(socket.fd(), SOL_SOCKET, SO_BINDTODEVICE,
                              name.data(), &size);
  };
  EXPECT_THAT(get(), IsOk());
  EXPECT_EQ(size, 0);
  EXPECT_THAT(SetOptionAt(socket, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2),
              IsOk());
  size = name.size();
  EXPECT_THAT(get(), IsOk());
  EXPECT_EQ(size, sizeof("lo"));
  EXPECT_STREQ(name.data(), "lo");
  size = name.size() - 1;
  EXPECT_THAT(get(), IsErrno(EINVAL));
}

void NoSuchDevice(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetOptionAt(socket, SOL_SOCKET, SO_BINDTODEVICE, "nosuch", 6),
              IsErrno(ENODEV));
}

void DeviceStillConnects(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(SetOptionAt(socket, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3),
              IsOk());
  EXPECT_THAT(Connect(socket, listener.endpoint()), IsOk());
}

void TimestampsReplaceEachOther(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetSocketOption(socket, SO_TIMESTAMP, 1), IsOk());
  EXPECT_THAT(SetSocketOption(socket, SO_TIMESTAMPNS, 1), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_TIMESTAMP), IsOkAndHolds(0));
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_TIMESTAMPNS), IsOkAndHolds(1));
  EXPECT_THAT(SetSocketOption(socket, SO_TIMESTAMP, 0), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_TIMESTAMPNS), IsOkAndHolds(0));
}

void LockedFilter(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetSocketOption(socket, SO_DETACH_FILTER, 0), IsErrno(ENOENT));
  EXPECT_THAT(SetSocketOption(socket, SO_LOCK_FILTER, 1), IsOk());
  EXPECT_THAT(SetSocketOption(socket, SO_LOCK_FILTER, 0), IsErrno(EPERM));
  EXPECT_THAT(SetSocketOption(socket, SO_DETACH_FILTER, 0), IsErrno(EPERM));
}

void ZeroCopy(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, SOL_SOCKET, SO_ZEROCOPY, {0, 1}, {-1, 2});
}

void PacingRate(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  constexpr uint64_t kBig = 0x100000002;
  EXPECT_THAT(OptionOf<uint64_t>(socket, SOL_SOCKET, SO_MAX_PACING_RATE),
              IsOkAndHolds(UINT64_MAX));
  EXPECT_THAT(SetOptionTo(socket, SOL_SOCKET, SO_MAX_PACING_RATE, kBig),
              IsOk());
  EXPECT_THAT(OptionOf<uint64_t>(socket, SOL_SOCKET, SO_MAX_PACING_RATE),
              IsOkAndHolds(kBig));
  EXPECT_THAT(OptionOf<uint32_t>(socket, SOL_SOCKET, SO_MAX_PACING_RATE),
              IsOkAndHolds(UINT32_MAX));
  EXPECT_THAT(SetSocketOption(socket, SO_MAX_PACING_RATE, 4711), IsOk());
  EXPECT_THAT(OptionOf<uint64_t>(socket, SOL_SOCKET, SO_MAX_PACING_RATE),
              IsOkAndHolds(4711u));
}

void LingerReadsBack(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetOptionTo(socket, SOL_SOCKET, SO_LINGER, linger{7, 5}), IsOk());
  ASSERT_OK_AND_ASSIGN(linger told,
                       OptionOf<linger>(socket, SOL_SOCKET, SO_LINGER));
  EXPECT_EQ(told.l_onoff, 1);
  EXPECT_EQ(told.l_linger, 5);
  EXPECT_THAT(SetOptionTo(socket, SOL_SOCKET, SO_LINGER, linger{0, 9}), IsOk());
  ASSERT_OK_AND_ASSIGN(told, OptionOf<linger>(socket, SOL_SOCKET, SO_LINGER));
  EXPECT_EQ(told.l_onoff, 0);
  EXPECT_EQ(told.l_linger, 5);
}

void LingerTooShort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetSocketOption(socket, SO_LINGER, 1), IsErrno(EINVAL));
}

void MemInfo(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(SetSocketOption(socket, SO_RCVBUF, 10000), IsOk());
  ASSERT_THAT(SetSocketOption(socket, SO_SNDBUF, 20000), IsOk());
  using Memory = std::array<uint32_t, 9>;
  ASSERT_OK_AND_ASSIGN(const Memory memory,
                       OptionOf<Memory>(socket, SOL_SOCKET, SO_MEMINFO));
  EXPECT_EQ(memory[1], 20000);
  EXPECT_EQ(memory[3], 40000);
}

}  // namespace

const std::vector<Case>& OptionsSocketKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.options.what_it_is",
       .requirement = "SO_TYPE, SO_DOMAIN and SO_PROTOCOL must return the "
                      "arguments of socket(2).",
       .source = "socket(7)",
       .run = &WhatItIs},
      {.id = "kernel.options.read_only",
       .requirement = "Setting a read-only option must fail with ENOPROTOOPT.",
       .source = "measured on Linux 6.18",
       .run = &ReadOnly},
      {.id = "kernel.options.acceptconn",
       .requirement =
           "SO_ACCEPTCONN must be 1 on listeners and 0 on other sockets.",
       .source = "socket(7), SO_ACCEPTCONN",
       .run = &AcceptConn},
      {.id = "kernel.options.error.none",
       .requirement = "SO_ERROR must be 0 if there is no pending error.",
       .source = "socket(7), SO_ERROR",
       .run = &NoError},
      {.id = "kernel.options.error.taken_once",
       .requirement = "SO_ERROR must return the error of a reset once.",
       .source = "socket(7), SO_ERROR",
       .run = &ResetIsTakenOnce},
      {.id = "kernel.options.error.taken_in_no_room",
       .requirement =
           "Reading SO_ERROR with a length of 0 must clear the error.",
       .source = "measured on Linux 6.18",
       .run = &ErrorIsTakenInNoRoom},
      {.id = "kernel.options.sndlowat",
       .requirement = "SO_SNDLOWAT must be 1.",
       .source = "socket(7), SO_SNDLOWAT",
       .run = &SndLowat},
      {.id = "kernel.options.priority.of_anybody",
       .requirement =
           "SO_PRIORITY must be 0 by default, and unprivileged programs must "
           "be able to set it to any value from 0 to 6.",
       .source = "socket(7), SO_PRIORITY",
       .run = &PriorityOfAnybody},
      {.id = "kernel.options.bsdcompat",
       .requirement = "Setting SO_BSDCOMPAT must succeed and have no effect.",
       .source = "socket(7), SO_BSDCOMPAT",
       .run = &BsdCompat},
      {.id = "kernel.options.passcred",
       .requirement =
           "Setting or reading SO_PASSCRED must fail with EOPNOTSUPP.",
       .source = "measured on Linux 6.18",
       .run = &PassCred},
      {.id = "kernel.options.peercred",
       .requirement = "SO_PEERCRED must return pid 0 and the uid and gid -1.",
       .source = "measured on Linux 6.18",
       .run = &PeerCred},
      {.id = "kernel.options.cookie",
       .requirement =
           "SO_COOKIE must be different for each socket and constant for one "
           "socket, and reading it into 4 bytes must fail with EINVAL.",
       .source = "measured on Linux 6.18",
       .run = &Cookies},
      {.id = "kernel.options.peername",
       .requirement =
           "SO_PEERNAME must return the address that getpeername(2) returns.",
       .source = "measured on Linux 6.18",
       .run = &PeerName},
      {.id = "kernel.options.peername.much_room",
       .requirement = "Reading SO_PEERNAME must fail with EINVAL if the length "
                      "is more than the address's.",
       .source = "measured on Linux 6.18",
       .run = &PeerNameInMuchRoom},
      {.id = "kernel.options.peername.of_nobody",
       .requirement =
           "Reading SO_PEERNAME must fail with ENOTCONN without a peer.",
       .source = "measured on Linux 6.18",
       .run = &PeerNameOfNobody},
      {.id = "kernel.options.bindtodevice",
       .requirement = "SO_BINDTODEVICE must read back the name, and fail with "
                      "EINVAL if the length is less than IFNAMSIZ.",
       .source = "socket(7), SO_BINDTODEVICE",
       .run = &Device},
      {.id = "kernel.options.bindtodevice.no_such",
       .requirement = "Setting SO_BINDTODEVICE must fail with ENODEV for a "
                      "device that does not exist.",
       .source = "measured on Linux 6.18",
       .run = &NoSuchDevice},
      {.id = "kernel.options.bindtodevice.connects",
       .requirement = "A socket that is bound to the loopback device must be "
                      "able to connect over it.",
       .source = "socket(7), SO_BINDTODEVICE",
       .run = &DeviceStillConnects},
      {.id = "kernel.options.timestamps",
       .requirement = "Setting one of SO_TIMESTAMP and SO_TIMESTAMPNS must "
                      "clear the other, and clearing one must clear both.",
       .source = "measured on Linux 6.18",
       .run = &TimestampsReplaceEachOther},
      {.id = "kernel.options.lock_filter",
       .requirement = "SO_LOCK_FILTER must not be clearable, and "
                      "SO_DETACH_FILTER must fail with EPERM once it is set.",
       .source = "socket(7), SO_LOCK_FILTER",
       .run = &LockedFilter},
      {.id = "kernel.options.zerocopy",
       .requirement = "SO_ZEROCOPY must accept only 0 and 1.",
       .source = "measured on Linux 6.18",
       .run = &ZeroCopy},
      {.id = "kernel.options.max_pacing_rate",
       .requirement =
           "SO_MAX_PACING_RATE must accept 32 and 64 bits, and return the "
           "maximum of 32 bits if a larger value is read into them.",
       .source = "measured on Linux 6.18",
       .run = &PacingRate},
      {.id = "kernel.options.linger.reads_back",
       .requirement = "SO_LINGER must read back 1 and the seconds, and keep "
                      "the seconds when it is switched off.",
       .source = "socket(7), SO_LINGER; measured on Linux 6.18",
       .run = &LingerReadsBack},
      {.id = "kernel.options.linger.too_short",
       .requirement = "Setting SO_LINGER by an int must fail with EINVAL.",
       .source = "socket(7), SO_LINGER",
       .run = &LingerTooShort},
      {.id = "kernel.options.meminfo",
       .requirement = "SO_MEMINFO must return nine values, SO_RCVBUF and "
                      "SO_SNDBUF among them.",
       .source = "measured on Linux 6.18",
       .run = &MemInfo},
  };
  return cases;
}

}  // namespace net::conformance
