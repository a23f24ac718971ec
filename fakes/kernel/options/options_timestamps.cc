// SO_TIMESTAMP and its relatives, SO_TIMESTAMPING and SO_TXTIME:
// Documentation/networking/timestamping.rst of Linux.

#include <linux/net_tstamp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

#include "fakes/kernel/options/option_levels.h"
#include "fakes/kernel/options/option_values.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

// Bits of SO_TIMESTAMPING that may be newer than <linux/net_tstamp.h>.
constexpr uint32_t kOptBindPhc = 1U << 15;
constexpr uint32_t kOptIdTcp = 1U << 16;
constexpr uint32_t kAllTimestamping = (1U << 19) - 1;

}  // namespace

SysResult SetTimestamp(const OptionCall& call, int value) {
  const bool on = value != 0;
  const bool in_ns =
      call.name == SO_TIMESTAMPNS_OLD || call.name == SO_TIMESTAMPNS_NEW;
  const bool is_new =
      call.name == SO_TIMESTAMP_NEW || call.name == SO_TIMESTAMPNS_NEW;
  call.values.Set(Slot::kTimestamp, on ? 1 : 0);
  call.values.Set(Slot::kTimestampNs, on && in_ns ? 1 : 0);
  // SO_TIMESTAMPING uses this layout, too.
  if (on) call.values.Set(Slot::kTimestampNew, is_new ? 1 : 0);
  return Ok();
}

SysResult SetTimestamping(const OptionCall& call, int value) {
  const auto flags = static_cast<uint32_t>(value);
  if ((flags & ~kAllTimestamping) != 0) return Error(EINVAL);
  const bool counts = (flags & SOF_TIMESTAMPING_OPT_ID) != 0;
  if ((flags & kOptIdTcp) != 0 && !counts) return Error(EINVAL);
  const TcpState state = call.host.state();
  if (counts && IsTcp(call.host) &&
      (state == TcpState::kClosed || state == TcpState::kListen)) {
    return Error(EINVAL);  // There is no stream whose bytes could be counted.
  }
  if ((flags & SOF_TIMESTAMPING_OPT_STATS) != 0 &&
      (flags & SOF_TIMESTAMPING_OPT_TSONLY) == 0) {
    return Error(EINVAL);
  }
  if ((flags & kOptBindPhc) != 0) return Error(EOPNOTSUPP);
  call.values.Set(Slot::kTimestamping, value);
  call.values.Set(Slot::kTimestampNew, call.name == SO_TIMESTAMPING_NEW);
  return Ok();
}

SysResult SetTxTime(const OptionCall& call, const OptionIn& in) {
  struct {
    int32_t clock;
    uint32_t flags;
  } value = {};
  if (in.size() != sizeof(value)) return Error(EINVAL);
  if (!in.Read(&value, sizeof(value))) return Error(EFAULT);
  if (value.flags > 3) return Error(EINVAL);
  if (value.clock != CLOCK_MONOTONIC && !call.host.net_admin()) {
    return Error(EPERM);
  }
  const bool known = value.clock == CLOCK_REALTIME ||
                     value.clock == CLOCK_MONOTONIC || value.clock == CLOCK_TAI;
  if (!known) return Error(EINVAL);
  call.values.Set(Slot::kTxTimeClock, value.clock);
  call.values.Set(Slot::kTxTimeFlags, static_cast<int>(value.flags));
  return Ok();
}

SysResult GetTimestamp(const OptionCall& call, const OptionOut& out) {
  const OptionValues& values = call.values;
  const bool on = values.On(Slot::kTimestamp);
  const bool in_ns = values.On(Slot::kTimestampNs);
  const bool is_new = values.On(Slot::kTimestampNew);
  switch (call.name) {
    case SO_TIMESTAMP_OLD:
      return out.PutInt(on && !is_new && !in_ns);
    case SO_TIMESTAMPNS_OLD:
      return out.PutInt(on && !is_new && in_ns);
    case SO_TIMESTAMP_NEW:
      return out.PutInt(on && is_new);
    default:
      return out.PutInt(on && is_new && in_ns);
  }
}

SysResult GetTimestamping(const OptionCall& call, const OptionOut& out) {
  const bool told =
      call.name == SO_TIMESTAMPING_OLD || call.values.On(Slot::kTimestampNew);
  const int32_t value[2] = {told ? call.values.Get(Slot::kTimestamping) : 0,
                            /*PTP clock*/ 0};
  return out.Put(value, sizeof(value));
}

SysResult GetTxTime(const OptionCall& call, const OptionOut& out) {
  const int32_t value[2] = {call.values.Get(Slot::kTxTimeClock),
                            call.values.Get(Slot::kTxTimeFlags)};
  return out.Put(value, sizeof(value));
}

}  // namespace net::fake
