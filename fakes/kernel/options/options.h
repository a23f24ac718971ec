#ifndef FAKES_KERNEL_OPTIONS_OPTIONS_H_
#define FAKES_KERNEL_OPTIONS_OPTIONS_H_

#include <sys/socket.h>

#include <cstdint>
#include <optional>

#include "fakes/kernel/options/option_values.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "syscalls/sys_result.h"

namespace net::fake {

// What the answers of setsockopt(2) and getsockopt(2) depend on beside the
// values that were set: the socket, and who makes the call.
class OptionHost {
 public:
  virtual int family() const = 0;  // AF_INET, AF_INET6 or another
  // SOCK_STREAM is TCP if the family is one of IP's.
  virtual int type() const { return SOCK_STREAM; }
  virtual TcpState state() const = 0;
  // Whether it has a local port.
  virtual bool bound() const = 0;
  virtual const FakeSysctls& sysctls() const = 0;

  // CAP_NET_ADMIN of the caller; CAP_NET_RAW; and CAP_NET_ADMIN of the whole
  // machine, which root of a user namespace has not (user_namespaces(7)).
  virtual bool net_admin() const = 0;
  virtual bool net_raw() const { return net_admin(); }
  virtual bool host_admin() const { return net_admin(); }

  // SO_ERROR: the pending error, an errno or 0, which is then no more pending.
  virtual int TakeError() = 0;

  virtual TcpInfoSource info_source() const = 0;

  // The way that packets take is to be looked up again: until the next one is
  // sent, nobody knows its MTU.
  virtual void ForgetRoute() {}

 protected:
  ~OptionHost() = default;
};

// The options of a socket (socket(7), tcp(7), ip(7), ipv6(7)): setsockopt(2)
// and getsockopt(2) as Linux 6.18 answers them, and what the rest of the kernel
// reads of them. A value; nothing of it is on the heap.
//
// Not here are filters (SO_ATTACH_*: EINVAL), packet options (IP_OPTIONS other
// than padding, IPV6_HOPOPTS and the like: EINVAL; IP_PKTOPTIONS tells
// nothing), multicast memberships, flow labels, netfilter's options, MD5 and AO
// signatures, TCP_REPAIR (EPERM), keys of fast open (taken, not told) and
// TCP_ZEROCOPY_RECEIVE: no TCP program over loopback does without them for
// lack of a value.
//
// Thread-safety: none; guarded by the kernel's mutex.
class SocketOptions {
 public:
  // Those of a new socket.
  SocketOptions(int family, const FakeSysctls& sysctls, int type = SOCK_STREAM);

  SysResult Set(OptionHost& host, int level, int name, const void* value,
                socklen_t len);
  SysResult Get(OptionHost& host, int level, int name, void* value,
                socklen_t* len);

  // Those of a connection that a listener with these has accepted. IPv4
  // connections of IPv6 listeners are `over_ipv6` = false. `peer_ttl` is what
  // the peer's packets had left.
  SocketOptions ForAccepted(bool over_ipv6, int peer_ttl = 64) const;

  // SOL_SOCKET
  bool reuse_addr() const { return values_.On(Slot::kReuseAddr); }
  bool reuse_port() const { return values_.On(Slot::kReusePort); }
  bool keep_alive() const { return values_.On(Slot::kKeepAlive); }
  bool oobinline() const { return values_.On(Slot::kOobInline); }
  bool linger_on() const { return values_.On(Slot::kLingerOn); }
  // A program that says less than 0 waits for 68 years here, for ever there.
  int linger_seconds() const;
  // How long a call may block, in ns; nullopt: for ever. 0: not at all.
  std::optional<int64_t> rcvtimeo() const;
  std::optional<int64_t> sndtimeo() const;
  int rcvlowat() const { return values_.Get(Slot::kRcvLowat); }
  int sndbuf() const { return values_.Get(Slot::kSndBuf); }  // bytes
  int rcvbuf() const { return values_.Get(Slot::kRcvBuf); }
  bool sndbuf_locked() const { return values_.On(Slot::kSndBufLocked); }
  bool rcvbuf_locked() const { return values_.On(Slot::kRcvBufLocked); }
  int peek_off() const { return values_.Get(Slot::kPeekOff); }  // -1: off
  int bound_interface() const { return values_.Get(Slot::kInterface); }

  // IPPROTO_TCP. Of the sysctls' defaults each takes what holds now.
  bool nodelay() const { return values_.On(Slot::kNoDelay); }
  bool cork() const { return values_.On(Slot::kCork); }
  int keepidle(const FakeSysctls& sysctls) const;   // seconds
  int keepintvl(const FakeSysctls& sysctls) const;  // seconds
  int keepcnt(const FakeSysctls& sysctls) const;    // probes
  int syncnt(const FakeSysctls& sysctls) const;     // retransmissions
  // Seconds; -1: an orphan does not stay in FIN-WAIT-2; 0: tcp_fin_timeout.
  int linger2() const { return values_.Get(Slot::kLinger2); }
  // Seconds that a listener waits for data; 0: it does not.
  int defer_accept() const;
  int user_timeout() const { return values_.Get(Slot::kUserTimeout); }  // ms
  uint32_t notsent_lowat() const {
    return static_cast<uint32_t>(values_.Get(Slot::kNotSentLowat));
  }
  int maxseg() const { return values_.Get(Slot::kMaxSeg); }  // 0: not set
  int window_clamp() const { return values_.Get(Slot::kWindowClamp); }
  bool inq() const { return values_.On(Slot::kInq); }

  // IPPROTO_IP, IPPROTO_IPV6
  bool v6only() const { return values_.On(Slot::kV6Only); }
  bool freebind() const { return values_.On(Slot::kFreeBind); }
  bool transparent() const { return values_.On(Slot::kTransparent); }
  bool bind_address_no_port() const {
    return values_.On(Slot::kBindAddressNoPort);
  }
  // IP_LOCAL_PORT_RANGE; nullopt if not set. A bound of 0 is not set.
  struct PortRange {
    uint16_t first;
    uint16_t last;
  };
  std::optional<PortRange> local_port_range() const;

  // TCP's own doing. Binding an IPv6 socket to one IPv6 address makes it
  // IPV6_V6ONLY, to what the address says. An established connection makes
  // room for ten segments, and knows its CPU and window; the program's word
  // goes first.
  void set_v6only(bool on) { values_.Set(Slot::kV6Only, on ? 1 : 0); }
  void set_window_clamp(int bytes) { values_.Set(Slot::kWindowClamp, bytes); }
  void set_quick_ack(bool on) { values_.Set(Slot::kQuickAck, on ? 1 : 0); }
  void OnEstablished(const FakeSysctls& sysctls);
  // Raises SO_SNDBUF or SO_RCVBUF as autotuning does, up to the sysctl's limit,
  // unless the program has set it.
  void GrowSndBuf(int bytes, const FakeSysctls& sysctls);
  void GrowRcvBuf(int bytes, const FakeSysctls& sysctls);

 private:
  OptionValues values_;
};
static_assert(sizeof(SocketOptions) <= 192);

// What SO_SNDBUF is on a connection over loopback whose window has not grown
// yet, in bytes: ten segments with the kernel's own overhead, twice.
inline constexpr int kLoopbackSndBuf = 2626560;

}  // namespace net::fake

#endif  // FAKES_KERNEL_OPTIONS_OPTIONS_H_
