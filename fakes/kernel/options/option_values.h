#ifndef FAKES_KERNEL_OPTIONS_OPTION_VALUES_H_
#define FAKES_KERNEL_OPTIONS_OPTION_VALUES_H_

#include <linux/filter.h>

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace net::fake {

// The slot of an option's value, which is 1, 16 or 32 bits wide. The slots of
// each width are consecutive, so that a socket can store each value in its own
// width. A new slot goes to the group of the smallest width that holds all
// values of the option.
enum class Slot : uint8_t {
  // Switches. SOL_SOCKET:
  kDebug,
  kReuseAddr,
  kReusePort,
  kDontRoute,
  kBroadcast,
  kKeepAlive,
  kOobInline,
  kNoCheck,
  kRxqOverflow,
  kWifiStatus,
  kNoFcs,
  kLockFilter,
  kSelectErrQueue,
  kZeroCopy,
  kPreferBusyPoll,
  kTxRehash,
  kRcvMark,
  kRcvPriority,
  kLingerOn,
  kTimestamp,
  kTimestampNs,
  kTimestampNew,  // 64-bit seconds.
  kSndBufLocked,  // Set by the program: no autotuning.
  kRcvBufLocked,
  // IPPROTO_TCP:
  kNoDelay,
  kCork,
  kQuickAck,
  kThinLinearTimeouts,
  kFastOpenConnect,
  kFastOpenNoCookie,
  kInq,
  // IPPROTO_IP:
  kIpRecvOpts,
  kIpRetOpts,
  kIpPktInfo,
  kIpRecvErr,
  kIpRecvTtl,
  kIpRecvTos,
  kFreeBind,
  kIpPassSec,
  kTransparent,
  kIpRecvOrigDst,
  kIpChecksum,
  kBindAddressNoPort,
  kIpRecvErrRfc4884,
  kIpMulticastLoop,
  kIpMulticastAll,
  // IPPROTO_IPV6:
  kV6Only,
  k2292PktInfo,
  k2292HopOpts,
  k2292DstOpts,
  k2292RtHdr,
  k2292HopLimit,
  kFlowInfo,
  kFlowInfoSend,
  kV6MulticastLoop,
  kV6MulticastAll,
  kV6RecvErr,
  kV6RecvErrRfc4884,
  kRouterAlertIsolate,
  kRecvPktInfo,
  kRecvHopLimit,
  kRecvHopOpts,
  kRecvRtHdr,
  kRecvDstOpts,
  kRecvPathMtu,
  kDontFrag,
  kRecvTclass,
  kAutoFlowLabel,
  kV6RecvOrigDst,
  kV6RecvFragSize,

  // 16 bits.
  kKeepIdle,  // Seconds; 0: the sysctl's value.
  kFirst16 = kKeepIdle,
  kKeepIntvl,    // Seconds; 0: the sysctl's value.
  kKeepCnt,      // Probes; 0: the sysctl's value.
  kSynCnt,       // Retransmissions; 0: the sysctl's value.
  kLinger2,      // Seconds; 0: the sysctl's value;
                 // -1: no FIN-WAIT-2 for orphans.
  kDeferAccept,  // Retransmissions of the SYN-ACK.
  kMaxSeg,       // Bytes; 0: TCP chooses.
  kSaveSyn,
  kCongestion,   // A FakeSysctls::CongestionControl.
  kTxTimeClock,  // A clockid_t.
  kTxTimeFlags,
  kTos,
  kTtl,  // -1: the sysctl's value.
  kMinTtl,
  kMtuDiscover,
  kMulticastTtl,
  kUnicastHops,  // -1: the sysctl's value.
  kMulticastHops,
  kTclass,
  kMinHops,
  kV6MtuDiscover,
  kAddrPreferences,  // IPV6_PREFER_SRC_*

  // 32 bits.
  kSndBuf,  // Bytes as getsockopt(2) returns them: twice the requested number.
  kFirst32 = kSndBuf,
  kRcvBuf,
  kRcvLowat,
  kPriority,
  kMark,
  kPeekOff,
  kBusyPoll,
  kIncomingCpu,
  kLingerSeconds,  // -1: forever.
  kTimestamping,
  kInterface,    // An interface index; 0: any.
  kUserTimeout,  // Milliseconds.
  kFastOpen,     // Length of its queue.
  kNotSentLowat,
  kTxDelay,    // Microseconds.
  kRtoMax,     // Milliseconds; 0: the default.
  kRtoMin,     // Microseconds; 0: the default.
  kDelAckMax,  // Microseconds; 0: the default.
  kWindowClamp,
  kUnicastInterface,  // An index in network byte order.
  kPortRange,
  kV6UnicastInterface,
  kV6MulticastInterface,
  kEnd,
};

// The values of all numeric options of a socket.
class OptionValues {
 public:
  int32_t Get(Slot slot) const {
    if (slot < Slot::kFirst16) return switches_[Index(slot)] ? 1 : 0;
    if (slot < Slot::kFirst32) return small_[Index(slot) - kSwitches];
    return wide_[Index(slot) - kSwitches - kSmall];
  }
  bool On(Slot slot) const { return switches_[Index(slot)]; }

  // Sets a value. Requires that it fits the width of the slot; otherwise its
  // high bits are lost.
  void Set(Slot slot, int32_t value) {
    if (slot < Slot::kFirst16) {
      switches_[Index(slot)] = value != 0;
    } else if (slot < Slot::kFirst32) {
      small_[Index(slot) - kSwitches] = static_cast<int16_t>(value);
    } else {
      wide_[Index(slot) - kSwitches - kSmall] = value;
    }
  }

  // SO_RCVTIMEO and SO_SNDTIMEO in jiffies; kForever means no timeout.
  static constexpr int64_t kForever = INT64_MAX;
  int64_t receive_timeout = kForever;
  int64_t send_timeout = kForever;
  // SO_MAX_PACING_RATE in bytes per second.
  uint64_t max_pacing_rate = ~uint64_t{0};
  // SO_ATTACH_FILTER; null: none.
  std::shared_ptr<const std::vector<sock_filter>> filter;

 private:
  static constexpr size_t Index(Slot slot) { return static_cast<size_t>(slot); }
  static constexpr size_t kSwitches = static_cast<size_t>(Slot::kFirst16);
  static constexpr size_t kSmall =
      static_cast<size_t>(Slot::kFirst32) - kSwitches;
  static constexpr size_t kWide =
      static_cast<size_t>(Slot::kEnd) - kSwitches - kSmall;

  std::bitset<kSwitches> switches_;
  std::array<int32_t, kWide> wide_ = {};
  std::array<int16_t, kSmall> small_ = {};
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_OPTIONS_OPTION_VALUES_H_
