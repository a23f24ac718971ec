// IPPROTO_IP: ip(7). IPv6 sockets have these options, too.

#include <netinet/in.h>
#include <netinet/ip.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "fakes/kernel/options/option_levels.h"
#include "fakes/kernel/options/option_values.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

// Names that may be newer than the libc headers.
constexpr int kIpLocalPortRange = 51;
constexpr int kIpProtocol = 52;

constexpr OptionRow kRows[] = {
    {IP_TOS, Slot::kTos, Rule::kElsewhere},
    {IP_TTL, Slot::kTtl, Rule::kElsewhere},
    {IP_RECVOPTS, Slot::kIpRecvOpts},
    {IP_RETOPTS, Slot::kIpRetOpts},
    {IP_PKTINFO, Slot::kIpPktInfo},
    {IP_MTU_DISCOVER, Slot::kMtuDiscover, Rule::kRange, 0, 5},
    {IP_RECVERR, Slot::kIpRecvErr},
    {IP_RECVTTL, Slot::kIpRecvTtl},
    {IP_RECVTOS, Slot::kIpRecvTos},
    {IP_FREEBIND, Slot::kFreeBind},
    {IP_PASSSEC, Slot::kIpPassSec},
    {IP_TRANSPARENT, Slot::kTransparent, Rule::kElsewhere},
    {IP_RECVORIGDSTADDR, Slot::kIpRecvOrigDst},
    {IP_MINTTL, Slot::kMinTtl, Rule::kRange, 0, 255},
    {IP_CHECKSUM, Slot::kIpChecksum},
    {IP_BIND_ADDRESS_NO_PORT, Slot::kBindAddressNoPort},
    {IP_RECVERR_RFC4884, Slot::kIpRecvErrRfc4884, Rule::kRange, 0, 1},
    {IP_MULTICAST_TTL, Slot::kMulticastTtl, Rule::kElsewhere},
    {IP_MULTICAST_LOOP, Slot::kIpMulticastLoop},
    {IP_MULTICAST_ALL, Slot::kIpMulticastAll, Rule::kRange, 0, 1},
    {IP_UNICAST_IF, Slot::kUnicastInterface, Rule::kElsewhere},
    {kIpLocalPortRange, Slot::kPortRange, Rule::kElsewhere},
};
static_assert(AreSorted(kRows));

// Returns whether setting the option begins with reading an int.
bool IsNumber(int name) {
  return FindRow(kRows, name) != nullptr || name == IP_HDRINCL ||
         name == IP_NODEFRAG || name == IP_ROUTER_ALERT ||
         name == IP_RECVFRAGSIZE;
}

// Options that need a value. The others treat an empty one as 0.
bool NeedsAByte(int name) {
  switch (name) {
    case IP_TTL:
    case IP_ROUTER_ALERT:
    case IP_FREEBIND:
    case IP_TRANSPARENT:
    case IP_MINTTL:
    case IP_RECVFRAGSIZE:
    case IP_MULTICAST_TTL:
    case IP_MULTICAST_LOOP:
    case IP_MULTICAST_ALL:
      return true;
    default:
      return false;
  }
}

// Reads an int or, from a value shorter than that, one byte.
bool ReadNumber(const OptionIn& in, int& value) {
  value = 0;
  if (in.size() >= static_cast<int>(sizeof(value))) return in.Read(value);
  if (in.size() == 0) return true;
  uint8_t byte = 0;
  if (!in.Read(&byte, sizeof(byte))) return false;
  value = byte;
  return true;
}

// The type of service also sets the socket's priority, by the bits of RFC 1349:
// minimize delay, maximize throughput.
int PriorityOf(int tos) {
  constexpr int kPriorities[] = {0, 2, 6, 4};
  return kPriorities[(tos >> 3) & 3];
}

SysResult SetTos(const OptionCall& call, int value) {
  constexpr int kEcnBits = 3;  // TCP controls these.
  const int old = call.values.Get(Slot::kTos);
  value = (value & ~kEcnBits) | (old & kEcnBits);
  // Linux compares before it cuts the value to a byte.
  if (value == old) return Ok();
  call.values.Set(Slot::kTos, value & 0xff);
  call.values.Set(Slot::kPriority, PriorityOf(value));
  call.host.ForgetRoute();
  return Ok();
}

SysResult SetTtl(const OptionCall& call, int value) {
  if (value != -1 && (value < 1 || value > 255)) return Error(EINVAL);
  call.values.Set(Slot::kTtl, value);
  return Ok();
}

SysResult SetTransparent(const OptionCall& call, int value) {
  const bool may = call.host.net_raw() || call.host.net_admin();
  if (value != 0 && !may) return Error(EPERM);
  call.values.Set(Slot::kTransparent, value);
  return Ok();
}

SysResult SetUnicastInterface(const OptionCall& call, const OptionIn& in,
                              int value) {
  constexpr int kLoopbackIndex = 1;
  if (in.size() != sizeof(value)) return Error(EINVAL);
  if (value != 0 && ntohl(static_cast<uint32_t>(value)) != kLoopbackIndex) {
    return Error(EADDRNOTAVAIL);
  }
  call.values.Set(Slot::kUnicastInterface, value);
  return Ok();
}

SysResult SetPortRange(const OptionCall& call, const OptionIn& in, int value) {
  if (in.size() != sizeof(value)) return Error(EINVAL);
  const uint32_t low = static_cast<uint32_t>(value) & 0xffff;
  const uint32_t high = static_cast<uint32_t>(value) >> 16;
  if (low != 0 && high != 0 && low > high) return Error(EINVAL);
  call.values.Set(Slot::kPortRange, value);
  return Ok();
}

SysResult SetNumber(const OptionCall& call, const OptionIn& in) {
  int value = 0;
  if (!ReadNumber(in, value)) return Error(EFAULT);
  if (NeedsAByte(call.name) && in.size() < 1) return Error(EINVAL);
  switch (call.name) {
    case IP_TOS:
      return SetTos(call, value);
    case IP_TTL:
      return SetTtl(call, value);
    case IP_TRANSPARENT:
      return SetTransparent(call, value);
    case IP_UNICAST_IF:
      return SetUnicastInterface(call, in, value);
    case kIpLocalPortRange:
      return SetPortRange(call, in, value);
    case IP_ROUTER_ALERT:  // Not for streams.
    case IP_RECVFRAGSIZE:
    case IP_MULTICAST_TTL:
      return Error(EINVAL);
    case IP_HDRINCL:
    case IP_NODEFRAG:
      return Error(ENOPROTOOPT);
    default:
      return SetRow(*FindRow(kRows, call.name), value, call.values);
  }
}

// Accepts padding only, which has no effect.
SysResult SetOptions(const OptionIn& in) {
  constexpr int kMost = 40;
  uint8_t options[kMost] = {};
  if (in.size() > kMost) return Error(EINVAL);
  if (!in.Read(options, static_cast<size_t>(in.size()))) return Error(EFAULT);
  for (const uint8_t option : options) {
    if (option == IPOPT_END) break;
    if (option != IPOPT_NOP) return Error(EINVAL);
  }
  return Ok();
}

// Security policies are not modelled.
SysResult SetPolicy(const OptionCall& call, const OptionIn& in) {
  constexpr int kMost = 4096;
  if (!call.host.net_admin()) return Error(EPERM);
  if (in.is_null() && in.size() == 0) return Ok();
  if (in.size() <= 0 || in.size() > kMost) return Error(EMSGSIZE);
  uint8_t first = 0;
  if (!in.Read(&first, sizeof(first))) return Error(EFAULT);
  const bool v4_policy =
      call.name == IP_XFRM_POLICY && call.host.family() == AF_INET;
  return Error(v4_policy ? EINVAL : EOPNOTSUPP);
}

// Multicast memberships, which streams cannot have. These checks precede that
// error.
SysResult SetMulticast(const OptionCall& call, const OptionIn& in) {
  int size = 0;
  bool exact = false;
  int error = EINVAL;
  switch (call.name) {
    case IP_UNBLOCK_SOURCE:
    case IP_BLOCK_SOURCE:
    case IP_ADD_SOURCE_MEMBERSHIP:
    case IP_DROP_SOURCE_MEMBERSHIP:
      size = sizeof(ip_mreq_source);
      exact = true;
      break;
    case IP_MSFILTER:
      size = 16;
      break;
    case MCAST_JOIN_GROUP:
    case MCAST_LEAVE_GROUP:
      size = sizeof(group_req);
      break;
    case MCAST_MSFILTER:
      size = 144;
      error = EADDRNOTAVAIL;
      break;
    default:  // Requests with a source.
      size = sizeof(group_source_req);
      exact = true;
      error = EADDRNOTAVAIL;
      break;
  }
  if (exact ? in.size() != size : in.size() < size) return Error(EINVAL);
  uint8_t request[sizeof(group_source_req)];
  if (!in.Read(request, static_cast<size_t>(size))) return Error(EFAULT);
  return Error(error);
}

SysResult SetSpecial(const OptionCall& call, const OptionIn& in) {
  switch (call.name) {
    case IP_OPTIONS:
      return SetOptions(in);
    case IP_IPSEC_POLICY:
    case IP_XFRM_POLICY:
      return SetPolicy(call, in);
    case IP_MULTICAST_IF:
      return Error(EINVAL);
    case IP_ADD_MEMBERSHIP:
    case IP_DROP_MEMBERSHIP:
      return Error(EPROTO);
    case IP_UNBLOCK_SOURCE:
    case IP_BLOCK_SOURCE:
    case IP_ADD_SOURCE_MEMBERSHIP:
    case IP_DROP_SOURCE_MEMBERSHIP:
    case IP_MSFILTER:
    case MCAST_JOIN_GROUP:
    case MCAST_BLOCK_SOURCE:
    case MCAST_UNBLOCK_SOURCE:
    case MCAST_LEAVE_GROUP:
    case MCAST_JOIN_SOURCE_GROUP:
    case MCAST_LEAVE_SOURCE_GROUP:
    case MCAST_MSFILTER:
      return SetMulticast(call, in);
    default:
      return Error(ENOPROTOOPT);
  }
}

// --- Getting

// If the buffer is shorter than an int, writes a value from 0 to 255 as one
// byte.
SysResult PutNumber(int value, const OptionOut& out) {
  const bool short_of_room = out.room() > 0 && out.room() < sizeof(value);
  if (short_of_room && value >= 0 && value <= 255) {
    const auto byte = static_cast<uint8_t>(value);
    return out.Put(&byte, sizeof(byte));
  }
  return out.PutInt(value);
}

SysResult GetMtu(const OptionCall& call, const OptionOut& out) {
  const uint32_t mtu = call.host.info_source().path_mtu;
  if (mtu == 0) return Error(ENOTCONN);
  // The maximum size of an IPv4 packet.
  constexpr uint32_t kMost = 65535;
  const bool v6 = call.host.family() == AF_INET6;
  return PutNumber(static_cast<int>(v6 ? mtu : std::min(mtu, kMost)), out);
}

SysResult GetMulticastFilter(const OptionOut& out, uint32_t size, int error) {
  if (out.room() < size) return Error(EINVAL);
  uint8_t request[sizeof(group_source_req)];
  return Error(out.in().Read(request, size) ? error : EFAULT);
}

SysResult GetSpecial(const OptionCall& call, const OptionOut& out) {
  switch (call.name) {
    case IP_OPTIONS:
    case IP_PKTOPTIONS:
      return out.PutNothing();
    case IP_MTU:
      return GetMtu(call, out);
    case kIpProtocol:
      // A TCP socket's port is in the field that holds a raw socket's protocol.
      return PutNumber(call.host.info_source().local_port, out);
    case IP_MULTICAST_IF:
      return out.PutInt(0);
    case IP_HDRINCL:
    case IP_ROUTER_ALERT:
    case IP_NODEFRAG:
    case IP_RECVFRAGSIZE:
      return PutNumber(0, out);
    case IP_MSFILTER:
      return GetMulticastFilter(out, 16, ENODEV);
    case MCAST_MSFILTER:
      return GetMulticastFilter(out, 144, EINVAL);
    default:
      return Error(ENOPROTOOPT);
  }
}

}  // namespace

SysResult SetIpLevel(const OptionCall& call, const OptionIn& in) {
  if (IsNumber(call.name)) return SetNumber(call, in);
  return SetSpecial(call, in);
}

SysResult GetIpLevel(const OptionCall& call, const OptionOut& out) {
  const OptionRow* row = FindRow(kRows, call.name);
  if (row == nullptr) return GetSpecial(call, out);
  int value = call.values.Get(row->slot);
  if (call.name == IP_TTL && value < 0) {
    value = call.host.sysctls().ip_default_ttl;
  }
  return PutNumber(value, out);
}

}  // namespace net::fake
