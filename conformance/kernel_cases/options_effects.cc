// The effects of socket filters and SO_BINDTOIFINDEX, and the address
// 127.0.0.0.

#include <linux/filter.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/precondition.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Bind;
using loopback::ConnectTo;
using loopback::Listener;
using loopback::ListenOn;
using loopback::Pair;
using loopback::RawSocket;

// ---- Filters ----------------------------------------------------------------

using Program = std::vector<sock_filter>;

const sock_filter kAcceptAll = {BPF_RET | BPF_K, 0, 0, 0xffffffff};

SysResult Attach(const RawSocket& socket, Program program) {
  const sock_fprog request = {
      .len = static_cast<decltype(sock_fprog::len)>(program.size()),
      .filter = program.data()};
  return SetOptionTo(socket, SOL_SOCKET, SO_ATTACH_FILTER, request);
}

SysResult Detach(const RawSocket& socket) {
  return SetSocketOption(socket, SO_DETACH_FILTER, 0);
}

// Returns whether this process may attach filters. Linux 6.18.44 permits it
// only to those who administer the network, and older versions to everybody.
bool MayAttach(Context& c) {
  const absl::StatusOr<RawSocket> socket = NewTcp(c);
  if (!socket.ok() || Attach(*socket, {kAcceptAll}).error() != EPERM) {
    return true;
  }
  NotePrecondition("may not attach filters: setsockopt: EPERM");
  return false;
}

// Calls getsockopt(2) with room for `room` instructions. Returns the number
// that it sets.
SysResult GetFilter(const RawSocket& socket, socklen_t room, socklen_t& count) {
  std::array<sock_filter, 8> program = {};
  count = room;
  return socket.syscalls().GetSockOpt(socket.fd(), SOL_SOCKET, SO_GET_FILTER,
                                      program.data(), &count);
}

void Filter(Context& c) {
  if (!MayAttach(c)) return;
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Detach(socket), IsErrno(ENOENT));
  EXPECT_THAT(Attach(socket, {kAcceptAll}), IsOk());
  EXPECT_THAT(Attach(socket, {kAcceptAll}), IsOk());
  EXPECT_THAT(Detach(socket), IsOk());
  EXPECT_THAT(Detach(socket), IsErrno(ENOENT));
}

void FilterLetsThrough(Context& c) {
  if (!MayAttach(c)) return;
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(Attach(pair.server, {kAcceptAll}), IsOk());
  EXPECT_THAT(pair.client.Send("hello"), IsOkAndHolds(5));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("hello"));
}

void FilterIsReturned(Context& c) {
  if (!MayAttach(c)) return;
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  socklen_t count = 0;
  EXPECT_THAT(GetFilter(socket, 8, count), IsOk());
  EXPECT_EQ(count, 0U);
  const sock_filter load = {BPF_LD | BPF_H | BPF_ABS, 0, 0, 12};
  ASSERT_THAT(Attach(socket, {load, kAcceptAll}), IsOk());
  EXPECT_THAT(GetFilter(socket, 0, count), IsOk());
  EXPECT_EQ(count, 2U);
  EXPECT_THAT(GetFilter(socket, 1, count), IsErrno(EINVAL));
  EXPECT_THAT(GetFilter(socket, 8, count), IsOk());
  EXPECT_EQ(count, 2U);
}

void FilterMistakes(Context& c) {
  if (!MayAttach(c)) return;
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const std::vector<Program> programs = {
      {},
      {{BPF_LD | BPF_IMM, 0, 0, 1}},                        // no return
      {{0xffff, 0, 0, 1}},                                  // no such opcode
      {{BPF_JMP | BPF_JA, 0, 0, 7}, kAcceptAll},            // jumps out
      {{BPF_JMP | BPF_JEQ | BPF_K, 0, 5, 1}, kAcceptAll},   // jumps out
      {{BPF_ALU | BPF_DIV | BPF_K, 0, 0, 0}, kAcceptAll},   // divides by 0
      {{BPF_ALU | BPF_LSH | BPF_K, 0, 0, 32}, kAcceptAll},  // shifts too far
      {{BPF_LD | BPF_MEM, 0, 0, 16}, kAcceptAll},           // no such word
      {{BPF_LD | BPF_MEM, 0, 0, 3}, kAcceptAll},            // never written
      {{BPF_LD | BPF_H | BPF_ABS, 0, 0, 0xfffff0f0}, kAcceptAll},
      {{BPF_RET | BPF_X, 0, 0, 0}}};
  for (const Program& program : programs) {
    EXPECT_THAT(Attach(socket, program), IsErrno(EINVAL));
  }
  EXPECT_THAT(Attach(socket, Program(BPF_MAXINSNS + 1, kAcceptAll)),
              IsErrno(EINVAL));
  EXPECT_THAT(Attach(socket, {{BPF_ST, 0, 0, 3},
                              {BPF_LD | BPF_MEM, 0, 0, 3},
                              {BPF_RET | BPF_A, 0, 0, 0}}),
              IsOk());
}

void FilterArguments(Context& c) {
  if (!MayAttach(c)) return;
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  sock_filter accept_all = kAcceptAll;
  sock_fprog request = {.len = 1, .filter = &accept_all};
  for (const int size : {4, 8, 15}) {
    EXPECT_THAT(
        SetOptionAt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &request, size),
        IsErrno(EINVAL));
  }
  request.filter = nullptr;
  EXPECT_THAT(SetOptionTo(socket, SOL_SOCKET, SO_ATTACH_FILTER, request),
              IsErrno(EINVAL));
  request.filter = reinterpret_cast<sock_filter*>(BadAddress());
  EXPECT_THAT(SetOptionTo(socket, SOL_SOCKET, SO_ATTACH_FILTER, request),
              IsErrno(EFAULT));
}

void FilterLock(Context& c) {
  if (!MayAttach(c)) return;
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Attach(socket, {kAcceptAll}), IsOk());
  ASSERT_THAT(SetSocketOption(socket, SO_LOCK_FILTER, 1), IsOk());
  EXPECT_THAT(Attach(socket, {kAcceptAll}), IsErrno(EPERM));
  EXPECT_THAT(Detach(socket), IsErrno(EPERM));
  EXPECT_THAT(SetSocketOption(socket, SO_LOCK_FILTER, 0), IsErrno(EPERM));
}

void FilterIsInherited(Context& c) {
  if (!MayAttach(c)) return;
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_THAT(Attach(listener.socket(), {kAcceptAll}), IsOk());
  ASSERT_THAT(SetSocketOption(listener.socket(), SO_LOCK_FILTER, 1), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  socklen_t count = 0;
  EXPECT_THAT(GetFilter(server, 0, count), IsOk());
  EXPECT_EQ(count, 1U);
  EXPECT_THAT(Detach(server), IsErrno(EPERM));
}

// ---- SO_BINDTOIFINDEX -------------------------------------------------------

constexpr int kNoInterface = 7;

void InterfaceOfBind(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(SetSocketOption(socket, SO_BINDTOIFINDEX, kNoInterface), IsOk());
  if (c.v6()) {
    EXPECT_THAT(Bind(socket, {c.Loopback(), 0}), IsErrno(ENODEV));
  } else {
    EXPECT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
  }
}

void InterfaceOfConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(SetSocketOption(socket, SO_BINDTOIFINDEX, kNoInterface), IsOk());
  EXPECT_THAT(Connect(socket, listener.endpoint()),
              IsErrno(c.v6() ? ENETUNREACH : ENODEV));
  ASSERT_OK_AND_ASSIGN(const RawSocket loopback, NewTcp(c));
  ASSERT_THAT(SetSocketOption(loopback, SO_BINDTOIFINDEX, 1), IsOk());
  EXPECT_THAT(Connect(loopback, listener.endpoint()), IsOk());
}

// Connects to an address at which nothing answers. Linux takes the socket's own
// address from the route, so without one the socket gets the wildcard.
void InterfaceOfForeignConnect(Context& c) {
  constexpr ip::Addr kForeign = ip::Addr::V4(192, 0, 2, 1);
  ASSERT_OK_AND_ASSIGN(const RawSocket routed, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(Connect(routed, {kForeign, 80}), IsErrno(ENETUNREACH));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c, SOCK_NONBLOCK));
  ASSERT_THAT(SetSocketOption(socket, SO_BINDTOIFINDEX, 1), IsOk());
  EXPECT_THAT(Connect(socket, {kForeign, 80}), IsErrno(EINPROGRESS));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, socket.LocalEndpoint());
  EXPECT_EQ(local.addr, ip::kAnyV4);
  EXPECT_NE(local.port, 0);
  for (const ip::Addr& addr :
       {ip::Addr::V4(224, 0, 0, 1), ip::Addr::V4(255, 255, 255, 255)}) {
    ASSERT_OK_AND_ASSIGN(const RawSocket other, NewTcp(c, SOCK_NONBLOCK));
    ASSERT_THAT(SetSocketOption(other, SO_BINDTOIFINDEX, 1), IsOk());
    EXPECT_THAT(Connect(other, {addr, 80}), IsErrno(ENETUNREACH));
  }
}

void InterfaceOfListener(Context& c) {
  for (const int index : {1, kNoInterface}) {
    ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
    ASSERT_THAT(SetSocketOption(socket, SO_BINDTOIFINDEX, index), IsOk());
    ASSERT_THAT(Bind(socket, {c.v6() ? ip::kAnyV6 : ip::kAnyV4, 0}), IsOk());
    ASSERT_THAT(Listen(socket), IsOk());
    ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, socket.LocalEndpoint());
    ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
    EXPECT_THAT(Connect(client, {c.Loopback(), local.port}),
                ReturnsErrno(index == 1 ? 0 : ECONNREFUSED));
  }
}

// ---- 127.0.0.0 --------------------------------------------------------------

constexpr ip::Addr kNetwork = ip::Addr::V4(127, 0, 0, 0);

void NetworkAddressConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenOn(c.sys(), {ip::kAnyV4, 0}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local,
                       listener.socket().LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  EXPECT_THAT(Connect(client, {kNetwork, local.port}), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint name, client.LocalEndpoint());
  EXPECT_EQ(name.addr, ip::kLocalV4);
  EXPECT_THAT(client.PeerEndpoint(),
              IsOkAndHolds(ip::Endpoint{kNetwork, local.port}));
}

void NetworkAddressRefused(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  EXPECT_THAT(Connect(client, {kNetwork, listener.endpoint().port}),
              IsErrno(ECONNREFUSED));
}

void NetworkAddressBind(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Bind(client, {kNetwork, 0}), IsOk());
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint name, client.LocalEndpoint());
  EXPECT_EQ(name.addr, kNetwork);
}

void NetworkAddressListen(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenOn(c.sys(), {kNetwork, 0}));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket other, NewTcp(c));
  EXPECT_THAT(Connect(other, {ip::kLocalV4, listener.endpoint().port}),
              IsErrno(ECONNREFUSED));
}

void NetworkAddressToAny(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenOn(c.sys(), {ip::kAnyV4, 0}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local,
                       listener.socket().LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Bind(client, {kNetwork, 0}), IsOk());
  EXPECT_THAT(Connect(client, {ip::kAnyV4, local.port}), IsOk());
  EXPECT_THAT(client.PeerEndpoint(),
              IsOkAndHolds(ip::Endpoint{kNetwork, local.port}));
}

}  // namespace

const std::vector<Case>& OptionsEffectsKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.filter.attach",
       .requirement = "SO_ATTACH_FILTER must attach or replace a filter, and "
                      "SO_DETACH_FILTER remove it or fail with ENOENT.",
       .source = "socket(7), SO_ATTACH_FILTER",
       .run = &Filter},
      {.id = "kernel.filter.lets_through",
       .requirement = "A filter that accepts everything must let data through.",
       .source = "socket(7), SO_ATTACH_FILTER",
       .run = &FilterLetsThrough},
      {.id = "kernel.filter.get",
       .requirement = "SO_GET_FILTER must return the filter's instructions, "
                      "counted by the length.",
       .source = "measured on Linux 6.18",
       .run = &FilterIsReturned},
      {.id = "kernel.filter.mistakes",
       .requirement = "SO_ATTACH_FILTER must fail with EINVAL for a program "
                      "that is not valid.",
       .source = "measured on Linux 6.18",
       .run = &FilterMistakes},
      {.id = "kernel.filter.arguments",
       .requirement =
           "SO_ATTACH_FILTER must fail with EINVAL for a value of "
           "another size or without a program, and with EFAULT for a "
           "program at an invalid address.",
       .source = "setsockopt(2), ERRORS; measured on Linux 6.18",
       .run = &FilterArguments},
      {.id = "kernel.filter.lock",
       .requirement = "After SO_LOCK_FILTER the filter must not change.",
       .source = "socket(7), SO_LOCK_FILTER",
       .run = &FilterLock},
      {.id = "kernel.filter.inherited",
       .requirement =
           "An accepted socket must inherit the filter and its lock.",
       .source = "measured on Linux 6.18",
       .run = &FilterIsInherited},
      {.id = "kernel.interface.bind",
       .requirement = "bind(2) of an IPv6 socket to an address must fail with "
                      "ENODEV if the interface of SO_BINDTOIFINDEX does not "
                      "exist; that of an IPv4 socket must succeed.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &InterfaceOfBind},
      {.id = "kernel.interface.connect",
       .requirement = "connect(2) must fail with ENODEV over IPv4 and "
                      "ENETUNREACH over IPv6 if the interface of "
                      "SO_BINDTOIFINDEX does not exist.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &InterfaceOfConnect},
      {.id = "kernel.interface.connect.foreign",
       .requirement = "connect(2) to an IPv4 address without a route must be "
                      "in progress if SO_BINDTOIFINDEX names the loopback "
                      "interface.",
       .source = "net/ipv4/route.c, ip_route_output_key_hash_rcu(); measured "
                 "on Linux 6.18",
       .families = AddressFamilies::kV4,
       .needs = Need::kOwnNetwork,
       .run = &InterfaceOfForeignConnect},
      {.id = "kernel.interface.listen",
       .requirement =
           "A listener must get connections only of the interface of "
           "SO_BINDTOIFINDEX.",
       .source = "socket(7), SO_BINDTODEVICE",
       .needs = Need::kOwnNetwork,
       .run = &InterfaceOfListener},
      {.id = "kernel.network_address.connect",
       .requirement = "connect(2) to 127.0.0.0 must reach a listener on all "
                      "addresses.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &NetworkAddressConnect},
      {.id = "kernel.network_address.refused",
       .requirement = "connect(2) to 127.0.0.0 must fail with ECONNREFUSED if "
                      "nobody listens there.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &NetworkAddressRefused},
      {.id = "kernel.network_address.bind",
       .requirement = "A socket that is bound to 127.0.0.0 must connect from "
                      "there.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &NetworkAddressBind},
      {.id = "kernel.network_address.listen",
       .requirement = "A listener on 127.0.0.0 must get connections to that "
                      "address only.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &NetworkAddressListen},
      {.id = "kernel.network_address.to_any",
       .requirement = "connect(2) to 0.0.0.0 from 127.0.0.0 must go to "
                      "127.0.0.0.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &NetworkAddressToAny},
  };
  return cases;
}

}  // namespace net::conformance
