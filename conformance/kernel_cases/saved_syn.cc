// TCP_SAVE_SYN and TCP_SAVED_SYN.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

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
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::Listener;
using loopback::ListenOn;
using loopback::Pair;
using loopback::RawSocket;

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

// Returns the sum of RFC 1071 of the bytes from `at` on, and of `more`.
uint32_t Sum(absl::string_view bytes, size_t at, size_t size,
             uint32_t more = 0) {
  uint32_t sum = more;
  for (size_t i = at; i < at + size; i += 2) sum += Number(bytes, i, 2);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

void SavedSynChecksums(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Syn saved, SynOf(c, {}));
  const std::string& syn = saved.bytes;
  const size_t tcp = c.v6() ? 40 : 20;
  if (!c.v6()) {
    EXPECT_EQ(Sum(syn, 0, tcp), 0xffffU) << "IPv4 header";
  }
  const size_t addresses = c.v6() ? 32 : 8;
  const auto rest = static_cast<uint32_t>(IPPROTO_TCP + syn.size() - tcp);
  EXPECT_EQ(Number(syn, tcp + 16, 2),
            Sum(syn, tcp - addresses, addresses, rest));
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

}  // namespace

const std::vector<Case>& SavedSynKernelCases() {
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
      {.id = "kernel.saved_syn.checksums",
       .requirement =
           "The saved SYN must have the checksum of the IPv4 header and, as "
           "TCP's checksum, the sum of the pseudo header.",
       .source = "RFC 1071; Linux, CHECKSUM_PARTIAL in include/linux/skbuff.h",
       .needs = Need::kOwnNetwork,
       .run = &SavedSynChecksums},
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
  };
  return cases;
}

}  // namespace net::conformance
