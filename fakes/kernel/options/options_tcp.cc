// IPPROTO_TCP: tcp(7).

#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"
#include "fakes/kernel/options/option_levels.h"
#include "fakes/kernel/options/option_values.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

using CongestionControl = FakeSysctls::CongestionControl;

// Names that may be newer than the libc headers.
constexpr int kTcpAoRepair = 42;
constexpr int kTcpIsMptcp = 43;
constexpr int kTcpRtoMaxMs = 44;
constexpr int kTcpRtoMinUs = 45;
constexpr int kTcpDelAckMaxUs = 46;

constexpr int kCongestionNameSize = 16;
constexpr int kLongestLinger2 = 120;      // Seconds.
constexpr int kLongestDelayUs = 200'000;  // Microseconds: 50 jiffies.
constexpr int kShortestWindow = 1152;     // Bytes.

constexpr OptionRow kRows[] = {
    {TCP_NODELAY, Slot::kNoDelay},
    {TCP_MAXSEG, Slot::kMaxSeg, Rule::kElsewhere},
    {TCP_CORK, Slot::kCork},
    {TCP_KEEPIDLE, Slot::kKeepIdle, Rule::kRange, 1, 32767},
    {TCP_KEEPINTVL, Slot::kKeepIntvl, Rule::kRange, 1, 32767},
    {TCP_KEEPCNT, Slot::kKeepCnt, Rule::kRange, 1, 127},
    {TCP_SYNCNT, Slot::kSynCnt, Rule::kRange, 1, 127},
    {TCP_WINDOW_CLAMP, Slot::kWindowClamp, Rule::kElsewhere},
    {TCP_QUICKACK, Slot::kQuickAck},
    {TCP_THIN_LINEAR_TIMEOUTS, Slot::kThinLinearTimeouts, Rule::kRange, 0, 1},
    {TCP_USER_TIMEOUT, Slot::kUserTimeout, Rule::kRange},
    {TCP_FASTOPEN, Slot::kFastOpen, Rule::kElsewhere},
    {TCP_NOTSENT_LOWAT, Slot::kNotSentLowat, Rule::kAny},
    {TCP_SAVE_SYN, Slot::kSaveSyn, Rule::kRange, 0, 2},
    {TCP_FASTOPEN_CONNECT, Slot::kFastOpenConnect, Rule::kElsewhere},
    {TCP_FASTOPEN_NO_COOKIE, Slot::kFastOpenNoCookie, Rule::kElsewhere},
    {TCP_INQ, Slot::kInq, Rule::kRange, 0, 1},
    {TCP_TX_DELAY, Slot::kTxDelay, Rule::kRange, 0, (1 << 28) - 1},
};
static_assert(AreSorted(kRows));

bool IsClosed(const OptionHost& host) {
  return host.state() == TcpState::kClosed;
}
bool IsClosedOrListens(const OptionHost& host) {
  return IsClosed(host) || host.state() == TcpState::kListen;
}

// Returns the errno of setting or reading TCP_AO_REPAIR.
int AoRepairError(const OptionHost& host) {
  const bool may_repair = host.net_admin() && host.state() != TcpState::kListen;
  return may_repair ? ENOPROTOOPT : EPERM;
}

// --- Setting

SysResult SetCongestion(const OptionCall& call, const OptionIn& in) {
  if (in.size() < 1) return Error(EINVAL);
  char text[kCongestionNameSize] = {};
  const int size = std::min(in.size(), kCongestionNameSize - 1);
  if (!in.Read(text, static_cast<size_t>(size))) return Error(EFAULT);
  const absl::string_view name(text);
  if (name != "cubic" && name != "reno") return Error(ENOENT);
  call.values.Set(Slot::kCongestion,
                  static_cast<int>(name == "cubic" ? CongestionControl::kCubic
                                                   : CongestionControl::kReno));
  return Ok();
}

// No upper layer protocol is modelled.
SysResult SetUlp(const OptionIn& in) {
  if (in.size() < 1) return Error(EINVAL);
  char text[kCongestionNameSize] = {};
  const int size = std::min(in.size(), kCongestionNameSize - 1);
  if (!in.Read(text, static_cast<size_t>(size))) return Error(EFAULT);
  return Error(ENOENT);
}

SysResult SetFastOpenKey(const OptionIn& in) {
  char key[32];
  if (in.size() != 16 && in.size() != 32) return Error(EINVAL);
  if (!in.Read(key, static_cast<size_t>(in.size()))) return Error(EFAULT);
  return Ok();
}

SysResult SetMaxSeg(const OptionCall& call, int value) {
  if (value != 0 && (value < 88 || value > 32767)) return Error(EINVAL);
  call.values.Set(Slot::kMaxSeg, value);
  return Ok();
}

SysResult SetLinger2(const OptionCall& call, int value) {
  call.values.Set(Slot::kLinger2, std::clamp(value, -1, kLongestLinger2));
  return Ok();
}

SysResult SetWindowClamp(const OptionCall& call, int value) {
  if (value == 0) {
    if (!IsClosed(call.host)) return Error(EINVAL);
    call.values.Set(Slot::kWindowClamp, 0);
    return Ok();
  }
  call.values.Set(Slot::kWindowClamp, std::max(value, kShortestWindow));
  return Ok();
}

SysResult SetFastOpen(const OptionCall& call, int value) {
  if (value < 0 || !IsClosedOrListens(call.host)) return Error(EINVAL);
  call.values.Set(Slot::kFastOpen,
                  std::min(value, call.host.sysctls().somaxconn));
  return Ok();
}

SysResult SetFastOpenConnect(const OptionCall& call, int value) {
  if (value < 0 || value > 1) return Error(EINVAL);
  if ((call.host.sysctls().tcp_fastopen & 1) == 0) return Error(EOPNOTSUPP);
  if (!IsClosed(call.host)) return Error(EINVAL);
  call.values.Set(Slot::kFastOpenConnect, value);
  return Ok();
}

SysResult SetFastOpenNoCookie(const OptionCall& call, int value) {
  if (value < 0 || value > 1) return Error(EINVAL);
  if (!IsClosedOrListens(call.host)) return Error(EINVAL);
  call.values.Set(Slot::kFastOpenNoCookie, value);
  return Ok();
}

SysResult SetRepair(const OptionCall& call, int value) {
  if (!call.host.net_admin() || call.host.state() == TcpState::kListen) {
    return Error(EPERM);
  }
  if (value < -1 || value > 1) return Error(EINVAL);
  return value == 1 ? Error(EPERM) : Ok();
}

// Sets a delay. Delays shorter than two jiffies are invalid.
SysResult SetDelay(const OptionCall& call, Slot slot, int us) {
  const int64_t rounded = RoundUpToJiffies(us, kUsPerJiffy);
  if (us < 0 || rounded < 2 * kUsPerJiffy || rounded > kLongestDelayUs) {
    return Error(EINVAL);
  }
  call.values.Set(slot, static_cast<int>(rounded));
  return Ok();
}

SysResult SetRtoMax(const OptionCall& call, int ms) {
  if (ms < 1000 || ms > 120'000) return Error(EINVAL);
  call.values.Set(Slot::kRtoMax,
                  static_cast<int>(RoundUpToJiffies(ms, kUsPerJiffy / 1000)));
  return Ok();
}

SysResult SetSpecial(const OptionCall& call, int value) {
  switch (call.name) {
    case TCP_MAXSEG:
      return SetMaxSeg(call, value);
    case TCP_LINGER2:
      return SetLinger2(call, value);
    case TCP_DEFER_ACCEPT:
      call.values.Set(Slot::kDeferAccept, DeferRetransmissions(value));
      return Ok();
    case TCP_WINDOW_CLAMP:
      return SetWindowClamp(call, value);
    case TCP_FASTOPEN:
      return SetFastOpen(call, value);
    case TCP_FASTOPEN_CONNECT:
      return SetFastOpenConnect(call, value);
    case TCP_FASTOPEN_NO_COOKIE:
      return SetFastOpenNoCookie(call, value);
    case kTcpRtoMaxMs:
      return SetRtoMax(call, value);
    case kTcpRtoMinUs:
      return SetDelay(call, Slot::kRtoMin, value);
    case kTcpDelAckMaxUs:
      return SetDelay(call, Slot::kDelAckMax, value);
    case TCP_THIN_DUPACK:  // Obsolete: accepted without effect.
      return value == 0 || value == 1 ? Ok() : Error(EINVAL);
    case TCP_REPAIR:
      return SetRepair(call, value);
    case TCP_REPAIR_QUEUE:
    case TCP_TIMESTAMP:
    case TCP_REPAIR_WINDOW:
      return Error(EPERM);
    case TCP_QUEUE_SEQ:
      return Error(IsClosed(call.host) ? EINVAL : EPERM);
    case TCP_REPAIR_OPTIONS:
    case TCP_MD5SIG:
    case TCP_MD5SIG_EXT:
      return Error(EINVAL);
    case kTcpAoRepair:
      return Error(AoRepairError(call.host));
    default:
      return Error(ENOPROTOOPT);
  }
}

// --- Getting

// Without a connection, getsockopt(2) returns the program's own value.
int MaxSeg(const OptionCall& call) {
  const int set = call.values.Get(Slot::kMaxSeg);
  if (set != 0 && IsClosedOrListens(call.host)) return set;
  return static_cast<int>(call.host.info_source().mss);
}

int Linger2(const OptionCall& call) {
  const int set = call.values.Get(Slot::kLinger2);
  return set != 0 ? set : call.host.sysctls().tcp_fin_timeout;
}

// Returns the socket's value or, if it is not set, `otherwise`.
int OrDefault(const OptionCall& call, Slot slot, int otherwise) {
  const int set = call.values.Get(slot);
  return set != 0 ? set : otherwise;
}

SysResult GetCongestion(const OptionCall& call, const OptionOut& out) {
  char name[kCongestionNameSize] = "cubic";
  const auto which =
      static_cast<CongestionControl>(call.values.Get(Slot::kCongestion));
  if (which == CongestionControl::kReno) std::strcpy(name, "reno");
  return out.Put(name, sizeof(name));
}

SysResult GetInfo(const OptionCall& call, const OptionOut& out) {
  const TcpInfo info = MakeTcpInfo(call.host.state(), call.host.info_source(),
                                   call.values.max_pacing_rate);
  return out.Put(&info, sizeof(info));
}

SysResult GetZeroCopyReceive(const OptionOut& out) {
  char request[12];
  if (out.room() < sizeof(request)) return Error(EINVAL);
  return Error(out.in().Read(request, sizeof(request)) ? EINVAL : EFAULT);
}

SysResult GetSpecial(const OptionCall& call, const OptionOut& out) {
  const FakeSysctls& sysctls = call.host.sysctls();
  switch (call.name) {
    case TCP_MAXSEG:
      return out.PutInt(MaxSeg(call));
    case TCP_KEEPIDLE:
      return out.PutInt(
          OrDefault(call, Slot::kKeepIdle, sysctls.tcp_keepalive_time));
    case TCP_KEEPINTVL:
      return out.PutInt(
          OrDefault(call, Slot::kKeepIntvl, sysctls.tcp_keepalive_intvl));
    case TCP_KEEPCNT:
      return out.PutInt(
          OrDefault(call, Slot::kKeepCnt, sysctls.tcp_keepalive_probes));
    case TCP_SYNCNT:
      return out.PutInt(
          OrDefault(call, Slot::kSynCnt, sysctls.tcp_syn_retries));
    case TCP_LINGER2:
      return out.PutInt(Linger2(call));
    case TCP_DEFER_ACCEPT:
      return out.PutInt(DeferSeconds(call.values.Get(Slot::kDeferAccept)));
    case kTcpRtoMaxMs:
      return out.PutInt(OrDefault(call, Slot::kRtoMax, sysctls.tcp_rto_max_ms));
    case kTcpRtoMinUs:
      return out.PutInt(OrDefault(call, Slot::kRtoMin, sysctls.tcp_rto_min_us));
    case kTcpDelAckMaxUs:
      return out.PutInt(OrDefault(call, Slot::kDelAckMax, kLongestDelayUs));
    case TCP_INFO:
      return GetInfo(call, out);
    case TCP_CONGESTION:
      return GetCongestion(call, out);
    case TCP_TIMESTAMP:
      return out.PutInt(static_cast<int>(call.host.info_source().timestamp));
    case TCP_CC_INFO:
    case TCP_SAVED_SYN:
    case TCP_ULP:
    case TCP_FASTOPEN_KEY:
      return out.PutNothing();
    case TCP_THIN_DUPACK:
    case TCP_REPAIR:
    case kTcpIsMptcp:
      return out.PutInt(0);
    case TCP_REPAIR_QUEUE:
    case TCP_QUEUE_SEQ:
      return Error(EINVAL);
    case TCP_REPAIR_WINDOW:
      return Error(out.room() == sizeof(tcp_repair_window) ? EPERM : EINVAL);
    case TCP_ZEROCOPY_RECEIVE:
      return GetZeroCopyReceive(out);
    case kTcpAoRepair:
      return Error(AoRepairError(call.host));
    default:
      return Error(ENOPROTOOPT);
  }
}

// Options that return a sysctl's value when their slot is 0.
bool HasDefault(int name) {
  return name == TCP_MAXSEG || name == TCP_KEEPIDLE || name == TCP_KEEPINTVL ||
         name == TCP_KEEPCNT || name == TCP_SYNCNT;
}

}  // namespace

int DeferRetransmissions(int seconds) {
  constexpr int kLongest = 120;
  if (seconds <= 0) return 0;
  int retransmissions = 1;
  int timeout = 1;
  for (int period = 1; seconds > period && retransmissions < 255;
       period += timeout) {
    ++retransmissions;
    timeout = std::min(timeout * 2, kLongest);
  }
  return retransmissions;
}

int DeferSeconds(int retransmissions) {
  constexpr int kLongest = 120;
  int period = 0;
  int timeout = 1;
  for (int i = 0; i < retransmissions; ++i) {
    period += timeout;
    timeout = std::min(timeout * 2, kLongest);
  }
  return period;
}

SysResult SetTcpLevel(const OptionCall& call, const OptionIn& in) {
  if (call.name == TCP_CONGESTION) return SetCongestion(call, in);
  if (call.name == TCP_ULP) return SetUlp(in);
  if (call.name == TCP_FASTOPEN_KEY) return SetFastOpenKey(in);
  int value = 0;
  if (in.size() < static_cast<int>(sizeof(value))) return Error(EINVAL);
  if (!in.Read(value)) return Error(EFAULT);
  const OptionRow* row = FindRow(kRows, call.name);
  if (row != nullptr && row->rule != Rule::kElsewhere) {
    return SetRow(*row, value, call.values);
  }
  return SetSpecial(call, value);
}

SysResult GetTcpLevel(const OptionCall& call, const OptionOut& out) {
  const OptionRow* row = FindRow(kRows, call.name);
  if (row != nullptr && !HasDefault(call.name)) {
    return out.PutInt(call.values.Get(row->slot));
  }
  return GetSpecial(call, out);
}

}  // namespace net::fake
