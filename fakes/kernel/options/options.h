#ifndef FAKES_KERNEL_OPTIONS_OPTIONS_H_
#define FAKES_KERNEL_OPTIONS_OPTIONS_H_

#include <sys/socket.h>

#include <cstdint>
#include <limits>
#include <optional>

#include "fakes/kernel/options/option_values.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "syscalls/sys_result.h"

namespace net::fake {

// The state that setsockopt(2) and getsockopt(2) depend on besides the option
// values: the socket and the caller's capabilities.
class OptionHost {
 public:
  virtual int family() const = 0;  // AF_INET, AF_INET6 or another.
  // Returns the type of socket(2). SOCK_STREAM of an IP family is TCP.
  virtual int type() const { return SOCK_STREAM; }
  virtual TcpState state() const = 0;
  // Returns whether the socket has a local port.
  virtual bool bound() const = 0;
  virtual const FakeSysctls& sysctls() const = 0;

  // Return whether the caller has CAP_NET_ADMIN, has CAP_NET_RAW, and has
  // CAP_NET_ADMIN in the initial user namespace. The root user of another user
  // namespace lacks the last one (user_namespaces(7)).
  virtual bool net_admin() const = 0;
  virtual bool net_raw() const { return net_admin(); }
  virtual bool host_admin() const { return net_admin(); }

  // Returns the pending error, an errno or 0, and clears it (SO_ERROR).
  virtual int TakeError() = 0;

  virtual TcpInfoSource info_source() const = 0;

  // Called when an option invalidates the socket's route. Until the next packet
  // is sent, the path MTU is unknown.
  virtual void ForgetRoute() {}

 protected:
  ~OptionHost() = default;
};

// The options of a socket (socket(7), tcp(7), ip(7), ipv6(7)): setsockopt(2)
// and getsockopt(2) as on Linux 6.18, and accessors for the other parts of the
// kernel. It is a value type that does not allocate.
//
// Not modelled, because TCP programs over loopback do not depend on them:
// - Filters of extended BPF and of SO_REUSEPORT: setting one fails with EINVAL.
// - Packet options: IP_OPTIONS other than padding, IPV6_HOPOPTS and similar
//   ones fail with EINVAL. IP_PKTOPTIONS returns nothing.
// - Multicast memberships, flow labels, netfilter's options.
// - MD5 and AO signatures.
// - TCP_REPAIR: fails with EPERM.
// - Fast-open keys: accepted, but not returned.
// - TCP_ZEROCOPY_RECEIVE.
//
// Not thread-safe; guarded by the kernel's mutex.
class SocketOptions {
 public:
  // The options of a new socket.
  SocketOptions(int family, const FakeSysctls& sysctls, int type = SOCK_STREAM);

  SysResult Set(OptionHost& host, int level, int name, const void* value,
                socklen_t len);
  SysResult Get(OptionHost& host, int level, int name, void* value,
                socklen_t* len);

  // Returns the options of a connection that a listener with these options
  // accepts. `over_ipv6` is false for an IPv4 connection of an IPv6 listener.
  // `peer_ttl` is the remaining TTL or hop limit of the peer's packets.
  SocketOptions ForAccepted(bool over_ipv6, int peer_ttl = 64) const;

  // SOL_SOCKET
  bool reuse_addr() const { return values_.On(Slot::kReuseAddr); }
  bool reuse_port() const { return values_.On(Slot::kReusePort); }
  bool keep_alive() const { return values_.On(Slot::kKeepAlive); }
  bool oobinline() const { return values_.On(Slot::kOobInline); }
  bool linger_on() const { return values_.On(Slot::kLingerOn); }
  // Returns the seconds of SO_LINGER. For a negative value, which lingers
  // forever on Linux, returns 68 years.
  int linger_seconds() const {
    const int seconds = values_.Get(Slot::kLingerSeconds);
    return seconds < 0 ? std::numeric_limits<int>::max() : seconds;
  }
  // The longest time that a call may block, in nanoseconds. Nullopt: unlimited.
  // 0: the call does not block.
  std::optional<int64_t> rcvtimeo() const;
  std::optional<int64_t> sndtimeo() const;
  int rcvlowat() const { return values_.Get(Slot::kRcvLowat); }
  int sndbuf() const { return values_.Get(Slot::kSndBuf); }  // Bytes.
  int rcvbuf() const { return values_.Get(Slot::kRcvBuf); }
  bool sndbuf_locked() const { return values_.On(Slot::kSndBufLocked); }
  bool rcvbuf_locked() const { return values_.On(Slot::kRcvBufLocked); }
  int peek_off() const { return values_.Get(Slot::kPeekOff); }  // -1: off.
  bool timestamp() const { return values_.On(Slot::kTimestamp); }
  bool timestamp_ns() const { return values_.On(Slot::kTimestampNs); }
  bool timestamp_new() const { return values_.On(Slot::kTimestampNew); }
  uint32_t timestamping() const {  // SOF_TIMESTAMPING_*
    return static_cast<uint32_t>(values_.Get(Slot::kTimestamping));
  }
  // Returns whether recvmsg(2) may return the time at which data has arrived.
  bool stamps_arrivals() const { return timestamp() || timestamping() != 0; }
  bool zero_copy() const { return values_.On(Slot::kZeroCopy); }
  void set_peek_off(int offset) { values_.Set(Slot::kPeekOff, offset); }
  int bound_interface() const { return values_.Get(Slot::kInterface); }

  // IPPROTO_TCP. If the option is not set, functions with `sysctls` return the
  // current value of the sysctl.
  bool nodelay() const { return values_.On(Slot::kNoDelay); }
  bool cork() const { return values_.On(Slot::kCork); }
  int keepidle(const FakeSysctls& sysctls) const;   // Seconds.
  int keepintvl(const FakeSysctls& sysctls) const;  // Seconds.
  int keepcnt(const FakeSysctls& sysctls) const;    // Probes.
  int syncnt(const FakeSysctls& sysctls) const;     // Retransmissions.
  // TCP_LINGER2 in seconds. -1: an orphan does not enter FIN-WAIT-2. 0:
  // tcp_fin_timeout applies.
  int linger2() const { return values_.Get(Slot::kLinger2); }
  // TCP_DEFER_ACCEPT: how long a listener waits for data, as a number of
  // SYN-ACK retransmissions; 0: off.
  int defer_accept() const { return values_.Get(Slot::kDeferAccept); }
  // TCP_USER_TIMEOUT in milliseconds; 0: not set.
  int user_timeout() const { return values_.Get(Slot::kUserTimeout); }
  uint32_t notsent_lowat() const {
    return static_cast<uint32_t>(values_.Get(Slot::kNotSentLowat));
  }
  int maxseg() const { return values_.Get(Slot::kMaxSeg); }  // 0: not set.
  void clear_maxseg() { values_.Set(Slot::kMaxSeg, 0); }
  // Returns the window scale (RFC 7323). It covers the largest buffer that
  // autotuning can reach, or the buffer that the program has chosen.
  int window_scale(const FakeSysctls& sysctls) const;
  int window_clamp() const { return values_.Get(Slot::kWindowClamp); }
  // TCP_SAVE_SYN. 0: off. 1: saves from the IP header on. 2: saves from the
  // link layer's header on.
  int save_syn() const { return values_.Get(Slot::kSaveSyn); }
  bool fast_open_connect() const { return values_.On(Slot::kFastOpenConnect); }
  bool fast_open_no_cookie() const {
    return values_.On(Slot::kFastOpenNoCookie);
  }
  int fast_open_queue() const { return values_.Get(Slot::kFastOpen); }
  bool inq() const { return values_.On(Slot::kInq); }

  // IPPROTO_IP, IPPROTO_IPV6
  bool v6only() const { return values_.On(Slot::kV6Only); }
  // Returns the TTL of sent packets or, with `v6`, the hop limit.
  int ttl(bool v6, const FakeSysctls& sysctls) const {
    const int own =
        v6 ? values_.Get(Slot::kUnicastHops) : values_.Get(Slot::kTtl);
    if (own >= 0) return own;
    return v6 ? sysctls.hop_limit : sysctls.ip_default_ttl;
  }
  // Returns the minimum TTL or hop limit of received packets (IP_MINTTL,
  // IPV6_MINHOPCOUNT). Packets with a lower one are dropped.
  int min_ttl(bool v6) const {
    return v6 ? values_.Get(Slot::kMinHops) : values_.Get(Slot::kMinTtl);
  }
  // Returns whether min_ttl() is 0 for both families.
  bool has_no_min_ttl() const {
    return min_ttl(false) == 0 && min_ttl(true) == 0;
  }
  int tos() const { return values_.Get(Slot::kTos); }
  int tclass() const { return values_.Get(Slot::kTclass); }
  // Returns whether IPv4 packets may be fragmented (IP_MTU_DISCOVER).
  bool fragments() const { return values_.Get(Slot::kMtuDiscover) == 0; }
  bool freebind() const { return values_.On(Slot::kFreeBind); }
  bool transparent() const { return values_.On(Slot::kTransparent); }
  bool bind_address_no_port() const {
    return values_.On(Slot::kBindAddressNoPort);
  }
  // IP_LOCAL_PORT_RANGE, or nullopt if it is not set. A bound of 0 does not
  // limit the range.
  struct PortRange {
    uint16_t first;
    uint16_t last;
  };
  std::optional<PortRange> local_port_range() const {
    const auto both = static_cast<uint32_t>(values_.Get(Slot::kPortRange));
    if (both == 0) return std::nullopt;
    return PortRange{.first = static_cast<uint16_t>(both & 0xffff),
                     .last = static_cast<uint16_t>(both >> 16)};
  }

  // Changes that TCP makes itself, unless the program has set the value:
  // - Binding an IPv6 socket to one IPv6 address sets IPV6_V6ONLY according to
  //   the address.
  // - An established connection enlarges SO_SNDBUF for ten segments, and sets
  //   its CPU and window clamp.
  void set_v6only(bool on) { values_.Set(Slot::kV6Only, on ? 1 : 0); }
  void set_window_clamp(int bytes) { values_.Set(Slot::kWindowClamp, bytes); }
  void set_quick_ack(bool on) { values_.Set(Slot::kQuickAck, on ? 1 : 0); }
  bool quick_ack() const { return values_.On(Slot::kQuickAck); }
  void OnEstablished(const FakeSysctls& sysctls);
  // Raise SO_SNDBUF or SO_RCVBUF as autotuning does, up to the sysctl's limit,
  // unless the program has set it.
  void GrowSndBuf(int bytes, const FakeSysctls& sysctls);
  void GrowRcvBuf(int bytes, const FakeSysctls& sysctls);

 private:
  OptionValues values_;
};
static_assert(sizeof(SocketOptions) <= 192);

// SO_SNDBUF, in bytes, of a loopback connection whose window has not grown yet:
// ten segments with the kernel's overhead, doubled.
inline constexpr int kLoopbackSndBuf = 2626560;

}  // namespace net::fake

#endif  // FAKES_KERNEL_OPTIONS_OPTIONS_H_
