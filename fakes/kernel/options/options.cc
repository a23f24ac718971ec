#include "fakes/kernel/options/options.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

#include "absl/types/span.h"
#include "fakes/kernel/options/option_levels.h"
#include "fakes/kernel/options/option_values.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

bool IsIp(int family) { return family == AF_INET || family == AF_INET6; }

// Returns the error for a level that the socket does not have.
SysResult UnknownLevel(const OptionHost& host, bool set) {
  if (!IsIp(host.family())) return SysResult::Error(EOPNOTSUPP);
  if (set || host.family() == AF_INET6) return SysResult::Error(ENOPROTOOPT);
  return SysResult::Error(EOPNOTSUPP);
}

bool HasLevel(const OptionHost& host, int level) {
  switch (level) {
    case SOL_SOCKET:
      return true;
    case IPPROTO_TCP:
      return IsTcp(host);
    case IPPROTO_IP:
      return IsIp(host.family());
    case IPPROTO_IPV6:
      return host.family() == AF_INET6;
    default:
      return false;
  }
}

std::optional<int64_t> JiffiesToNs(int64_t jiffies) {
  constexpr int64_t kNsPerJiffy = kUsPerJiffy * 1000;
  // The program's value can exceed 64 bits of nanoseconds.
  if (jiffies > std::numeric_limits<int64_t>::max() / kNsPerJiffy) {
    return std::nullopt;
  }
  return jiffies * kNsPerJiffy;
}

}  // namespace

SysResult OptionOut::Put(const void* answer, size_t size) const {
  const auto told = static_cast<socklen_t>(std::min<size_t>(room_, size));
  if (order_ == Order::kLengthFirst && !CopyOut(size_, &told, sizeof(told))) {
    return SysResult::Error(EFAULT);
  }
  if (!CopyOut(value_, answer, told)) return SysResult::Error(EFAULT);
  if (order_ == Order::kValueFirst && !CopyOut(size_, &told, sizeof(told))) {
    return SysResult::Error(EFAULT);
  }
  return SysResult::Ok();
}

SysResult OptionOut::PutWithLength(const void* answer, size_t size,
                                   uint32_t length) const {
  if (!CopyOut(value_, answer, size)) return SysResult::Error(EFAULT);
  return CopyOut(size_, &length, sizeof(length)) ? SysResult::Ok()
                                                 : SysResult::Error(EFAULT);
}

const OptionRow* FindRow(absl::Span<const OptionRow> rows, int name) {
  const auto row = std::lower_bound(
      rows.begin(), rows.end(), name,
      [](const OptionRow& one, int wanted) { return one.name < wanted; });
  return row == rows.end() || row->name != name ? nullptr : &*row;
}

SysResult SetRow(const OptionRow& row, int value, OptionValues& values) {
  switch (row.rule) {
    case Rule::kSwitch:
      value = value != 0 ? 1 : 0;
      break;
    case Rule::kAny:
      break;
    case Rule::kRange:
      if (value < row.low || value > row.high) return SysResult::Error(EINVAL);
      break;
    case Rule::kReadOnly:
    case Rule::kElsewhere:
      return SysResult::Error(ENOPROTOOPT);
  }
  values.Set(row.slot, value);
  return SysResult::Ok();
}

SocketOptions::SocketOptions(int family, const FakeSysctls& sysctls, int type) {
  const bool tcp = IsIp(family) && type == SOCK_STREAM;
  values_.Set(Slot::kSndBuf,
              tcp ? sysctls.tcp_wmem.initial : sysctls.wmem_default);
  values_.Set(Slot::kRcvBuf,
              tcp ? sysctls.tcp_rmem.initial : sysctls.rmem_default);
  values_.Set(Slot::kRcvLowat, 1);
  values_.Set(Slot::kPeekOff, -1);
  values_.Set(Slot::kIncomingCpu, -1);
  values_.Set(Slot::kTxRehash, 1);
  values_.Set(Slot::kQuickAck, 1);
  values_.Set(Slot::kCongestion,
              static_cast<int>(sysctls.tcp_congestion_control));
  values_.Set(Slot::kTtl, -1);
  values_.Set(Slot::kMtuDiscover, IP_PMTUDISC_WANT);
  values_.Set(Slot::kMulticastTtl, 1);
  values_.Set(Slot::kIpMulticastLoop, 1);
  values_.Set(Slot::kIpMulticastAll, family == AF_INET ? 1 : 0);
  values_.Set(Slot::kV6Only, family == AF_INET6 && sysctls.bindv6only ? 1 : 0);
  values_.Set(Slot::kUnicastHops, -1);
  values_.Set(Slot::kMulticastHops, 1);
  values_.Set(Slot::kV6MtuDiscover, IPV6_PMTUDISC_WANT);
  values_.Set(Slot::kV6MulticastLoop, 1);
  values_.Set(Slot::kV6MulticastAll, 1);
  values_.Set(Slot::kAutoFlowLabel, 1);
}

SysResult SocketOptions::Set(OptionHost& host, int level, int name,
                             const void* value, socklen_t len) {
  const int size = static_cast<int>(len);
  if (size < 0) return SysResult::Error(EINVAL);
  if (!HasLevel(host, level)) return UnknownLevel(host, /*set=*/true);
  const OptionCall call{values_, host, name};
  const OptionIn in(value, size);
  switch (level) {
    case SOL_SOCKET:
      return SetSocketLevel(call, in);
    case IPPROTO_TCP:
      return SetTcpLevel(call, in);
    case IPPROTO_IP:
      return SetIpLevel(call, in);
    default:
      return SetIpv6Level(call, in);
  }
}

SysResult SocketOptions::Get(OptionHost& host, int level, int name, void* value,
                             socklen_t* len) {
  using Order = OptionOut::Order;
  if (!HasLevel(host, level)) return UnknownLevel(host, /*set=*/false);
  socklen_t room = 0;
  if (!CopyIn(&room, len, sizeof(room))) return SysResult::Error(EFAULT);
  // IPPROTO_IPV6 reads a negative length as a large one.
  if (static_cast<int>(room) < 0 && level != IPPROTO_IPV6) {
    return SysResult::Error(EINVAL);
  }
  const OptionCall call{values_, host, name};
  const OptionOut out(
      value, len, room,
      level == SOL_SOCKET ? Order::kValueFirst : Order::kLengthFirst);
  switch (level) {
    case SOL_SOCKET:
      return GetSocketLevel(call, out);
    case IPPROTO_TCP:
      return GetTcpLevel(call, out);
    case IPPROTO_IP:
      return GetIpLevel(call, out);
    default:
      return GetIpv6Level(call, out);
  }
}

SocketOptions SocketOptions::ForAccepted(bool over_ipv6, int peer_ttl) const {
  SocketOptions accepted = *this;
  OptionValues& values = accepted.values_;
  values.Set(Slot::kPriority, 0);
  values.Set(Slot::kIncomingCpu, -1);
  values.Set(Slot::kFastOpen, 0);
  values.Set(Slot::kFastOpenConnect, 0);
  values.Set(Slot::kDeferAccept, 0);
  values.Set(Slot::kQuickAck, 1);
  // The multicast interface and hop limit are those of the first packet, even
  // if that is an IPv4 packet for an IPv6 socket (tcp_v6_syn_recv_sock() of
  // Linux, net/ipv6/tcp_ipv6.c).
  constexpr int kLoopbackIndex = 1;
  values.Set(Slot::kV6MulticastInterface, kLoopbackIndex);
  values.Set(Slot::kMulticastHops, peer_ttl);
  if (!over_ipv6) values.Set(Slot::kMulticastTtl, peer_ttl);
  return accepted;
}

std::optional<int64_t> SocketOptions::rcvtimeo() const {
  return JiffiesToNs(values_.receive_timeout);
}

std::optional<int64_t> SocketOptions::sndtimeo() const {
  return JiffiesToNs(values_.send_timeout);
}

int SocketOptions::keepidle(const FakeSysctls& sysctls) const {
  const int set = values_.Get(Slot::kKeepIdle);
  return set != 0 ? set : sysctls.tcp_keepalive_time;
}

int SocketOptions::keepintvl(const FakeSysctls& sysctls) const {
  const int set = values_.Get(Slot::kKeepIntvl);
  return set != 0 ? set : sysctls.tcp_keepalive_intvl;
}

int SocketOptions::keepcnt(const FakeSysctls& sysctls) const {
  const int set = values_.Get(Slot::kKeepCnt);
  return set != 0 ? set : sysctls.tcp_keepalive_probes;
}

int SocketOptions::syncnt(const FakeSysctls& sysctls) const {
  const int set = values_.Get(Slot::kSynCnt);
  return set != 0 ? set : sysctls.tcp_syn_retries;
}

int SocketOptions::window_scale(const FakeSysctls& sysctls) const {
  constexpr int kMost = 14;
  int space = rcvbuf() / 2;
  if (!rcvbuf_locked()) {
    space = std::max({space, sysctls.tcp_rmem.max, sysctls.rmem_max});
  }
  const auto bits =
      static_cast<int>(std::bit_width(static_cast<uint32_t>(space)));
  return std::clamp(bits - 16, 0, kMost);
}

void SocketOptions::OnEstablished(const FakeSysctls& sysctls) {
  GrowSndBuf(kLoopbackSndBuf, sysctls);
  values_.Set(Slot::kIncomingCpu, 0);
  if (window_clamp() == 0) set_window_clamp(rcvbuf() / 2);
}

void SocketOptions::GrowSndBuf(int bytes, const FakeSysctls& sysctls) {
  if (sndbuf_locked()) return;
  const int grown = std::min(bytes, sysctls.tcp_wmem.max);
  values_.Set(Slot::kSndBuf, std::max(sndbuf(), grown));
}

void SocketOptions::GrowRcvBuf(int bytes, const FakeSysctls& sysctls) {
  if (rcvbuf_locked()) return;
  const int grown = std::min(bytes, sysctls.tcp_rmem.max);
  values_.Set(Slot::kRcvBuf, std::max(rcvbuf(), grown));
}

}  // namespace net::fake
