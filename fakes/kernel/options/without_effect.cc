#include "fakes/kernel/options/without_effect.h"

#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace net::fake {
namespace {

// Reasons that several rows have.
constexpr absl::string_view kNoSignals =
    "no signal is sent except SIGPIPE: test code interrupts a call with "
    "Interrupt()";
constexpr absl::string_view kNoIcmp =
    "ICMP errors are not put into the error queue";
constexpr absl::string_view kNoCongestion =
    "no segment waits for a congestion window, and none is paced";
constexpr absl::string_view kRtoBySysctl =
    "the retransmission timeout follows from the sysctls alone";
constexpr absl::string_view kNoPacketOptions =
    "IP_PKTOPTIONS, with which a TCP program reads it, returns nothing";
constexpr absl::string_view kNoPacketOptionsV6 =
    "IPV6_2292PKTOPTIONS, with which a TCP program reads it, returns nothing";
constexpr absl::string_view kNoFlowLabels = "flow labels are not modelled";
constexpr absl::string_view kNoLocks =
    "locks are not kept: a lock that conflicts with one of another process is "
    "granted, too";
constexpr absl::string_view kNoFilters =
    "segments have no bytes that a program could read; SO_GET_FILTER returns "
    "the program";
constexpr absl::string_view kNoMark =
    "there are no routing rules and packet filters that could read the mark";
constexpr absl::string_view kNoTxStamps =
    "the times at which data is sent and acknowledged are not put into the "
    "error queue";

constexpr absl::string_view kDatagrams = "Only datagram and raw sockets use it";
constexpr absl::string_view kNoDevice =
    "The loopback device has no queue, no hardware and no NAPI";
constexpr absl::string_view kObsolete = "Obsolete";
constexpr absl::string_view kNoMulticast = "Streams have no multicast";
constexpr absl::string_view kOneDevice =
    "Every address of the machine is reached over the one interface";

constexpr uint32_t kTxStamps =
    SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_TX_SOFTWARE |
    SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_ACK;

// Names that the libc headers may lack.
constexpr int kSoBufLock = 72;
constexpr int kSoTxRehash = 74;
constexpr int kSoRcvMark = 75;
constexpr int kSoRcvPriority = 82;
constexpr int kTcpRtoMaxMs = 44;
constexpr int kTcpRtoMinUs = 45;
constexpr int kTcpDelAckMaxUs = 46;
constexpr int kIpLocalPortRange = 51;
constexpr int kIpv6FlowInfo = 11;
constexpr int kIpv6MulticastAll = 29;
constexpr int kIpv6RouterAlertIsolate = 30;
constexpr int kIpv6RecvErrRfc4884 = 31;
constexpr int kIpv6FlowInfoSend = 33;
constexpr int kIpv6UnicastIf = 76;

// Rows of socket options.
#define ACTS(level, name) \
  { OptionKind::kSocketOption, OptionEffect::kActs, level, name, #name, "" }
#define ACTS_AS(level, name, text) \
  { OptionKind::kSocketOption, OptionEffect::kActs, level, name, text, "" }
#define NONE(level, name, ...)                                          \
  {                                                                     \
    OptionKind::kSocketOption, OptionEffect::kNone, level, name, #name, \
        __VA_ARGS__                                                     \
  }
#define NONE_AS(level, name, text, reason) \
  { OptionKind::kSocketOption, OptionEffect::kNone, level, name, text, reason }
#define LINUX_TOO(level, name, reason)                                     \
  {                                                                        \
    OptionKind::kSocketOption, OptionEffect::kNoneOnLinuxToo, level, name, \
        #name, reason                                                      \
  }
#define LINUX_TOO_AS(level, name, text, reason)                            \
  {                                                                        \
    OptionKind::kSocketOption, OptionEffect::kNoneOnLinuxToo, level, name, \
        text, reason                                                       \
  }

constexpr AcceptedOption kOptions[] = {
    // --- SOL_SOCKET
    LINUX_TOO(SOL_SOCKET, SO_DEBUG, kObsolete),
    ACTS(SOL_SOCKET, SO_REUSEADDR),
    LINUX_TOO(SOL_SOCKET, SO_DONTROUTE, kOneDevice),
    LINUX_TOO(SOL_SOCKET, SO_BROADCAST, kDatagrams),
    ACTS(SOL_SOCKET, SO_SNDBUF),
    ACTS(SOL_SOCKET, SO_RCVBUF),
    ACTS(SOL_SOCKET, SO_SNDBUFFORCE),
    ACTS(SOL_SOCKET, SO_RCVBUFFORCE),
    ACTS(SOL_SOCKET, SO_KEEPALIVE),
    NONE(SOL_SOCKET, SO_OOBINLINE,
         "urgent data is not modelled: send(2) with MSG_OOB fails with "
         "EOPNOTSUPP"),
    LINUX_TOO(SOL_SOCKET, SO_NO_CHECK, kDatagrams),
    LINUX_TOO(SOL_SOCKET, SO_PRIORITY, kNoDevice),
    ACTS(SOL_SOCKET, SO_LINGER),
    LINUX_TOO(SOL_SOCKET, SO_BSDCOMPAT, kObsolete),
    ACTS(SOL_SOCKET, SO_REUSEPORT),
    ACTS(SOL_SOCKET, SO_RCVLOWAT),
    ACTS(SOL_SOCKET, SO_RCVTIMEO_OLD),
    ACTS(SOL_SOCKET, SO_RCVTIMEO_NEW),
    ACTS(SOL_SOCKET, SO_SNDTIMEO_OLD),
    ACTS(SOL_SOCKET, SO_SNDTIMEO_NEW),
    ACTS(SOL_SOCKET, SO_BINDTODEVICE),
    ACTS(SOL_SOCKET, SO_BINDTOIFINDEX),
    NONE(SOL_SOCKET, SO_ATTACH_FILTER, kNoFilters),
    ACTS(SOL_SOCKET, SO_DETACH_FILTER),
    ACTS(SOL_SOCKET, SO_LOCK_FILTER),
    ACTS(SOL_SOCKET, SO_TIMESTAMP_OLD),
    ACTS(SOL_SOCKET, SO_TIMESTAMP_NEW),
    ACTS(SOL_SOCKET, SO_TIMESTAMPNS_OLD),
    ACTS(SOL_SOCKET, SO_TIMESTAMPNS_NEW),
    NONE(SOL_SOCKET, SO_TIMESTAMPING_OLD, kNoTxStamps, kTxStamps),
    NONE(SOL_SOCKET, SO_TIMESTAMPING_NEW, kNoTxStamps, kTxStamps),
    NONE(SOL_SOCKET, SO_MARK, kNoMark),
    LINUX_TOO(SOL_SOCKET, SO_RXQ_OVFL, kDatagrams),
    LINUX_TOO(SOL_SOCKET, SO_WIFI_STATUS, kNoDevice),
    ACTS(SOL_SOCKET, SO_PEEK_OFF),
    LINUX_TOO(SOL_SOCKET, SO_NOFCS, kNoDevice),
    LINUX_TOO(SOL_SOCKET, SO_SELECT_ERR_QUEUE, kDatagrams),
    LINUX_TOO(SOL_SOCKET, SO_BUSY_POLL, kNoDevice),
    LINUX_TOO(SOL_SOCKET, SO_PREFER_BUSY_POLL, kNoDevice),
    LINUX_TOO(SOL_SOCKET, SO_BUSY_POLL_BUDGET, kNoDevice),
    NONE(SOL_SOCKET, SO_MAX_PACING_RATE, kNoCongestion),
    NONE(SOL_SOCKET, SO_INCOMING_CPU, "the machine has one CPU"),
    LINUX_TOO(SOL_SOCKET, SO_CNX_ADVICE, kOneDevice),
    ACTS(SOL_SOCKET, SO_ZEROCOPY),
    LINUX_TOO(SOL_SOCKET, SO_TXTIME, kNoDevice),
    ACTS_AS(SOL_SOCKET, kSoBufLock, "SO_BUF_LOCK"),
    LINUX_TOO_AS(SOL_SOCKET, kSoTxRehash, "SO_TXREHASH", kNoDevice),
    LINUX_TOO_AS(SOL_SOCKET, kSoRcvMark, "SO_RCVMARK", kDatagrams),
    LINUX_TOO_AS(SOL_SOCKET, kSoRcvPriority, "SO_RCVPRIORITY", kDatagrams),

    // --- IPPROTO_TCP
    ACTS(IPPROTO_TCP, TCP_NODELAY),
    ACTS(IPPROTO_TCP, TCP_MAXSEG),
    ACTS(IPPROTO_TCP, TCP_CORK),
    ACTS(IPPROTO_TCP, TCP_KEEPIDLE),
    ACTS(IPPROTO_TCP, TCP_KEEPINTVL),
    ACTS(IPPROTO_TCP, TCP_KEEPCNT),
    ACTS(IPPROTO_TCP, TCP_SYNCNT),
    ACTS(IPPROTO_TCP, TCP_LINGER2),
    ACTS(IPPROTO_TCP, TCP_DEFER_ACCEPT),
    NONE(IPPROTO_TCP, TCP_WINDOW_CLAMP,
         "the receive window follows from SO_RCVBUF alone"),
    ACTS(IPPROTO_TCP, TCP_QUICKACK),
    NONE(IPPROTO_TCP, TCP_CONGESTION, kNoCongestion),
    LINUX_TOO(IPPROTO_TCP, TCP_THIN_DUPACK, kObsolete),
    NONE(IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS,
         "the retransmission timeout doubles each time"),
    ACTS(IPPROTO_TCP, TCP_USER_TIMEOUT),
    ACTS(IPPROTO_TCP, TCP_FASTOPEN),
    NONE(IPPROTO_TCP, TCP_FASTOPEN_KEY, "cookies have no bytes"),
    ACTS(IPPROTO_TCP, TCP_FASTOPEN_CONNECT),
    ACTS(IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE),
    ACTS(IPPROTO_TCP, TCP_NOTSENT_LOWAT),
    ACTS(IPPROTO_TCP, TCP_SAVE_SYN),
    ACTS(IPPROTO_TCP, TCP_INQ),
    LINUX_TOO(IPPROTO_TCP, TCP_REPAIR, "Only turning it off is accepted"),
    LINUX_TOO(IPPROTO_TCP, TCP_TX_DELAY, kNoDevice),
    NONE_AS(IPPROTO_TCP, kTcpRtoMaxMs, "TCP_RTO_MAX_MS", kRtoBySysctl),
    NONE_AS(IPPROTO_TCP, kTcpRtoMinUs, "TCP_RTO_MIN_US", kRtoBySysctl),
    NONE_AS(IPPROTO_TCP, kTcpDelAckMaxUs, "TCP_DELACK_MAX_US",
            "the delay of acknowledgements has Linux's default bounds"),

    // --- IPPROTO_IP
    ACTS(IPPROTO_IP, IP_TOS),
    ACTS(IPPROTO_IP, IP_TTL),
    NONE(IPPROTO_IP, IP_OPTIONS, "headers have no options"),
    LINUX_TOO(IPPROTO_IP, IP_RECVOPTS, kDatagrams),
    LINUX_TOO(IPPROTO_IP, IP_RETOPTS, kDatagrams),
    NONE(IPPROTO_IP, IP_PKTINFO, kNoPacketOptions),
    ACTS(IPPROTO_IP, IP_MTU_DISCOVER),
    NONE(IPPROTO_IP, IP_RECVERR, kNoIcmp),
    NONE(IPPROTO_IP, IP_RECVTTL, kNoPacketOptions),
    NONE(IPPROTO_IP, IP_RECVTOS, kNoPacketOptions),
    ACTS(IPPROTO_IP, IP_FREEBIND),
    LINUX_TOO(IPPROTO_IP, IP_PASSSEC, kDatagrams),
    ACTS(IPPROTO_IP, IP_TRANSPARENT),
    LINUX_TOO(IPPROTO_IP, IP_RECVORIGDSTADDR, kDatagrams),
    ACTS(IPPROTO_IP, IP_MINTTL),
    LINUX_TOO(IPPROTO_IP, IP_CHECKSUM, kDatagrams),
    ACTS(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
    NONE(IPPROTO_IP, IP_RECVERR_RFC4884, kNoIcmp),
    LINUX_TOO(IPPROTO_IP, IP_MULTICAST_LOOP, kNoMulticast),
    LINUX_TOO(IPPROTO_IP, IP_MULTICAST_ALL, kNoMulticast),
    LINUX_TOO(IPPROTO_IP, IP_UNICAST_IF, kOneDevice),
    ACTS_AS(IPPROTO_IP, kIpLocalPortRange, "IP_LOCAL_PORT_RANGE"),
    LINUX_TOO(IPPROTO_IP, IP_IPSEC_POLICY, "Only an empty one is accepted"),
    LINUX_TOO(IPPROTO_IP, IP_XFRM_POLICY, "Only an empty one is accepted"),

    // --- IPPROTO_IPV6
    NONE(IPPROTO_IPV6, IPV6_2292PKTINFO, kNoPacketOptionsV6),
    LINUX_TOO(IPPROTO_IPV6, IPV6_2292HOPOPTS, kDatagrams),
    LINUX_TOO(IPPROTO_IPV6, IPV6_2292DSTOPTS, kDatagrams),
    LINUX_TOO(IPPROTO_IPV6, IPV6_2292RTHDR, kDatagrams),
    LINUX_TOO(IPPROTO_IPV6, IPV6_2292PKTOPTIONS,
              "Only an empty list is accepted"),
    NONE(IPPROTO_IPV6, IPV6_2292HOPLIMIT, kNoPacketOptionsV6),
    NONE_AS(IPPROTO_IPV6, kIpv6FlowInfo, "IPV6_FLOWINFO", kNoFlowLabels),
    ACTS(IPPROTO_IPV6, IPV6_UNICAST_HOPS),
    LINUX_TOO(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, kNoMulticast),
    LINUX_TOO(IPPROTO_IPV6, IPV6_MTU_DISCOVER, kOneDevice),
    LINUX_TOO(IPPROTO_IPV6, IPV6_MTU, kDatagrams),
    NONE(IPPROTO_IPV6, IPV6_RECVERR, kNoIcmp),
    ACTS(IPPROTO_IPV6, IPV6_V6ONLY),
    LINUX_TOO_AS(IPPROTO_IPV6, kIpv6MulticastAll, "IPV6_MULTICAST_ALL",
                 kNoMulticast),
    LINUX_TOO_AS(IPPROTO_IPV6, kIpv6RouterAlertIsolate,
                 "IPV6_ROUTER_ALERT_ISOLATE", kDatagrams),
    NONE_AS(IPPROTO_IPV6, kIpv6RecvErrRfc4884, "IPV6_RECVERR_RFC4884", kNoIcmp),
    NONE_AS(IPPROTO_IPV6, kIpv6FlowInfoSend, "IPV6_FLOWINFO_SEND",
            kNoFlowLabels),
    LINUX_TOO(IPPROTO_IPV6, IPV6_IPSEC_POLICY, "Only an empty one is accepted"),
    LINUX_TOO(IPPROTO_IPV6, IPV6_XFRM_POLICY, "Only an empty one is accepted"),
    NONE(IPPROTO_IPV6, IPV6_RECVPKTINFO, kNoPacketOptionsV6),
    LINUX_TOO(IPPROTO_IPV6, IPV6_PKTINFO, kDatagrams),
    NONE(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, kNoPacketOptionsV6),
    LINUX_TOO(IPPROTO_IPV6, IPV6_RECVHOPOPTS, kDatagrams),
    LINUX_TOO(IPPROTO_IPV6, IPV6_HOPOPTS, "Only an empty list is accepted"),
    LINUX_TOO(IPPROTO_IPV6, IPV6_RTHDRDSTOPTS,
              "Only an empty list is accepted"),
    LINUX_TOO(IPPROTO_IPV6, IPV6_RECVRTHDR, kDatagrams),
    LINUX_TOO(IPPROTO_IPV6, IPV6_RTHDR, "Only an empty list is accepted"),
    LINUX_TOO(IPPROTO_IPV6, IPV6_RECVDSTOPTS, kDatagrams),
    LINUX_TOO(IPPROTO_IPV6, IPV6_DSTOPTS, "Only an empty list is accepted"),
    LINUX_TOO(IPPROTO_IPV6, IPV6_RECVPATHMTU, kDatagrams),
    LINUX_TOO(IPPROTO_IPV6, IPV6_DONTFRAG, kDatagrams),
    NONE(IPPROTO_IPV6, IPV6_RECVTCLASS, kNoPacketOptionsV6),
    ACTS(IPPROTO_IPV6, IPV6_TCLASS),
    NONE(IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, kNoFlowLabels),
    LINUX_TOO(IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, kOneDevice),
    ACTS(IPPROTO_IPV6, IPV6_MINHOPCOUNT),
    LINUX_TOO(IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, kDatagrams),
    ACTS(IPPROTO_IPV6, IPV6_TRANSPARENT),
    LINUX_TOO_AS(IPPROTO_IPV6, kIpv6UnicastIf, "IPV6_UNICAST_IF", kOneDevice),
    LINUX_TOO(IPPROTO_IPV6, IPV6_RECVFRAGSIZE, kDatagrams),
    ACTS(IPPROTO_IPV6, IPV6_FREEBIND),

    // --- Control messages
    {OptionKind::kControlMessage, OptionEffect::kNone, SOL_SOCKET, SO_MARK,
     "SO_MARK", kNoMark},
    {OptionKind::kControlMessage, OptionEffect::kNone, SOL_SOCKET,
     SO_TIMESTAMPING_OLD, "SO_TIMESTAMPING_OLD", kNoTxStamps, kTxStamps},
    {OptionKind::kControlMessage, OptionEffect::kNone, SOL_SOCKET,
     SO_TIMESTAMPING_NEW, "SO_TIMESTAMPING_NEW", kNoTxStamps, kTxStamps},

    // --- Files
    {OptionKind::kFileStatusFlag, OptionEffect::kActs, 0, O_NONBLOCK,
     "O_NONBLOCK", ""},
    {OptionKind::kFileStatusFlag, OptionEffect::kNoneOnLinuxToo, 0, O_APPEND,
     "O_APPEND", "Sockets and pipes have no position"},
    {OptionKind::kFileStatusFlag, OptionEffect::kNone, 0, O_ASYNC, "O_ASYNC",
     kNoSignals},
    {OptionKind::kFileStatusFlag, OptionEffect::kNone, 0, O_DIRECT, "O_DIRECT",
     "pipes do not keep the packets of pipe(2) apart"},
    {OptionKind::kFileStatusFlag, OptionEffect::kNoneOnLinuxToo, 0, O_NOATIME,
     "O_NOATIME", "Sockets and pipes are on no disk"},
    {OptionKind::kFcntlCommand, OptionEffect::kNone, 0, F_SETOWN, "F_SETOWN",
     kNoSignals},
    {OptionKind::kFcntlCommand, OptionEffect::kNone, 0, F_SETOWN_EX,
     "F_SETOWN_EX", kNoSignals},
    {OptionKind::kFcntlCommand, OptionEffect::kNone, 0, F_SETSIG, "F_SETSIG",
     kNoSignals},
    {OptionKind::kFcntlCommand, OptionEffect::kNone, 0, F_SETLK, "F_SETLK",
     kNoLocks},
    {OptionKind::kFcntlCommand, OptionEffect::kNone, 0, F_SETLKW, "F_SETLKW",
     kNoLocks},
    {OptionKind::kFcntlCommand, OptionEffect::kNone, 0, F_OFD_SETLK,
     "F_OFD_SETLK", kNoLocks},
    {OptionKind::kFcntlCommand, OptionEffect::kNone, 0, F_OFD_SETLKW,
     "F_OFD_SETLKW", kNoLocks},
    {OptionKind::kIoctlRequest, OptionEffect::kNone, 0, FIOASYNC, "FIOASYNC",
     kNoSignals},
    {OptionKind::kIoctlRequest, OptionEffect::kNone, 0, FIOSETOWN, "FIOSETOWN",
     kNoSignals},
    {OptionKind::kIoctlRequest, OptionEffect::kNone, 0, SIOCSPGRP, "SIOCSPGRP",
     kNoSignals},
    // --- Messages
    {OptionKind::kMessageFlag, OptionEffect::kActs, 0, MSG_DONTWAIT,
     "MSG_DONTWAIT", ""},
    {OptionKind::kMessageFlag, OptionEffect::kNone, 0, MSG_EOR, "MSG_EOR",
     "the next data can share a segment with the message"},
    {OptionKind::kMessageFlag, OptionEffect::kNoneOnLinuxToo, 0, MSG_CONFIRM,
     "MSG_CONFIRM", kDatagrams},
    {OptionKind::kMessageFlag, OptionEffect::kNoneOnLinuxToo, 0, MSG_DONTROUTE,
     "MSG_DONTROUTE", kDatagrams},
    {OptionKind::kMessageFlag, OptionEffect::kActs, 0, MSG_NOSIGNAL,
     "MSG_NOSIGNAL", ""},
    {OptionKind::kMessageFlag, OptionEffect::kActs, 0, MSG_MORE, "MSG_MORE",
     ""},
    {OptionKind::kMessageFlag, OptionEffect::kActs, 0, MSG_ZEROCOPY,
     "MSG_ZEROCOPY", ""},
    {OptionKind::kMessageFlag, OptionEffect::kActs, 0, MSG_FASTOPEN,
     "MSG_FASTOPEN", ""},
    {OptionKind::kArgument, OptionEffect::kNone, 0, 0,
     "sigmask of ppoll(2), pselect(2), epoll_pwait(2) and epoll_pwait2(2)",
     "no signal is sent that it could hold back"},
};

#undef ACTS
#undef ACTS_AS
#undef NONE
#undef NONE_AS
#undef LINUX_TOO
#undef LINUX_TOO_AS

absl::string_view CallOf(OptionKind kind) {
  switch (kind) {
    case OptionKind::kSocketOption:
      return "setsockopt(2)";
    case OptionKind::kControlMessage:
      return "sendmsg(2), control message";
    case OptionKind::kFileStatusFlag:
      return "fcntl(2), F_SETFL";
    case OptionKind::kFcntlCommand:
      return "fcntl(2)";
    case OptionKind::kIoctlRequest:
      return "ioctl(2)";
    case OptionKind::kMessageFlag:
      return "send(2), flag";
    case OptionKind::kArgument:
      return "argument";
  }
  return "?";
}

std::string ReasonColumn(const AcceptedOption& option) {
  return option.bits == 0
             ? std::string(option.reason)
             : absl::StrCat(option.reason, " (SOF_TIMESTAMPING_TX_*)");
}

void AppendTable(absl::string_view heading, absl::string_view reason,
                 OptionEffect effect, std::string& out) {
  absl::StrAppend(&out, "## ", heading, "\n\n| call | option | ", reason,
                  " |\n|---|---|---|\n");
  for (const AcceptedOption& option : kOptions) {
    if (option.effect != effect) continue;
    absl::StrAppend(&out, "| ", CallOf(option.kind), " | `", option.text,
                    "` | ", ReasonColumn(option), " |\n");
  }
  absl::StrAppend(&out, "\n");
}

}  // namespace

absl::Span<const AcceptedOption> AcceptedOptions() { return kOptions; }

const AcceptedOption* FindWithoutEffect(OptionKind kind, int level,
                                        int64_t name, uint32_t value) {
  const auto* const found = std::find_if(
      std::begin(kOptions), std::end(kOptions), [&](const AcceptedOption& row) {
        return row.kind == kind && row.level == level && row.name == name;
      });
  if (found == std::end(kOptions)) return nullptr;
  if (found->effect != OptionEffect::kNone) return nullptr;
  if (found->bits != 0 && (found->bits & value) == 0) return nullptr;
  return found;
}

std::string AcceptedOptionsAsMarkdown() {
  std::string out;
  AppendTable("Accepted, without effect here", "because", OptionEffect::kNone,
              out);
  AppendTable("Without effect on Linux, too", "reason",
              OptionEffect::kNoneOnLinuxToo, out);
  absl::StrAppend(&out, "## As on Linux\n");
  OptionKind kind = OptionKind::kArgument;
  int level = -1;
  for (const AcceptedOption& option : kOptions) {
    if (option.effect != OptionEffect::kActs) continue;
    if (option.kind != kind || option.level != level) {
      absl::StrAppend(&out, "\n- ", CallOf(option.kind), ": ");
    } else {
      absl::StrAppend(&out, ", ");
    }
    kind = option.kind;
    level = option.level;
    absl::StrAppend(&out, "`", option.text, "`");
  }
  absl::StrAppend(&out, "\n");
  return out;
}

}  // namespace net::fake
