// What options do: TCP_SAVED_SYN, filters, interfaces, TCP Fast Open; and
// 127.0.0.0.

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
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

using loopback::Bind;
using loopback::ConnectTo;
using loopback::Listener;
using loopback::ListenOn;
using loopback::Pair;
using loopback::RawSocket;

// ---- TCP_SAVED_SYN ----------------------------------------------------------

// Calls getsockopt(2) for the saved SYN with `room` bytes. Returns the length
// that it sets, and appends the bytes to `syn`.
SysResult GetSyn(const RawSocket& socket, socklen_t room, socklen_t& length,
                 std::string& syn) {
  std::array<char, 256> bytes = {};
  length = room;
  const SysResult got = socket.syscalls().GetSockOpt(
      socket.fd(), IPPROTO_TCP, TCP_SAVED_SYN, bytes.data(), &length);
  syn = got.ok() ? std::string(bytes.data(), length) : std::string();
  return got;
}

// Returns a number of the SYN in network byte order.
uint32_t Number(absl::string_view syn, size_t at, size_t size) {
  uint32_t number = 0;
  for (size_t i = at; i < at + size && i < syn.size(); ++i) {
    number = number << 8 | static_cast<uint8_t>(syn[i]);
  }
  return number;
}

// A SYN from the IP header on, and the names of the socket that sent it.
struct Syn {
  std::string bytes;
  ip::Endpoint client;
  ip::Endpoint server;
};

// Accepts a connection of a client with `options` from a listener that saves
// SYNs, and returns the SYN.
absl::StatusOr<Syn> SynOf(Context& c, const std::vector<IntOption>& options) {
  auto listener = NewListener(c);
  if (!listener.ok()) return listener.status();
  auto client = NewTcp(c);
  if (!client.ok()) return client.status();
  bool set = SetTcp(listener->socket(), TCP_SAVE_SYN, 1).ok();
  for (const IntOption& option : options) {
    set =
        set && client->SetOption(option.level, option.name, option.value).ok();
  }
  if (!set) return absl::InternalError("setsockopt");
  if (!Connect(*client, listener->endpoint()).ok()) {
    return absl::InternalError("connect");
  }
  auto server = listener->Accept();
  if (!server.ok()) return server.status();
  const auto name = client->LocalEndpoint();
  if (!name.ok()) return name.status();
  Syn syn = {.bytes = "", .client = *name, .server = listener->endpoint()};
  socklen_t length = 0;
  if (!GetSyn(*server, 200, length, syn.bytes).ok()) {
    return absl::InternalError("getsockopt");
  }
  return syn;
}

void SavedSynLength(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair,
                       AcceptWith(c, {{IPPROTO_TCP, TCP_SAVE_SYN, 1}}));
  const socklen_t full = c.v6() ? 80 : 60;
  socklen_t length = 0;
  std::string syn;
  for (const socklen_t room : {socklen_t{0}, socklen_t{1}, full - 1}) {
    EXPECT_THAT(GetSyn(pair.server, room, length, syn), IsErrno(EINVAL));
    EXPECT_EQ(length, full);
  }
  EXPECT_THAT(GetSyn(pair.server, 200, length, syn), IsOk());
  EXPECT_EQ(length, full);
  EXPECT_THAT(GetSyn(pair.server, 200, length, syn), IsOk());
  EXPECT_EQ(length, 0U);
}

void SavedSynOfOthers(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair,
                       AcceptWith(c, {{IPPROTO_TCP, TCP_SAVE_SYN, 1}}));
  socklen_t length = 0;
  std::string syn;
  EXPECT_THAT(GetSyn(pair.client, 200, length, syn), IsOk());
  EXPECT_EQ(length, 0U);
  ASSERT_OK_AND_ASSIGN(const Pair plain, NewPair(c));
  EXPECT_THAT(GetSyn(plain.server, 200, length, syn), IsOk());
  EXPECT_EQ(length, 0U);
}

void SavedSynWithLink(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair,
                       AcceptWith(c, {{IPPROTO_TCP, TCP_SAVE_SYN, 2}}));
  socklen_t length = 0;
  std::string syn;
  EXPECT_THAT(GetSyn(pair.server, 200, length, syn), IsOk());
  EXPECT_EQ(length, c.v6() ? 94U : 74U);
  EXPECT_EQ(Number(syn, 12, 2), c.v6() ? 0x86ddU : 0x0800U);
}

void SavedSynAddresses(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Syn saved, SynOf(c, {}));
  const std::string& syn = saved.bytes;
  const size_t tcp = c.v6() ? 40 : 20;
  EXPECT_EQ(Number(syn, tcp, 2), saved.client.port);
  EXPECT_EQ(Number(syn, tcp + 2, 2), saved.server.port);
  EXPECT_EQ(Number(syn, tcp - 4, 4), c.v6() ? 1U : INADDR_LOOPBACK);
  EXPECT_EQ(Number(syn, tcp + 13, 1), 2U) << "SYN";
  EXPECT_EQ(Number(syn, 0, 1) >> 4, c.v6() ? 6U : 4U);
  EXPECT_EQ(Number(syn, c.v6() ? 6 : 9, 1), uint32_t{IPPROTO_TCP});
  EXPECT_EQ(Number(syn, c.v6() ? 7 : 8, 1), 64U) << "TTL";
}

void SavedSynTcpOptions(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Syn saved, SynOf(c, {}));
  const std::string& syn = saved.bytes;
  const size_t tcp = c.v6() ? 40 : 20;
  EXPECT_EQ(Number(syn, tcp + 12, 1), 0xa0U) << "data offset";
  EXPECT_EQ(Number(syn, tcp + 14, 2), c.v6() ? 65476U : 65495U) << "window";
  EXPECT_EQ(Number(syn, tcp + 20, 4), c.v6() ? 0x0204ffc4U : 0x0204ffd7U);
  EXPECT_EQ(Number(syn, tcp + 24, 4), 0x0402080aU) << "SACK, timestamps";
  EXPECT_EQ(Number(syn, tcp + 36, 3), 0x010303U) << "window scale";
}

void SavedSynFollowsOptions(Context& c) {
  std::vector<IntOption> options = {{IPPROTO_TCP, TCP_MAXSEG, 1000},
                                    {SOL_SOCKET, SO_RCVBUF, 5000}};
  if (c.v6()) {
    options.push_back({IPPROTO_IPV6, IPV6_TCLASS, 0x10});
    options.push_back({IPPROTO_IPV6, IPV6_UNICAST_HOPS, 77});
  } else {
    options.push_back({IPPROTO_IP, IP_TOS, 0x10});
    options.push_back({IPPROTO_IP, IP_TTL, 77});
  }
  ASSERT_OK_AND_ASSIGN(const Syn saved, SynOf(c, options));
  const std::string& syn = saved.bytes;
  const size_t tcp = c.v6() ? 40 : 20;
  EXPECT_EQ(c.v6() ? Number(syn, 0, 2) >> 4 & 0xff : Number(syn, 1, 1), 0x10U);
  EXPECT_EQ(Number(syn, c.v6() ? 7 : 8, 1), 77U);
  EXPECT_EQ(Number(syn, tcp + 14, 2), 5000U) << "window";
  EXPECT_EQ(Number(syn, tcp + 22, 2), 1000U) << "MSS";
  EXPECT_EQ(Number(syn, tcp + 39, 1), 0U) << "window scale";
}

void SavedSynMayBeFragmented(Context& c) {
  for (const auto& [discover, flags] :
       std::vector<std::pair<int, uint32_t>>{{IP_PMTUDISC_WANT, 0x4000},
                                             {IP_PMTUDISC_DO, 0x4000},
                                             {IP_PMTUDISC_DONT, 0}}) {
    ASSERT_OK_AND_ASSIGN(const Syn syn,
                         SynOf(c, {{IPPROTO_IP, IP_MTU_DISCOVER, discover}}));
    EXPECT_EQ(Number(syn.bytes, 6, 2), flags) << discover;
  }
}

void SavedSynIsSwitchedBefore(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_THAT(SetTcp(listener.socket(), TCP_SAVE_SYN, 1), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  socklen_t length = 0;
  std::string syn;
  EXPECT_THAT(GetSyn(server, 200, length, syn), IsOk());
  EXPECT_EQ(length, 0U);
}

// ---- Filters ----------------------------------------------------------------

using Program = std::vector<sock_filter>;

const sock_filter kAcceptAll = {BPF_RET | BPF_K, 0, 0, 0xffffffff};

SysResult Attach(const RawSocket& socket, Program program) {
  const sock_fprog request = {
      .len = static_cast<unsigned short>(program.size()),  // NOLINT
      .filter = program.data()};
  return SetOptionTo(socket, SOL_SOCKET, SO_ATTACH_FILTER, request);
}

SysResult Detach(const RawSocket& socket) {
  return SetSocketOption(socket, SO_DETACH_FILTER, 0);
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
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Detach(socket), IsErrno(ENOENT));
  EXPECT_THAT(Attach(socket, {kAcceptAll}), IsOk());
  EXPECT_THAT(Attach(socket, {kAcceptAll}), IsOk());
  EXPECT_THAT(Detach(socket), IsOk());
  EXPECT_THAT(Detach(socket), IsErrno(ENOENT));
}

void FilterLetsThrough(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(Attach(pair.server, {kAcceptAll}), IsOk());
  EXPECT_THAT(pair.client.Send("hello"), IsOkAndHolds(5));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("hello"));
}

void FilterIsReturned(Context& c) {
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
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Attach(socket, {kAcceptAll}), IsOk());
  ASSERT_THAT(SetSocketOption(socket, SO_LOCK_FILTER, 1), IsOk());
  EXPECT_THAT(Attach(socket, {kAcceptAll}), IsErrno(EPERM));
  EXPECT_THAT(Detach(socket), IsErrno(EPERM));
  EXPECT_THAT(SetSocketOption(socket, SO_LOCK_FILTER, 0), IsErrno(EPERM));
}

void FilterIsInherited(Context& c) {
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
      {.id = "kernel.saved_syn.length",
       .requirement =
           "TCP_SAVED_SYN must fail with EINVAL and the length that "
           "is needed if the buffer is too short, and return the SYN "
           "once.",
       .source = "measured on Linux 6.18",
       .run = &SavedSynLength},
      {.id = "kernel.saved_syn.others",
       .requirement = "TCP_SAVED_SYN must return nothing for the connecting "
                      "side, and where the listener had not TCP_SAVE_SYN.",
       .source = "measured on Linux 6.18",
       .run = &SavedSynOfOthers},
      {.id = "kernel.saved_syn.link",
       .requirement = "With TCP_SAVE_SYN 2 the SYN must begin with the link "
                      "layer's header.",
       .source = "measured on Linux 6.18",
       .run = &SavedSynWithLink},
      {.id = "kernel.saved_syn.addresses",
       .requirement = "The saved SYN must have the addresses and ports of the "
                      "connection.",
       .source = "RFC 9293, section 3.1",
       .run = &SavedSynAddresses},
      {.id = "kernel.saved_syn.options",
       .requirement = "The saved SYN must have the window, the MSS and the TCP "
                      "options of the loopback interface.",
       .source = "RFC 7323; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &SavedSynTcpOptions},
      {.id = "kernel.saved_syn.follows_options",
       .requirement = "The saved SYN must have the client's type of service, "
                      "TTL, MSS and window.",
       .source = "ip(7), IP_TOS and IP_TTL; tcp(7), TCP_MAXSEG",
       .run = &SavedSynFollowsOptions},
      {.id = "kernel.saved_syn.fragments",
       .requirement = "A SYN must have the don't-fragment flag unless "
                      "IP_MTU_DISCOVER is IP_PMTUDISC_DONT.",
       .source = "ip(7), IP_MTU_DISCOVER",
       .families = AddressFamilies::kV4,
       .run = &SavedSynMayBeFragmented},
      {.id = "kernel.saved_syn.before",
       .requirement = "TCP_SAVE_SYN must act on SYNs that arrive later.",
       .source = "measured on Linux 6.18",
       .run = &SavedSynIsSwitchedBefore},
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
