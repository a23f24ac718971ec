// IPPROTO_IPV6: ipv6(7).

#include <linux/ipv6.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "fakes/kernel/options/option_levels.h"
#include "fakes/kernel/options/option_values.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

// Names that the libc headers lack or that are newer than these.
constexpr int kIpv6FlowInfo = 11;
constexpr int kIpv6FlowLabelMgr = 32;
constexpr int kIpv6FlowInfoSend = 33;
constexpr int kIpv6MulticastAll = 29;
constexpr int kIpv6RouterAlertIsolate = 30;
constexpr int kIpv6RecvErrRfc4884 = 31;
constexpr int kIpv6UnicastIf = 76;

constexpr int kLeastMtu = 1280;  // RFC 8200, section 5.
constexpr int kLoopbackIndex = 1;

constexpr OptionRow kRows[] = {
    {IPV6_2292PKTINFO, Slot::k2292PktInfo},
    {IPV6_2292HOPOPTS, Slot::k2292HopOpts},
    {IPV6_2292DSTOPTS, Slot::k2292DstOpts},
    {IPV6_2292RTHDR, Slot::k2292RtHdr},
    {IPV6_2292HOPLIMIT, Slot::k2292HopLimit},
    {kIpv6FlowInfo, Slot::kFlowInfo},
    {IPV6_UNICAST_HOPS, Slot::kUnicastHops, Rule::kRange, -1, 255},
    {IPV6_MULTICAST_IF, Slot::kV6MulticastInterface, Rule::kReadOnly},
    {IPV6_MULTICAST_HOPS, Slot::kMulticastHops, Rule::kReadOnly},
    {IPV6_MULTICAST_LOOP, Slot::kV6MulticastLoop, Rule::kRange, 0, 1},
    {IPV6_MTU_DISCOVER, Slot::kV6MtuDiscover, Rule::kRange, 0, 5},
    {IPV6_RECVERR, Slot::kV6RecvErr},
    {IPV6_V6ONLY, Slot::kV6Only, Rule::kElsewhere},
    {kIpv6MulticastAll, Slot::kV6MulticastAll},
    {kIpv6RouterAlertIsolate, Slot::kRouterAlertIsolate},
    {kIpv6RecvErrRfc4884, Slot::kV6RecvErrRfc4884, Rule::kRange, 0, 1},
    {kIpv6FlowInfoSend, Slot::kFlowInfoSend},
    {IPV6_RECVPKTINFO, Slot::kRecvPktInfo},
    {IPV6_RECVHOPLIMIT, Slot::kRecvHopLimit},
    {IPV6_RECVHOPOPTS, Slot::kRecvHopOpts},
    {IPV6_RECVRTHDR, Slot::kRecvRtHdr},
    {IPV6_RECVDSTOPTS, Slot::kRecvDstOpts},
    {IPV6_RECVPATHMTU, Slot::kRecvPathMtu},
    {IPV6_DONTFRAG, Slot::kDontFrag},
    {IPV6_RECVTCLASS, Slot::kRecvTclass},
    {IPV6_TCLASS, Slot::kTclass, Rule::kElsewhere},
    {IPV6_AUTOFLOWLABEL, Slot::kAutoFlowLabel},
    {IPV6_MINHOPCOUNT, Slot::kMinHops, Rule::kRange, 0, 255},
    {IPV6_RECVORIGDSTADDR, Slot::kV6RecvOrigDst},
    {IPV6_TRANSPARENT, Slot::kTransparent, Rule::kElsewhere},
    {kIpv6UnicastIf, Slot::kV6UnicastInterface, Rule::kElsewhere},
    {IPV6_RECVFRAGSIZE, Slot::kV6RecvFragSize},
    {IPV6_FREEBIND, Slot::kFreeBind},
};
static_assert(AreSorted(kRows));

// Returns the minimum size of a value. Some newer options accept any size, and
// treat a value shorter than an int as 0.
int LeastSize(int name) {
  switch (name) {
    case IPV6_DONTFRAG:
    case IPV6_AUTOFLOWLABEL:
    case IPV6_RECVFRAGSIZE:
      return 0;
    case IPV6_JOIN_GROUP:
    case IPV6_LEAVE_GROUP:
    case IPV6_JOIN_ANYCAST:
    case IPV6_LEAVE_ANYCAST:
    case IPV6_PKTINFO:
      return sizeof(in6_pktinfo);
    case kIpv6FlowLabelMgr:
      return 32;
    case MCAST_JOIN_GROUP:
    case MCAST_LEAVE_GROUP:
      return sizeof(group_req);
    case MCAST_BLOCK_SOURCE:
    case MCAST_UNBLOCK_SOURCE:
    case MCAST_JOIN_SOURCE_GROUP:
    case MCAST_LEAVE_SOURCE_GROUP:
      return sizeof(group_source_req);
    case MCAST_MSFILTER:
      return 144;
    default:
      return sizeof(int);
  }
}

// --- Setting

// Converting the socket of a v4-mapped connection to IPv4 is not modelled.
SysResult SetAddrForm(const OptionCall& call, int value) {
  if (value != AF_INET) return Error(EINVAL);
  const bool connected = call.host.state() == TcpState::kEstablished;
  return Error(connected ? EADDRNOTAVAIL : ENOTCONN);
}

SysResult SetTclass(const OptionCall& call, int value) {
  constexpr int kEcnBits = 3;  // TCP controls these.
  if (value < -1 || value > 255) return Error(EINVAL);
  value = std::max(value, 0);
  const int old = call.values.Get(Slot::kTclass);
  const int tclass = (value & ~kEcnBits) | (old & kEcnBits);
  if (tclass == old) return Ok();
  call.values.Set(Slot::kTclass, tclass);
  call.host.ForgetRoute();
  return Ok();
}

// Choices such as temporary or public address, and care-of or home address. At
// most one value of each may be named. If none is named, the default applies.
SysResult SetAddrPreferences(const OptionCall& call, int value) {
  constexpr int kTemporary = IPV6_PREFER_SRC_TMP | IPV6_PREFER_SRC_PUBLIC |
                             IPV6_PREFER_SRC_PUBTMP_DEFAULT;
  constexpr int kHome = IPV6_PREFER_SRC_COA | IPV6_PREFER_SRC_HOME;
  constexpr int kGenerated = IPV6_PREFER_SRC_CGA | IPV6_PREFER_SRC_NONCGA;
  for (const int choice : {kTemporary, kHome, kGenerated}) {
    const auto chosen = static_cast<uint32_t>(value & choice);
    if (std::popcount(chosen) > 1) return Error(EINVAL);
  }
  constexpr int kKept =
      IPV6_PREFER_SRC_TMP | IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_COA;
  call.values.Set(Slot::kAddrPreferences, value & kKept);
  return Ok();
}

SysResult SetUnicastInterface(const OptionCall& call, const OptionIn& in,
                              int value) {
  if (in.size() != sizeof(value)) return Error(EINVAL);
  if (value != 0 && ntohl(static_cast<uint32_t>(value)) != kLoopbackIndex) {
    return Error(EADDRNOTAVAIL);
  }
  call.values.Set(Slot::kV6UnicastInterface, value);
  return Ok();
}

// Packet options: only an empty list is accepted.
SysResult SetHeader(const OptionCall& call, const OptionIn& in) {
  if (call.name != IPV6_RTHDR && !call.host.net_raw()) return Error(EPERM);
  return in.size() == 0 ? Ok() : Error(EINVAL);
}

SysResult SetPacketOptions(const OptionCall& call, const OptionIn& in) {
  constexpr int kLeastControlMessage = 16;
  uint8_t first = 0;
  if (in.size() > 0 && !in.Read(&first, sizeof(first))) return Error(EFAULT);
  if (in.size() >= kLeastControlMessage) return Error(EINVAL);
  call.host.ForgetRoute();
  return Ok();
}

SysResult SetPolicy(const OptionCall& call, const OptionIn& in) {
  constexpr int kMost = 4096;
  if (!call.host.net_admin()) return Error(EPERM);
  if (in.is_null() && in.size() == 0) return Ok();
  if (in.size() <= 0 || in.size() > kMost) return Error(EMSGSIZE);
  uint8_t first = 0;
  if (!in.Read(&first, sizeof(first))) return Error(EFAULT);
  return Error(call.name == IPV6_IPSEC_POLICY ? EOPNOTSUPP : EINVAL);
}

// Rejects an option whose value is a structure that a stream over loopback
// cannot have.
SysResult RefuseStructure(const OptionCall& call, const OptionIn& in,
                          int error) {
  uint8_t structure[sizeof(group_source_req)];
  const auto size = static_cast<size_t>(LeastSize(call.name));
  return Error(in.Read(structure, size) ? error : EFAULT);
}

SysResult SetSpecial(const OptionCall& call, const OptionIn& in, int value) {
  OptionValues& values = call.values;
  switch (call.name) {
    case IPV6_ADDRFORM:
      return SetAddrForm(call, value);
    case IPV6_V6ONLY:
      if (call.host.bound()) return Error(EINVAL);
      values.Set(Slot::kV6Only, value);
      return Ok();
    case IPV6_TCLASS:
      return SetTclass(call, value);
    case IPV6_TRANSPARENT:
      if (value != 0 && !call.host.net_raw() && !call.host.net_admin()) {
        return Error(EPERM);
      }
      values.Set(Slot::kTransparent, value);
      return Ok();
    case IPV6_MTU:
      return value == 0 || value >= kLeastMtu ? Ok() : Error(EINVAL);
    case IPV6_ADDR_PREFERENCES:
      return SetAddrPreferences(call, value);
    case kIpv6UnicastIf:
      return SetUnicastInterface(call, in, value);
    case IPV6_PKTINFO:
      return in.is_null() ? Error(EINVAL) : Ok();
    case IPV6_JOIN_GROUP:
    case IPV6_LEAVE_GROUP:
      return Error(EPROTO);
    case IPV6_JOIN_ANYCAST:
      return RefuseStructure(call, in,
                             call.host.net_admin() ? EADDRNOTAVAIL : EPERM);
    case IPV6_LEAVE_ANYCAST:
      return RefuseStructure(call, in, ENOENT);
    case kIpv6FlowLabelMgr:
    case MCAST_MSFILTER:
      return RefuseStructure(call, in, EINVAL);
    case MCAST_JOIN_GROUP:
    case MCAST_BLOCK_SOURCE:
    case MCAST_UNBLOCK_SOURCE:
    case MCAST_LEAVE_GROUP:
    case MCAST_JOIN_SOURCE_GROUP:
    case MCAST_LEAVE_SOURCE_GROUP:
      return RefuseStructure(call, in, EADDRNOTAVAIL);
    default:  // IPV6_ROUTER_ALERT is for raw sockets.
      return Error(ENOPROTOOPT);
  }
}

bool IsSpecial(int name) {
  switch (name) {
    case IPV6_ADDRFORM:
    case IPV6_MTU:
    case IPV6_ADDR_PREFERENCES:
    case IPV6_ROUTER_ALERT:
    case IPV6_PKTINFO:
    case IPV6_JOIN_GROUP:
    case IPV6_LEAVE_GROUP:
    case IPV6_JOIN_ANYCAST:
    case IPV6_LEAVE_ANYCAST:
    case kIpv6FlowLabelMgr:
    case MCAST_JOIN_GROUP:
    case MCAST_BLOCK_SOURCE:
    case MCAST_UNBLOCK_SOURCE:
    case MCAST_LEAVE_GROUP:
    case MCAST_JOIN_SOURCE_GROUP:
    case MCAST_LEAVE_SOURCE_GROUP:
    case MCAST_MSFILTER:
      return true;
    default:
      return false;
  }
}

// --- Getting

SysResult GetMtu(const OptionCall& call, const OptionOut& out) {
  const uint32_t mtu = call.host.info_source().path_mtu;
  if (mtu == 0) return Error(ENOTCONN);
  return out.PutInt(static_cast<int>(mtu));
}

SysResult GetPathMtu(const OptionCall& call, const OptionOut& out) {
  ip6_mtuinfo value = {};
  if (out.room() < sizeof(value)) return Error(EINVAL);
  value.ip6m_mtu = call.host.info_source().path_mtu;
  if (value.ip6m_mtu == 0) return Error(ENOTCONN);
  return out.Put(&value, sizeof(value));
}

SysResult GetAddrForm(const OptionCall& call, const OptionOut& out) {
  if (call.host.state() != TcpState::kEstablished) return Error(ENOTCONN);
  return out.PutInt(call.host.family());
}

int AddrPreferences(const OptionValues& values) {
  const int kept = values.Get(Slot::kAddrPreferences);
  int told = kept;
  if ((kept & (IPV6_PREFER_SRC_TMP | IPV6_PREFER_SRC_PUBLIC)) == 0) {
    told |= IPV6_PREFER_SRC_PUBTMP_DEFAULT;
  }
  if ((kept & IPV6_PREFER_SRC_COA) == 0) told |= IPV6_PREFER_SRC_HOME;
  return told;
}

SysResult RefuseStructure(const OptionOut& out, size_t size, int error) {
  if (out.room() < size) return Error(EINVAL);
  uint8_t structure[sizeof(group_source_req)];
  return Error(out.in().Read(structure, size) ? error : EFAULT);
}

SysResult GetSpecial(const OptionCall& call, const OptionOut& out) {
  switch (call.name) {
    case IPV6_ADDRFORM:
      return GetAddrForm(call, out);
    case IPV6_MTU:
      return GetMtu(call, out);
    case IPV6_PATHMTU:
      return GetPathMtu(call, out);
    case IPV6_ADDR_PREFERENCES:
      return out.PutInt(AddrPreferences(call.values));
    case IPV6_ROUTER_ALERT:
      return out.PutInt(0);
    case IPV6_2292PKTOPTIONS:
    case IPV6_HOPOPTS:
    case IPV6_RTHDRDSTOPTS:
    case IPV6_RTHDR:
    case IPV6_DSTOPTS:
      return out.PutNothing();
    case kIpv6FlowLabelMgr:
      return RefuseStructure(out, 32, EINVAL);
    case MCAST_MSFILTER:
      // Here a negative length is invalid.
      if (static_cast<int>(out.room()) < 0) return Error(EINVAL);
      return RefuseStructure(out, 144, EADDRNOTAVAIL);
    default:
      return Error(ENOPROTOOPT);
  }
}

}  // namespace

SysResult SetIpv6Level(const OptionCall& call, const OptionIn& in) {
  // A null pointer reads as 0.
  int value = 0;
  const bool has_int = in.size() >= static_cast<int>(sizeof(value));
  switch (call.name) {
    case IPV6_2292PKTOPTIONS:
      return SetPacketOptions(call, in);
    case IPV6_HOPOPTS:
    case IPV6_RTHDRDSTOPTS:
    case IPV6_RTHDR:
    case IPV6_DSTOPTS:
      return SetHeader(call, in);
    case IPV6_IPSEC_POLICY:
    case IPV6_XFRM_POLICY:
      return SetPolicy(call, in);
    default:
      break;
  }
  if (has_int && !in.is_null() && !in.Read(value)) return Error(EFAULT);
  const OptionRow* row = FindRow(kRows, call.name);
  if (row == nullptr && !IsSpecial(call.name)) return Error(ENOPROTOOPT);
  if (row != nullptr && row->rule == Rule::kReadOnly) {
    return Error(ENOPROTOOPT);
  }
  if (in.size() < LeastSize(call.name)) return Error(EINVAL);
  if (row != nullptr && row->rule != Rule::kElsewhere) {
    return SetRow(*row, value, call.values);
  }
  return SetSpecial(call, in, value);
}

SysResult GetIpv6Level(const OptionCall& call, const OptionOut& out) {
  const OptionRow* row = FindRow(kRows, call.name);
  if (row == nullptr) return GetSpecial(call, out);
  int value = call.values.Get(row->slot);
  if (call.name == IPV6_UNICAST_HOPS && value < 0) {
    value = call.host.sysctls().hop_limit;
  }
  return out.PutInt(value);
}

}  // namespace net::fake
