#include "fakes/symbols.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace net {
namespace {

struct Symbol {
  int64_t value;
  absl::string_view name;
};

// A macro, because only the preprocessor has both the value and the name.
#define NET_SYMBOL(name) \
  Symbol { static_cast<int64_t>(name), #name }

constexpr Symbol kDomains[] = {
    NET_SYMBOL(AF_UNSPEC),
    NET_SYMBOL(AF_UNIX),
    NET_SYMBOL(AF_INET),
    NET_SYMBOL(AF_INET6),
};

constexpr Symbol kTypes[] = {
    NET_SYMBOL(SOCK_STREAM),
    NET_SYMBOL(SOCK_DGRAM),
    NET_SYMBOL(SOCK_RAW),
    NET_SYMBOL(SOCK_SEQPACKET),
};

constexpr Symbol kSocketFlags[] = {
    NET_SYMBOL(SOCK_NONBLOCK),
    NET_SYMBOL(SOCK_CLOEXEC),
};

constexpr Symbol kProtocols[] = {
    NET_SYMBOL(IPPROTO_TCP),
    NET_SYMBOL(IPPROTO_UDP),
};

constexpr Symbol kShutdowns[] = {
    NET_SYMBOL(SHUT_RD),
    NET_SYMBOL(SHUT_WR),
    NET_SYMBOL(SHUT_RDWR),
};

constexpr Symbol kMessageFlags[] = {
    NET_SYMBOL(MSG_OOB),       NET_SYMBOL(MSG_PEEK),
    NET_SYMBOL(MSG_DONTROUTE), NET_SYMBOL(MSG_CTRUNC),
    NET_SYMBOL(MSG_TRUNC),     NET_SYMBOL(MSG_DONTWAIT),
    NET_SYMBOL(MSG_EOR),       NET_SYMBOL(MSG_WAITALL),
    NET_SYMBOL(MSG_ERRQUEUE),  NET_SYMBOL(MSG_NOSIGNAL),
    NET_SYMBOL(MSG_MORE),      NET_SYMBOL(MSG_WAITFORONE),
    NET_SYMBOL(MSG_ZEROCOPY),  NET_SYMBOL(MSG_CMSG_CLOEXEC),
    NET_SYMBOL(MSG_FASTOPEN),
};

constexpr Symbol kSocketOptions[] = {
    NET_SYMBOL(SO_REUSEADDR),     NET_SYMBOL(SO_REUSEPORT),
    NET_SYMBOL(SO_KEEPALIVE),     NET_SYMBOL(SO_LINGER),
    NET_SYMBOL(SO_SNDBUF),        NET_SYMBOL(SO_RCVBUF),
    NET_SYMBOL(SO_SNDBUFFORCE),   NET_SYMBOL(SO_RCVBUFFORCE),
    NET_SYMBOL(SO_RCVLOWAT),      NET_SYMBOL(SO_SNDLOWAT),
    NET_SYMBOL(SO_RCVTIMEO),      NET_SYMBOL(SO_SNDTIMEO),
    NET_SYMBOL(SO_ERROR),         NET_SYMBOL(SO_ACCEPTCONN),
    NET_SYMBOL(SO_TYPE),          NET_SYMBOL(SO_DOMAIN),
    NET_SYMBOL(SO_PROTOCOL),      NET_SYMBOL(SO_OOBINLINE),
    NET_SYMBOL(SO_BROADCAST),     NET_SYMBOL(SO_DONTROUTE),
    NET_SYMBOL(SO_PRIORITY),      NET_SYMBOL(SO_BINDTODEVICE),
    NET_SYMBOL(SO_MARK),          NET_SYMBOL(SO_BUSY_POLL),
    NET_SYMBOL(SO_INCOMING_CPU),  NET_SYMBOL(SO_COOKIE),
    NET_SYMBOL(SO_ZEROCOPY),      NET_SYMBOL(SO_PEEK_OFF),
    NET_SYMBOL(SO_TIMESTAMP),     NET_SYMBOL(SO_TIMESTAMPNS),
    NET_SYMBOL(SO_TIMESTAMPING),  NET_SYMBOL(SO_ATTACH_FILTER),
    NET_SYMBOL(SO_DETACH_FILTER),
};

constexpr Symbol kTcpOptions[] = {
    NET_SYMBOL(TCP_NODELAY),       NET_SYMBOL(TCP_MAXSEG),
    NET_SYMBOL(TCP_CORK),          NET_SYMBOL(TCP_KEEPIDLE),
    NET_SYMBOL(TCP_KEEPINTVL),     NET_SYMBOL(TCP_KEEPCNT),
    NET_SYMBOL(TCP_SYNCNT),        NET_SYMBOL(TCP_LINGER2),
    NET_SYMBOL(TCP_DEFER_ACCEPT),  NET_SYMBOL(TCP_WINDOW_CLAMP),
    NET_SYMBOL(TCP_INFO),          NET_SYMBOL(TCP_QUICKACK),
    NET_SYMBOL(TCP_CONGESTION),    NET_SYMBOL(TCP_USER_TIMEOUT),
    NET_SYMBOL(TCP_FASTOPEN),      NET_SYMBOL(TCP_FASTOPEN_CONNECT),
    NET_SYMBOL(TCP_NOTSENT_LOWAT), NET_SYMBOL(TCP_SAVE_SYN),
    NET_SYMBOL(TCP_SAVED_SYN),     NET_SYMBOL(TCP_INQ),
};

constexpr Symbol kIpOptions[] = {
    NET_SYMBOL(IP_TOS),      NET_SYMBOL(IP_TTL),
    NET_SYMBOL(IP_FREEBIND), NET_SYMBOL(IP_TRANSPARENT),
    NET_SYMBOL(IP_RECVERR),  NET_SYMBOL(IP_MTU_DISCOVER),
    NET_SYMBOL(IP_MTU),      NET_SYMBOL(IP_BIND_ADDRESS_NO_PORT),
};

constexpr Symbol kIpv6Options[] = {
    NET_SYMBOL(IPV6_V6ONLY),       NET_SYMBOL(IPV6_UNICAST_HOPS),
    NET_SYMBOL(IPV6_TCLASS),       NET_SYMBOL(IPV6_RECVERR),
    NET_SYMBOL(IPV6_MTU_DISCOVER), NET_SYMBOL(IPV6_MTU),
    NET_SYMBOL(IPV6_FREEBIND),
};

constexpr Symbol kPollEvents[] = {
    NET_SYMBOL(POLLIN),     NET_SYMBOL(POLLPRI),    NET_SYMBOL(POLLOUT),
    NET_SYMBOL(POLLERR),    NET_SYMBOL(POLLHUP),    NET_SYMBOL(POLLNVAL),
    NET_SYMBOL(POLLRDNORM), NET_SYMBOL(POLLRDBAND), NET_SYMBOL(POLLWRNORM),
    NET_SYMBOL(POLLWRBAND), NET_SYMBOL(POLLRDHUP),
};

constexpr Symbol kEpollEvents[] = {
    NET_SYMBOL(EPOLLIN),     NET_SYMBOL(EPOLLPRI),
    NET_SYMBOL(EPOLLOUT),    NET_SYMBOL(EPOLLERR),
    NET_SYMBOL(EPOLLHUP),    NET_SYMBOL(EPOLLRDNORM),
    NET_SYMBOL(EPOLLRDBAND), NET_SYMBOL(EPOLLWRNORM),
    NET_SYMBOL(EPOLLWRBAND), NET_SYMBOL(EPOLLRDHUP),
    NET_SYMBOL(EPOLLET),     NET_SYMBOL(EPOLLONESHOT),
    NET_SYMBOL(EPOLLWAKEUP), NET_SYMBOL(EPOLLEXCLUSIVE),
};

constexpr Symbol kEpollOperations[] = {
    NET_SYMBOL(EPOLL_CTL_ADD),
    NET_SYMBOL(EPOLL_CTL_MOD),
    NET_SYMBOL(EPOLL_CTL_DEL),
};

constexpr Symbol kEpollFlags[] = {NET_SYMBOL(EPOLL_CLOEXEC)};

constexpr Symbol kFcntlCommands[] = {
    NET_SYMBOL(F_DUPFD),      NET_SYMBOL(F_DUPFD_CLOEXEC), NET_SYMBOL(F_GETFD),
    NET_SYMBOL(F_SETFD),      NET_SYMBOL(F_GETFL),         NET_SYMBOL(F_SETFL),
    NET_SYMBOL(F_GETPIPE_SZ), NET_SYMBOL(F_SETPIPE_SZ),
};

constexpr Symbol kIoctlRequests[] = {
    NET_SYMBOL(FIONREAD), NET_SYMBOL(SIOCOUTQ), NET_SYMBOL(SIOCOUTQNSD),
    NET_SYMBOL(FIONBIO),  NET_SYMBOL(FIOCLEX),  NET_SYMBOL(FIONCLEX),
};

constexpr Symbol kDescriptorFlags[] = {NET_SYMBOL(FD_CLOEXEC)};

constexpr Symbol kStatusFlags[] = {
    NET_SYMBOL(O_WRONLY),   NET_SYMBOL(O_RDWR),  NET_SYMBOL(O_APPEND),
    NET_SYMBOL(O_NONBLOCK), NET_SYMBOL(O_ASYNC), NET_SYMBOL(O_CLOEXEC),
};

constexpr Symbol kEventFdFlags[] = {
    NET_SYMBOL(EFD_SEMAPHORE),
    NET_SYMBOL(EFD_NONBLOCK),
    NET_SYMBOL(EFD_CLOEXEC),
};

constexpr Symbol kTimerFlags[] = {
    NET_SYMBOL(TFD_TIMER_ABSTIME),
    NET_SYMBOL(TFD_TIMER_CANCEL_ON_SET),
};

constexpr Symbol kSpliceFlags[] = {
    NET_SYMBOL(SPLICE_F_MOVE),
    NET_SYMBOL(SPLICE_F_NONBLOCK),
    NET_SYMBOL(SPLICE_F_MORE),
    NET_SYMBOL(SPLICE_F_GIFT),
};

constexpr Symbol kClocks[] = {
    NET_SYMBOL(CLOCK_REALTIME),           NET_SYMBOL(CLOCK_MONOTONIC),
    NET_SYMBOL(CLOCK_PROCESS_CPUTIME_ID), NET_SYMBOL(CLOCK_THREAD_CPUTIME_ID),
    NET_SYMBOL(CLOCK_MONOTONIC_RAW),      NET_SYMBOL(CLOCK_REALTIME_COARSE),
    NET_SYMBOL(CLOCK_MONOTONIC_COARSE),   NET_SYMBOL(CLOCK_BOOTTIME),
};

#undef NET_SYMBOL

struct OptionLevel {
  int level;
  absl::string_view name;
  absl::Span<const Symbol> options;
};

constexpr OptionLevel kOptionLevels[] = {
    {SOL_SOCKET, "SOL_SOCKET", kSocketOptions},
    {IPPROTO_TCP, "IPPROTO_TCP", kTcpOptions},
    {IPPROTO_IP, "IPPROTO_IP", kIpOptions},
    {IPPROTO_IPV6, "IPPROTO_IPV6", kIpv6Options},
};

std::optional<int> ValueOf(absl::Span<const Symbol> symbols,
                           absl::string_view name) {
  for (const Symbol& symbol : symbols) {
    if (symbol.name == name) return static_cast<int>(symbol.value);
  }
  return std::nullopt;
}

std::string Find(absl::Span<const Symbol> symbols, int64_t value) {
  for (const Symbol& symbol : symbols) {
    if (symbol.value == value) return std::string(symbol.name);
  }
  return absl::StrCat(value);
}

std::string Bits(absl::Span<const Symbol> symbols, int64_t value,
                 absl::string_view between = "|") {
  std::vector<std::string> names;
  for (const Symbol& symbol : symbols) {
    if ((value & symbol.value) == 0) continue;
    names.emplace_back(symbol.name);
    value &= ~symbol.value;
  }
  if (value != 0 || names.empty()) names.push_back(absl::StrCat(value));
  return absl::StrJoin(names, between);
}

}  // namespace

std::string DomainSymbol(int domain) { return Find(kDomains, domain); }

std::string TypeSymbols(int type, absl::string_view between) {
  const int flags = type & ~0xf;
  std::string text = Find(kTypes, type & 0xf);
  if (flags == 0) return text;
  return absl::StrCat(text, between, Bits(kSocketFlags, flags, between));
}

std::string ProtocolSymbol(int protocol) { return Find(kProtocols, protocol); }

std::string AcceptFlagSymbols(int flags, absl::string_view between) {
  return Bits(kSocketFlags, flags, between);
}

std::string ShutdownSymbol(int how) { return Find(kShutdowns, how); }

std::string MessageFlagSymbols(int flags, absl::string_view between) {
  return Bits(kMessageFlags, flags, between);
}

std::string OptionSymbols(int level, int name) {
  for (const OptionLevel& known : kOptionLevels) {
    if (known.level != level) continue;
    return absl::StrCat(known.name, ", ", Find(known.options, name));
  }
  return absl::StrCat(level, ", ", name);
}

std::optional<OptionNumber> OptionFromSymbol(absl::string_view symbol) {
  for (const OptionLevel& known : kOptionLevels) {
    const std::optional<int> name = ValueOf(known.options, symbol);
    if (name.has_value()) return OptionNumber{known.level, *name};
  }
  return std::nullopt;
}

std::vector<std::string> AllOptionSymbols() {
  std::vector<std::string> names;
  for (const OptionLevel& known : kOptionLevels) {
    for (const Symbol& symbol : known.options) {
      names.emplace_back(symbol.name);
    }
  }
  return names;
}

std::string PollEventSymbols(int16_t events, absl::string_view between) {
  return Bits(kPollEvents, events, between);
}

std::string EpollEventSymbols(uint32_t events) {
  return Bits(kEpollEvents, events);
}

std::string EpollOperationSymbol(int operation) {
  return Find(kEpollOperations, operation);
}

std::string EpollFlagSymbols(int flags) { return Bits(kEpollFlags, flags); }

std::string FcntlSymbol(int command) { return Find(kFcntlCommands, command); }

std::optional<int> FcntlFromSymbol(absl::string_view symbol) {
  return ValueOf(kFcntlCommands, symbol);
}

std::vector<std::string> AllFcntlSymbols() {
  std::vector<std::string> names;
  for (const Symbol& symbol : kFcntlCommands) names.emplace_back(symbol.name);
  return names;
}

std::string IoctlSymbol(uint64_t request) {
  return Find(kIoctlRequests, static_cast<int64_t>(request));
}

std::string DescriptorFlagSymbols(int flags) {
  return Bits(kDescriptorFlags, flags);
}

std::string StatusFlagSymbols(int flags) {
  // O_RDONLY is 0: neither O_WRONLY nor O_RDWR.
  if ((flags & O_ACCMODE) != O_RDONLY) return Bits(kStatusFlags, flags);
  if (flags == O_RDONLY) return "O_RDONLY";
  return absl::StrCat("O_RDONLY|", Bits(kStatusFlags, flags));
}

std::string OpenFlagSymbols(int flags) { return Bits(kStatusFlags, flags); }

std::string EventFdFlagSymbols(int flags) { return Bits(kEventFdFlags, flags); }

std::string TimerFlagSymbols(int flags) { return Bits(kTimerFlags, flags); }

std::string SpliceFlagSymbols(int flags) { return Bits(kSpliceFlags, flags); }

std::string ClockSymbol(clockid_t clock) { return Find(kClocks, clock); }

std::optional<int64_t> NumberOfSymbol(absl::string_view symbol) {
  // O_RDONLY is 0, so that it is in none of the tables of flags.
  static constexpr Symbol kOthers[] = {
      {SOL_SOCKET, "SOL_SOCKET"},
      {IPPROTO_IP, "IPPROTO_IP"},
      {IPPROTO_IPV6, "IPPROTO_IPV6"},
      {O_RDONLY, "O_RDONLY"},
  };
  static constexpr absl::Span<const Symbol> kTables[] = {
      kDomains,      kTypes,         kSocketFlags,     kProtocols,
      kShutdowns,    kMessageFlags,  kSocketOptions,   kTcpOptions,
      kIpOptions,    kIpv6Options,   kPollEvents,      kEpollEvents,
      kEpollFlags,   kFcntlCommands, kEpollOperations, kIoctlRequests,
      kEventFdFlags, kTimerFlags,    kStatusFlags,     kDescriptorFlags,
      kClocks,       kSpliceFlags,   kOthers,
  };
  for (const absl::Span<const Symbol> table : kTables) {
    for (const Symbol& it : table) {
      if (it.name == symbol) return it.value;
    }
  }
  return std::nullopt;
}

}  // namespace net
