// Calls with arbitrary arguments: options of all kinds, wrong lengths, null
// pointers, invalid descriptors.

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>

#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/writer.h"

namespace net::differential {
namespace {

struct Option {
  int level;
  int name;
};

// Omitted are options whose effect only time shows: TCP_QUICKACK, and
// TCP_DEFER_ACCEPT of a client, which delays an acknowledgement.
constexpr Option kOptions[] = {
    {SOL_SOCKET, SO_REUSEADDR},  {SOL_SOCKET, SO_REUSEPORT},
    {SOL_SOCKET, SO_KEEPALIVE},  {SOL_SOCKET, SO_LINGER},
    {SOL_SOCKET, SO_SNDBUF},     {SOL_SOCKET, SO_RCVBUF},
    {SOL_SOCKET, SO_RCVLOWAT},   {SOL_SOCKET, SO_SNDLOWAT},
    {SOL_SOCKET, SO_RCVTIMEO},   {SOL_SOCKET, SO_SNDTIMEO},
    {SOL_SOCKET, SO_ERROR},      {SOL_SOCKET, SO_ACCEPTCONN},
    {SOL_SOCKET, SO_TYPE},       {SOL_SOCKET, SO_DOMAIN},
    {SOL_SOCKET, SO_PROTOCOL},   {SOL_SOCKET, SO_OOBINLINE},
    {SOL_SOCKET, SO_BROADCAST},  {SOL_SOCKET, SO_DONTROUTE},
    {SOL_SOCKET, SO_PEEK_OFF},   {SOL_SOCKET, SO_ZEROCOPY},
    {IPPROTO_IPV6, IPV6_V6ONLY}, {IPPROTO_TCP, TCP_NODELAY},
    {IPPROTO_TCP, TCP_CORK},     {IPPROTO_TCP, TCP_INFO},
    {IPPROTO_TCP, TCP_KEEPIDLE}, {IPPROTO_TCP, TCP_KEEPINTVL},
    {IPPROTO_TCP, TCP_KEEPCNT},  {IPPROTO_TCP, TCP_SYNCNT},
    {IPPROTO_TCP, TCP_LINGER2},  {IPPROTO_TCP, TCP_USER_TIMEOUT},
    {IPPROTO_TCP, TCP_MAXSEG},   {IPPROTO_TCP, TCP_SAVE_SYN},
    {IPPROTO_TCP, TCP_INQ},      {IPPROTO_TCP, TCP_FASTOPEN_CONNECT},
    {SOL_SOCKET, SO_MARK},       {SOL_SOCKET, 9999},
    {IPPROTO_TCP, 9999},         {12345, 1},
};

// The options that hardly change the results of other calls. Omitted are:
// - those whose value only time or the machine decides: TCP_TX_DELAY,
//   SO_TIMESTAMP and its like, SO_INCOMING_CPU, SO_COOKIE, SO_MEMINFO,
//   TCP_CONGESTION; and IP_MTU and IPV6_MTU, which Linux takes from a route
//   that it has cached
// - those that decide how much fits: TCP_NOTSENT_LOWAT, TCP_WINDOW_CLAMP
// - IP_LOCAL_PORT_RANGE, with which a world chooses the ports itself, and
//   IP_BIND_ADDRESS_NO_PORT, which makes the port a later call's choice
// - those that docs/OPTIONS.md calls unmodelled
constexpr Option kOtherOptions[] = {
    {SOL_SOCKET, SO_DEBUG},
    {SOL_SOCKET, SO_PRIORITY},
    {SOL_SOCKET, SO_NO_CHECK},
    {SOL_SOCKET, SO_BSDCOMPAT},
    {SOL_SOCKET, SO_PASSCRED},
    {SOL_SOCKET, SO_DETACH_FILTER},
    {SOL_SOCKET, SO_RXQ_OVFL},
    {SOL_SOCKET, SO_WIFI_STATUS},
    {SOL_SOCKET, SO_NOFCS},
    {SOL_SOCKET, SO_LOCK_FILTER},
    {SOL_SOCKET, SO_SELECT_ERR_QUEUE},
    {SOL_SOCKET, SO_BUSY_POLL},
    {SOL_SOCKET, SO_MAX_PACING_RATE},
    {SOL_SOCKET, SO_CNX_ADVICE},
    {SOL_SOCKET, SO_TXTIME},
    {SOL_SOCKET, SO_BINDTOIFINDEX},
    {SOL_SOCKET, SO_PREFER_BUSY_POLL},
    {SOL_SOCKET, SO_BUSY_POLL_BUDGET},
    {SOL_SOCKET, SO_BUF_LOCK},
    {SOL_SOCKET, SO_TXREHASH},
    {SOL_SOCKET, SO_RCVMARK},
    {IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS},
    {IPPROTO_TCP, TCP_THIN_DUPACK},
    {IPPROTO_TCP, TCP_REPAIR},
    {IPPROTO_TCP, TCP_FASTOPEN},
    {IPPROTO_TCP, TCP_SAVED_SYN},
    {IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE},
    {IPPROTO_IP, IP_TOS},
    {IPPROTO_IP, IP_TTL},
    {IPPROTO_IP, IP_RECVOPTS},
    {IPPROTO_IP, IP_RETOPTS},
    {IPPROTO_IP, IP_PKTINFO},
    {IPPROTO_IP, IP_MTU_DISCOVER},
    {IPPROTO_IP, IP_RECVERR},
    {IPPROTO_IP, IP_RECVTTL},
    {IPPROTO_IP, IP_RECVTOS},
    {IPPROTO_IP, IP_FREEBIND},
    {IPPROTO_IP, IP_PASSSEC},
    {IPPROTO_IP, IP_TRANSPARENT},
    {IPPROTO_IP, IP_RECVORIGDSTADDR},
    {IPPROTO_IP, IP_MINTTL},
    {IPPROTO_IP, IP_CHECKSUM},
    {IPPROTO_IP, IP_MULTICAST_TTL},
    {IPPROTO_IP, IP_MULTICAST_LOOP},
    {IPPROTO_IP, IP_UNICAST_IF},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS},
    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER},
    {IPPROTO_IPV6, IPV6_RECVERR},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO},
    {IPPROTO_IPV6, IPV6_RECVHOPLIMIT},
    {IPPROTO_IPV6, IPV6_RECVPATHMTU},
    {IPPROTO_IPV6, IPV6_DONTFRAG},
    {IPPROTO_IPV6, IPV6_RECVTCLASS},
    {IPPROTO_IPV6, IPV6_TCLASS},
    {IPPROTO_IPV6, IPV6_AUTOFLOWLABEL},
    {IPPROTO_IPV6, IPV6_ADDR_PREFERENCES},
    {IPPROTO_IPV6, IPV6_MINHOPCOUNT},
    {IPPROTO_IPV6, IPV6_RECVORIGDSTADDR},
    {IPPROTO_IPV6, IPV6_TRANSPARENT},
    {IPPROTO_IPV6, IPV6_UNICAST_IF},
    {IPPROTO_IPV6, IPV6_RECVFRAGSIZE},
    {IPPROTO_IPV6, IPV6_FREEBIND},
};

bool IsInterface(int level, int name) {
  return level == SOL_SOCKET && name == SO_BINDTOIFINDEX;
}

bool IsPacingRate(int level, int name) {
  return level == SOL_SOCKET && name == SO_MAX_PACING_RATE;
}

bool IsLeastTtl(int level, int name) {
  return (level == IPPROTO_IP && name == IP_MINTTL) ||
         (level == IPPROTO_IPV6 && name == IPV6_MINHOPCOUNT);
}

}  // namespace

void Writer::OptionOf(Step& step) {
  const Option& option =
      Chance(60)
          ? kOptions[Below(static_cast<int>(std::size(kOptions)))]
          : kOtherOptions[Below(static_cast<int>(std::size(kOtherOptions)))];
  step.level = option.level;
  step.name = option.name;
  step.value = OneOf({0, 1, 1, 2, 5, 100, 4096, 65536, 32768, -1});
  if (!IsAllowed(step.level, step.name)) {
    step.value = 0;
  } else if (IsLinger(step.level, step.name)) {
    // A close that lingers would block.
    step.value = Below(2);
    step.second_value = step.value == 1 ? 0 : Below(8);
  } else if (IsTimeout(step.level, step.name)) {
    step.value = OneOf({0, 1, 5, -1});
    step.second_value = OneOf({0, 0, 500000, 1000000, -1});
  } else if (step.name == TCP_USER_TIMEOUT && step.value < 4096) {
    step.value = 4096 * Below(3);  // Milliseconds: longer than a program runs.
  } else if (step.value > 1 &&
             (IsInterface(step.level, step.name) ||
              (IsLeastTtl(step.level, step.name) && step.value < 256))) {
    // Packets of a socket that is bound to an interface that does not exist are
    // lost, and no packet has less than one hop to go.
    step.value = 1;
  } else if (IsPacingRate(step.level, step.name)) {
    step.value = OneOf({-1, 1 << 30});  // Others slow a program down.
  }
}

void Writer::Options() {
  const int slot = AnySlot();
  Step& set = Add(Call::kSetSockOpt, slot);
  OptionOf(set);
  const Step copy = set;
  Step& get = Add(Call::kGetSockOpt, slot);
  get.level = copy.level;
  get.name = copy.name;
  if (Chance(50)) OptionOf(get);
  get.value = get.second_value = 0;
}

void Writer::OddOption() {
  const bool set = Chance(50);
  Step& step = Add(set ? Call::kSetSockOpt : Call::kGetSockOpt, AnySlot());
  OptionOf(step);
  if (!set) step.value = step.second_value = 0;
  switch (Below(4)) {
    case 0:
      step.length = OneOf({0, 1, 2, 3});
      break;
    case 1:
      step.length = OneOf({5, 8, 16, -1});
      break;
    case 2:
      step.null = true;
      break;
    default:
      step.null_length = !set;
      if (Chance(50)) step.level = 12345;
  }
}

void Writer::OddAddress() {
  const bool connect = Chance(50);
  int slot = AnySlot();
  if (Chance(40)) slot = NewSocket(Chance(50));
  Step& step = Add(connect ? Call::kConnect : Call::kBind, slot);
  step.address.host =
      OneOf({Host::kLocalV4, Host::kOtherV4, Host::kAnyV4, Host::kBroadcastV4,
             Host::kNotLocalV4, Host::kLocalV6, Host::kAnyV6,
             Host::kMappedLocal, Host::kMappedAny, Host::kNotLocalV6,
             Host::kUnspec, Host::kUnspecLocal, Host::kNull});
  step.address.port = OneOf({PortKind::kZero, PortKind::kFixed,
                             PortKind::kOfSlot, PortKind::kPrivileged});
  step.address.index = Below(kFixedPorts);
  if (Chance(40)) {
    step.address.length =
        OneOf({0, 1, 2, 15, 16, 17, 23, 24, 27, 28, 128, 129, -1});
  }
  if (slot < kSlots && At(slot).kind == Guess::kFresh) {
    At(slot).kind = connect ? Guess::kEnded : Guess::kBound;
  }
}

void Writer::OddName() {
  const int listener = Any({Guess::kListening});
  const bool accept = listener != kNoSlot && Chance(40);
  if (accept && Chance(60) && MakeClient(listener) == kNoSlot) return;
  const int slot = accept ? listener : AnySlot();
  Step& step = Add(accept       ? Call::kAccept4
                   : Chance(50) ? Call::kGetSockName
                                : Call::kGetPeerName,
                   slot);
  if (accept) {
    const int out = Any({Guess::kFree});
    step.out = out;
    step.flags = OneOf<int>({SOCK_NONBLOCK, 0x40, 1});
    if (out != kNoSlot && step.flags == SOCK_NONBLOCK) {
      At(out) = {.kind = Guess::kConnected, .process = At(listener).process};
    }
  }
  switch (Below(4)) {
    case 0:
      step.length = OneOf({0, 1, 2, 4, 8, 15, 16});
      break;
    case 1:
      step.length = OneOf({27, 28, 29, 128, -1});
      break;
    case 2:
      step.null = !accept;
      break;
    default:
      step.null_length = true;
  }
}

void Writer::OddData() {
  const bool send = Chance(40);
  int slot = Chance(70) ? AnySlot() : Below(kSlots + 1);
  // Without data, a call that receives does not use its pointer.
  if (!send && Chance(50)) {
    slot = Connected();
    if (slot < kSlots && At(slot).peer != kNoSlot) SendSome(At(slot).peer);
  }
  Step& step = Add(send ? OneOf({Call::kSend, Call::kSendTo, Call::kSendMsg,
                                 Call::kWrite, Call::kWriteV})
                        : OneOf({Call::kRecv, Call::kRecvFrom, Call::kRecvMsg,
                                 Call::kRead, Call::kReadV}),
                   slot);
  step.size = OneOf<size_t>({0, 1, 10});
  step.pieces = 1 + Below(3);
  step.null = Chance(50);
  if (step.call == Call::kSendTo && Chance(70)) {
    step.address.length = OneOf({0, 1, 16, 128, 129, -1});
  }
  if (step.call == Call::kRecvFrom && Chance(70)) {
    step.length = OneOf({0, 1, 16, -1});
    step.null_length = Chance(25);
  }
  if (step.call == Call::kRecv || step.call == Call::kRecvFrom ||
      step.call == Call::kRecvMsg) {
    step.flags = OneOf<int>({0, 0, MSG_OOB, MSG_PEEK, MSG_PEEK | MSG_TRUNC});
  }
}

void Writer::OddDescriptor() {
  const int slot = AnySlot();
  switch (Below(6)) {
    case 0: {
      Step& step = Add(Call::kFcntl, slot);
      step.name = OneOf(
          {F_DUPFD, 9999, F_GETFL, F_GETOWN, F_GETSIG, F_SETSIG, F_GETLEASE});
      step.value = -1;
      return;
    }
    case 1: {
      Step& step = Add(Call::kIoctl, slot);
      step.name = OneOf<int>(
          {FIONREAD, SIOCOUTQ, FIONBIO, FIOASYNC, SIOCGPGRP, 0x9999});
      step.null = Chance(50);
      return;
    }
    case 2:
      Shutdown(slot, OneOf({3, -1, 0, 1, 2}));
      return;
    case 3: {
      Step& step = Add(Call::kSocket, kNoSlot);
      step.domain = OneOf({AF_INET, AF_INET6, 99});
      step.type = OneOf<int>(
          {SOCK_STREAM, 77, 0, SOCK_SEQPACKET, SOCK_RAW, SOCK_STREAM | 0x40});
      step.protocol = OneOf<int>({0, IPPROTO_UDP, IPPROTO_TCP, 9999});
      return;
    }
    case 4: {
      Step& step = Add(Call::kDup3, slot);
      step.out = slot < kSlots ? slot : 0;
      return;
    }
    default:
      CloseSlot(slot);
  }
}

void Writer::NotASocket() {
  int slot = Any({Guess::kOther});
  if (slot == kNoSlot) {
    slot = FreeSlot();
    const bool pipe = Chance(60);
    Step& made = Add(pipe ? Call::kPipe2 : Call::kSocket, kNoSlot);
    made.type = SOCK_DGRAM;
    made.out = slot;
    made.process = Below(kProcesses);
    At(slot) = {.kind = Guess::kOther, .process = made.process};
  }
  const Call call =
      OneOf({Call::kBind, Call::kListen, Call::kListen, Call::kAccept4,
             Call::kAccept4, Call::kConnect, Call::kGetSockName,
             Call::kGetPeerName, Call::kSetSockOpt, Call::kGetSockOpt,
             Call::kShutdown, Call::kSend, Call::kRecv, Call::kSendMsg,
             Call::kRecvMsg, Call::kSendTo, Call::kRecvFrom, Call::kAccept});
  Step& step = Add(call, Chance(75) ? slot : kNoSlot);
  step.size = 1;
  step.level = SOL_SOCKET;
  step.name = SO_TYPE;
}

void Writer::NoDescriptors() {
  const int listener = Any({Guess::kListening});
  if (listener == kNoSlot) return;
  if (Chance(70) && MakeClient(listener) == kNoSlot) return;
  Step& step =
      Add(OneOf({Call::kAccept4, Call::kAccept4, Call::kDup}), listener);
  step.process = At(listener).process;
  step.no_descriptors = true;
  step.flags = SOCK_NONBLOCK;
  step.null = step.null_length = true;
  if (Chance(70)) AcceptFrom(listener);
}

// Makes one call on any slot, whatever its state.
void Writer::AnyCall() {
  const int slot = AnySlot();
  switch (Below(10)) {
    case 0:
      if (slot < kSlots) BindTo(slot, AddressToListenOn(At(slot).v6));
      return;
    case 1:
      if (slot < kSlots) ListenOn(slot, OneOf({0, 1, 5, -1}));
      return;
    case 2:
      if (slot < kSlots) AcceptFrom(slot);
      return;
    case 3: {
      const int target = AnySlot();
      if (slot >= kSlots || target >= kSlots) return;
      ConnectTo(slot, target);
      return;
    }
    case 4:
      Shutdown(slot, Below(3));
      return;
    case 5:
      SendSome(slot);
      return;
    case 6:
      ReceiveSome(slot);
      return;
    case 7:
      CloseSlot(slot);
      return;
    default:
      Inspect(slot);
  }
}

}  // namespace net::differential
