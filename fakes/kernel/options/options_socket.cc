// SOL_SOCKET: socket(7).

#include <linux/net_tstamp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <limits>

#include "absl/strings/string_view.h"
#include "fakes/kernel/options/option_levels.h"
#include "fakes/kernel/options/option_values.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

// Names that may be newer than the libc headers.
constexpr int kSoDevMemDontNeed = 80;
constexpr int kSoNetnsCookie = 71;
constexpr int kSoBufLock = 72;
constexpr int kSoReserveMem = 73;
constexpr int kSoTxRehash = 74;
constexpr int kSoRcvMark = 75;
constexpr int kSoPassPidFd = 76;
constexpr int kSoPeerPidFd = 77;
constexpr int kSoRcvPriority = 82;
constexpr int kSoPassRights = 83;

constexpr int kLoopbackIndex = 1;
constexpr absl::string_view kLoopbackName = "lo";

// Bits of SO_BUF_LOCK.
constexpr int kSndBufLock = 1;
constexpr int kRcvBufLock = 2;

constexpr OptionRow kRows[] = {
    {SO_DEBUG, Slot::kDebug, Rule::kElsewhere},
    {SO_REUSEADDR, Slot::kReuseAddr},
    {SO_DONTROUTE, Slot::kDontRoute, Rule::kElsewhere},
    {SO_BROADCAST, Slot::kBroadcast},
    {SO_SNDBUF, Slot::kSndBuf, Rule::kElsewhere},
    {SO_RCVBUF, Slot::kRcvBuf, Rule::kElsewhere},
    {SO_KEEPALIVE, Slot::kKeepAlive},
    {SO_OOBINLINE, Slot::kOobInline},
    {SO_NO_CHECK, Slot::kNoCheck},
    {SO_PRIORITY, Slot::kPriority, Rule::kElsewhere},
    {SO_REUSEPORT, Slot::kReusePort},
    {SO_RCVLOWAT, Slot::kRcvLowat, Rule::kElsewhere},
    {SO_MARK, Slot::kMark, Rule::kElsewhere},
    {SO_RXQ_OVFL, Slot::kRxqOverflow},
    {SO_WIFI_STATUS, Slot::kWifiStatus},
    {SO_PEEK_OFF, Slot::kPeekOff, Rule::kAny},
    {SO_NOFCS, Slot::kNoFcs},
    {SO_LOCK_FILTER, Slot::kLockFilter, Rule::kElsewhere},
    {SO_SELECT_ERR_QUEUE, Slot::kSelectErrQueue},
    {SO_BUSY_POLL, Slot::kBusyPoll, Rule::kRange},
    {SO_INCOMING_CPU, Slot::kIncomingCpu, Rule::kAny},
    {SO_ZEROCOPY, Slot::kZeroCopy, Rule::kRange, 0, 1},
    {SO_BINDTOIFINDEX, Slot::kInterface, Rule::kElsewhere},
    {SO_PREFER_BUSY_POLL, Slot::kPreferBusyPoll, Rule::kElsewhere},
    {kSoTxRehash, Slot::kTxRehash, Rule::kElsewhere},
    {kSoRcvMark, Slot::kRcvMark},
    {kSoRcvPriority, Slot::kRcvPriority},
};
static_assert(AreSorted(kRows));

// --- Setting

SysResult SetPriority(const OptionCall& call, int value) {
  const bool may = (value >= 0 && value <= 6) || call.host.net_admin() ||
                   call.host.net_raw();
  if (!may) return Error(EPERM);
  call.values.Set(Slot::kPriority, value);
  return Ok();
}

SysResult SetMark(const OptionCall& call, int value) {
  if (!call.host.net_admin() && !call.host.net_raw()) return Error(EPERM);
  if (call.values.Get(Slot::kMark) != value) call.host.ForgetRoute();
  call.values.Set(Slot::kMark, value);
  return Ok();
}

// SO_RCVLOWAT is at most half of SO_RCVBUF, because the other half is for the
// kernel's overhead. If SO_RCVBUF is not locked, it grows with SO_RCVLOWAT.
SysResult SetRcvLowat(const OptionCall& call, int value) {
  OptionValues& values = call.values;
  if (value < 0) value = std::numeric_limits<int>::max();
  if (!IsTcp(call.host)) {
    values.Set(Slot::kRcvLowat, std::max(value, 1));
    return Ok();
  }
  const bool locked = values.On(Slot::kRcvBufLocked);
  const int room =
      locked ? values.Get(Slot::kRcvBuf) : call.host.sysctls().tcp_rmem.max;
  value = std::min(value, room / 2);
  values.Set(Slot::kRcvLowat, std::max(value, 1));
  if (!locked && value * 2 > values.Get(Slot::kRcvBuf)) {
    values.Set(Slot::kRcvBuf, value * 2);
    if (values.Get(Slot::kWindowClamp) != 0) {
      values.Set(Slot::kWindowClamp, value);
    }
  }
  return Ok();
}

SysResult SetLinger(const OptionCall& call, const OptionIn& in) {
  linger value = {};
  if (in.size() < static_cast<int>(sizeof(value))) return Error(EINVAL);
  if (!in.Read(&value, sizeof(value))) return Error(EFAULT);
  call.values.Set(Slot::kLingerOn, value.l_onoff != 0 ? 1 : 0);
  if (value.l_onoff != 0) {
    call.values.Set(Slot::kLingerSeconds, std::max(value.l_linger, -1));
  }
  return Ok();
}

SysResult SetTimeout(int64_t& jiffies, const OptionIn& in) {
  constexpr int64_t kLongest = OptionValues::kForever / kHz - 1;
  timeval value = {};
  if (in.size() < static_cast<int>(sizeof(value))) return Error(EINVAL);
  if (!in.Read(&value, sizeof(value))) return Error(EFAULT);
  if (value.tv_usec < 0 || value.tv_usec >= 1'000'000) return Error(EDOM);
  if (value.tv_sec < 0) {
    jiffies = 0;  // Does not block, although getsockopt(2) returns 0, "no
                  // timeout".
  } else if ((value.tv_sec == 0 && value.tv_usec == 0) ||
             value.tv_sec >= kLongest) {
    jiffies = OptionValues::kForever;
  } else {
    jiffies = value.tv_sec * kHz +
              RoundUpToJiffies(value.tv_usec, kUsPerJiffy) / kUsPerJiffy;
  }
  return Ok();
}

SysResult SetInterface(const OptionCall& call, int index) {
  // Changing the interface needs CAP_NET_RAW.
  if (call.values.Get(Slot::kInterface) != 0 && !call.host.net_raw()) {
    return Error(EPERM);
  }
  if (index < 0) return Error(EINVAL);
  call.values.Set(Slot::kInterface, index);
  call.host.ForgetRoute();
  return Ok();
}

SysResult SetDevice(const OptionCall& call, const OptionIn& in) {
  char name[IFNAMSIZ] = {};
  const int size = std::min(in.size(), IFNAMSIZ - 1);
  if (!in.Read(name, static_cast<size_t>(size))) return Error(EFAULT);
  const absl::string_view device(name);
  if (!device.empty() && device != kLoopbackName) return Error(ENODEV);
  return SetInterface(call, device.empty() ? 0 : kLoopbackIndex);
}

SysResult SetPacingRate(const OptionCall& call, const OptionIn& in, int value) {
  uint64_t rate = static_cast<uint32_t>(value);
  if (value == -1) rate = ~uint64_t{0};
  if (in.size() >= static_cast<int>(sizeof(rate)) &&
      !in.Read(&rate, sizeof(rate))) {
    return Error(EFAULT);
  }
  call.values.max_pacing_rate = rate;
  return Ok();
}

SysResult SetBufLock(const OptionCall& call, int value) {
  if ((value & ~(kSndBufLock | kRcvBufLock)) != 0) return Error(EINVAL);
  call.values.Set(Slot::kSndBufLocked, value & kSndBufLock);
  call.values.Set(Slot::kRcvBufLocked, value & kRcvBufLock);
  return Ok();
}

SysResult SetBuffer(const OptionCall& call, int value) {
  const FakeSysctls& sysctls = call.host.sysctls();
  // Linux reads a negative value as a large one.
  const auto wanted = static_cast<uint32_t>(value);
  if (call.name == SO_SNDBUF) {
    const auto most = static_cast<uint32_t>(sysctls.wmem_max);
    SetSndBuf(call.values, static_cast<int>(std::min(wanted, most)));
  } else {
    const auto most = static_cast<uint32_t>(sysctls.rmem_max);
    SetRcvBuf(call.values, static_cast<int>(std::min(wanted, most)));
  }
  return Ok();
}

SysResult ForceBuffer(const OptionCall& call, int value) {
  if (!call.host.host_admin()) return Error(EPERM);
  value = std::max(value, 0);
  if (call.name == SO_SNDBUFFORCE) {
    SetSndBuf(call.values, value);
  } else {
    SetRcvBuf(call.values, value);
  }
  return Ok();
}

SysResult SetBusyPollBudget(const OptionCall& call, int value) {
  if (value > 0 && !call.host.host_admin()) return Error(EPERM);
  if (value < 0 || value > std::numeric_limits<uint16_t>::max()) {
    return Error(EINVAL);
  }
  return Ok();
}

SysResult SetSpecial(const OptionCall& call, const OptionIn& in, int value) {
  OptionValues& values = call.values;
  switch (call.name) {
    case SO_DEBUG:
      if (value != 0 && !call.host.host_admin()) return Error(EACCES);
      values.Set(Slot::kDebug, value);
      return Ok();
    case SO_DONTROUTE:
      values.Set(Slot::kDontRoute, value);
      call.host.ForgetRoute();
      return Ok();
    case SO_SNDBUF:
    case SO_RCVBUF:
      return SetBuffer(call, value);
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
      return ForceBuffer(call, value);
    case SO_PRIORITY:
      return SetPriority(call, value);
    case SO_MARK:
      return SetMark(call, value);
    case SO_RCVLOWAT:
      return SetRcvLowat(call, value);
    case SO_LINGER:
      return SetLinger(call, in);
    case SO_RCVTIMEO_OLD:
    case SO_RCVTIMEO_NEW:
      return SetTimeout(values.receive_timeout, in);
    case SO_SNDTIMEO_OLD:
    case SO_SNDTIMEO_NEW:
      return SetTimeout(values.send_timeout, in);
    case SO_TIMESTAMP_OLD:
    case SO_TIMESTAMP_NEW:
    case SO_TIMESTAMPNS_OLD:
    case SO_TIMESTAMPNS_NEW:
      return SetTimestamp(call, value);
    case SO_TIMESTAMPING_OLD:
    case SO_TIMESTAMPING_NEW:
      return SetTimestamping(call, value);
    case SO_TXTIME:
      return SetTxTime(call, in);
    case SO_MAX_PACING_RATE:
      return SetPacingRate(call, in, value);
    case SO_BINDTOIFINDEX:
      return SetInterface(call, value);
    case kSoBufLock:
      return SetBufLock(call, value);
    case SO_LOCK_FILTER:
      if (value == 0 && values.On(Slot::kLockFilter)) return Error(EPERM);
      values.Set(Slot::kLockFilter, value);
      return Ok();
    case SO_ATTACH_FILTER:
      return AttachFilter(call, in);
    case SO_DETACH_FILTER:
      return DetachFilter(call);
    case SO_PREFER_BUSY_POLL:
      if (value != 0 && !call.host.host_admin()) return Error(EPERM);
      values.Set(Slot::kPreferBusyPoll, value);
      return Ok();
    case SO_BUSY_POLL_BUDGET:
      return SetBusyPollBudget(call, value);
    case kSoTxRehash:
      if (!IsTcp(call.host)) return Error(EOPNOTSUPP);
      if (value < -1 || value > 1) return Error(EINVAL);
      values.Set(Slot::kTxRehash, value);
      return Ok();
    case SO_BSDCOMPAT:  // Obsolete: accepted without effect.
    case SO_CNX_ADVICE:
      if (call.name == SO_CNX_ADVICE && value == 1 &&
          call.host.family() == AF_INET6) {
        call.host.ForgetRoute();
      }
      return Ok();
    case SO_ATTACH_BPF:
    case SO_ATTACH_REUSEPORT_CBPF:
    case SO_ATTACH_REUSEPORT_EBPF:
    case SO_DETACH_REUSEPORT_BPF:
    case kSoDevMemDontNeed:
      return Error(EINVAL);
    case SO_PASSCRED:
    case SO_PASSSEC:
    case kSoPassPidFd:
    case kSoPassRights:
    case kSoReserveMem:
      return Error(EOPNOTSUPP);
    default:
      return Error(ENOPROTOOPT);
  }
}

// --- Getting

SysResult GetLinger(const OptionCall& call, const OptionOut& out) {
  // Forever is returned as the number of seconds that stores it.
  constexpr auto kForever = static_cast<int>(OptionValues::kForever / kHz);
  const int seconds = call.values.Get(Slot::kLingerSeconds);
  const linger value = {.l_onoff = call.values.Get(Slot::kLingerOn),
                        .l_linger = seconds < 0 ? kForever : seconds};
  return out.Put(&value, sizeof(value));
}

SysResult GetTimeout(int64_t jiffies, const OptionOut& out) {
  timeval value = {};
  if (jiffies != OptionValues::kForever) {
    value.tv_sec = jiffies / kHz;
    value.tv_usec = jiffies % kHz * kUsPerJiffy;
  }
  return out.Put(&value, sizeof(value));
}

SysResult GetDevice(const OptionCall& call, const OptionOut& out) {
  const int index = call.values.Get(Slot::kInterface);
  if (index == 0) return out.PutNothing();
  if (out.room() < IFNAMSIZ) return Error(EINVAL);
  if (index != kLoopbackIndex) return Error(ENODEV);
  return out.Put("lo", sizeof("lo"));
}

SysResult GetPeerName(const OptionCall& call, const OptionOut& out) {
  const TcpInfoSource source = call.host.info_source();
  if (source.peer_size == 0) return Error(ENOTCONN);
  // A buffer longer than the address is an error, too.
  if (out.room() > source.peer_size) return Error(EINVAL);
  return out.Put(&source.peer, source.peer_size);
}

SysResult GetPacingRate(const OptionCall& call, const OptionOut& out) {
  const uint64_t rate = call.values.max_pacing_rate;
  if (out.room() >= sizeof(rate)) return out.Put(&rate, sizeof(rate));
  constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
  return out.PutInt(
      std::bit_cast<int>(static_cast<uint32_t>(std::min(rate, kMost))));
}

SysResult GetMemInfo(const OptionCall& call, const OptionOut& out) {
  const TcpInfoSource source = call.host.info_source();
  const uint32_t value[9] = {
      source.read_memory,
      static_cast<uint32_t>(call.values.Get(Slot::kRcvBuf)),
      source.write_memory,
      static_cast<uint32_t>(call.values.Get(Slot::kSndBuf)),
  };
  return out.Put(value, sizeof(value));
}

SysResult GetCookie(const OptionCall& call, const OptionOut& out) {
  const bool of_network = call.name == kSoNetnsCookie;
  uint64_t value = 1;
  if (of_network) {
    if (out.room() != sizeof(value)) return Error(EINVAL);
  } else {
    if (out.room() < sizeof(value)) return Error(EINVAL);
    value = call.host.info_source().cookie;
  }
  return out.Put(&value, sizeof(value));
}

SysResult GetPeerCred(const OptionOut& out) {
  const ucred nobody = {
      .pid = 0, .uid = static_cast<uid_t>(-1), .gid = static_cast<gid_t>(-1)};
  return out.Put(&nobody, sizeof(nobody));
}

int Protocol(const OptionHost& host) {
  if (host.family() != AF_INET && host.family() != AF_INET6) return 0;
  return host.type() == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
}

SysResult GetSpecial(const OptionCall& call, const OptionOut& out) {
  OptionValues& values = call.values;
  switch (call.name) {
    case SO_TYPE:
      return out.PutInt(call.host.type());
    case SO_ERROR:
      return out.PutInt(call.host.TakeError());
    case SO_DOMAIN:
      return out.PutInt(call.host.family());
    case SO_PROTOCOL:
      return out.PutInt(Protocol(call.host));
    case SO_ACCEPTCONN:
      return out.PutInt(call.host.state() == TcpState::kListen);
    case SO_SNDLOWAT:
      return out.PutInt(1);
    case SO_LINGER:
      return GetLinger(call, out);
    case SO_RCVTIMEO_OLD:
    case SO_RCVTIMEO_NEW:
      return GetTimeout(values.receive_timeout, out);
    case SO_SNDTIMEO_OLD:
    case SO_SNDTIMEO_NEW:
      return GetTimeout(values.send_timeout, out);
    case SO_TIMESTAMP_OLD:
    case SO_TIMESTAMP_NEW:
    case SO_TIMESTAMPNS_OLD:
    case SO_TIMESTAMPNS_NEW:
      return GetTimestamp(call, out);
    case SO_TIMESTAMPING_OLD:
    case SO_TIMESTAMPING_NEW:
      return GetTimestamping(call, out);
    case SO_TXTIME:
      return GetTxTime(call, out);
    case SO_MAX_PACING_RATE:
      return GetPacingRate(call, out);
    case SO_BINDTODEVICE:
      return GetDevice(call, out);
    case SO_PEERNAME:
      return GetPeerName(call, out);
    case SO_PEERCRED:
      return GetPeerCred(out);
    case SO_MEMINFO:
      return GetMemInfo(call, out);
    case SO_COOKIE:
    case kSoNetnsCookie:
      return GetCookie(call, out);
    case kSoBufLock:
      return out.PutInt((values.On(Slot::kSndBufLocked) ? kSndBufLock : 0) |
                        (values.On(Slot::kRcvBufLocked) ? kRcvBufLock : 0));
    case SO_BPF_EXTENSIONS:
      return out.PutInt(64);
    case SO_GET_FILTER:
      return GetFilter(call, out);
    case SO_BSDCOMPAT:
    case SO_INCOMING_NAPI_ID:
    case kSoReserveMem:
      return out.PutInt(0);
    case SO_PEERGROUPS:
    case kSoPeerPidFd:
      return Error(ENODATA);
    case SO_PASSCRED:
    case SO_PASSSEC:
    case kSoPassPidFd:
    case kSoPassRights:
      return Error(EOPNOTSUPP);
    default:
      return Error(ENOPROTOOPT);
  }
}

}  // namespace

void SetSndBuf(OptionValues& values, int bytes) {
  constexpr int kLeast = 4608;
  values.Set(Slot::kSndBufLocked, 1);
  const int most = std::numeric_limits<int>::max() / 2;
  values.Set(Slot::kSndBuf, std::max(std::min(bytes, most) * 2, kLeast));
}

void SetRcvBuf(OptionValues& values, int bytes) {
  constexpr int kLeast = 2304;
  values.Set(Slot::kRcvBufLocked, 1);
  const int most = std::numeric_limits<int>::max() / 2;
  values.Set(Slot::kRcvBuf, std::max(std::min(bytes, most) * 2, kLeast));
}

SysResult SetSocketLevel(const OptionCall& call, const OptionIn& in) {
  if (call.name == SO_BINDTODEVICE) return SetDevice(call, in);
  int value = 0;
  if (in.size() < static_cast<int>(sizeof(value))) return Error(EINVAL);
  if (!in.Read(value)) return Error(EFAULT);
  const OptionRow* row = FindRow(kRows, call.name);
  if (row != nullptr && row->rule != Rule::kElsewhere) {
    return SetRow(*row, value, call.values);
  }
  return SetSpecial(call, in, value);
}

SysResult GetSocketLevel(const OptionCall& call, const OptionOut& out) {
  if (call.name == kSoTxRehash && !IsTcp(call.host)) return Error(EOPNOTSUPP);
  const OptionRow* row = FindRow(kRows, call.name);
  if (row != nullptr) return out.PutInt(call.values.Get(row->slot));
  return GetSpecial(call, out);
}

}  // namespace net::fake
