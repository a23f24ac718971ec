#include "fakes/differential/timed/timed_run.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/symbols.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"

namespace net::differential {
namespace {

// Of tcpi_bytes_retrans, which <linux/tcp.h> has and <netinet/tcp.h> lacks.
constexpr size_t kBytesRetransOffset = 208;

constexpr uint16_t kFirstFixedPort = 20000;

std::string Plain(SysResult result) {
  return result.ok() ? absl::StrCat(result.value())
                     : ErrnoSymbol(result.error());
}

// Returns the bytes as runs: "a*10 b*3".
std::string Runs(absl::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const size_t length =
        std::min(bytes.find_first_not_of(bytes[0]), bytes.size());
    absl::StrAppend(&text, " ", bytes.substr(0, 1), "*", length);
    bytes.remove_prefix(length);
  }
  return text;
}

}  // namespace

TimedRun::TimedRun(const TimedWorld& world) : world_(world) { slots_.fill(-1); }

TimedRun::~TimedRun() {
  const linger reset = {1, 0};
  for (const int fd : slots_) {
    if (fd < 0) continue;
    // The results do not matter.
    static_cast<void>(
        world_.sys.SetSockOpt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset))
            .ok());
    static_cast<void>(world_.sys.Close(fd).ok());
  }
}

int TimedRun::At(int slot) const {
  return slot < 0 || slot >= kSlots ? -1 : slots_[static_cast<size_t>(slot)];
}

std::string TimedRun::Made(const Step& step, SysResult result) {
  if (step.out >= 0 && step.out < kSlots) {
    slots_[static_cast<size_t>(step.out)] = result.ok() ? result.fd() : -1;
  }
  return result.ok() ? "a descriptor" : ErrnoSymbol(result.error());
}

std::string TimedRun::Make(const Step& step) {
  Syscalls& sys = world_.sys;
  const int fd = At(step.slot);
  switch (step.call) {
    case Call::kSocket:
      return Made(step, sys.Socket(step.domain, step.type | SOCK_NONBLOCK,
                                   step.protocol));
    case Call::kAccept4:
      return Made(step, sys.Accept4(fd, nullptr, nullptr, SOCK_NONBLOCK));
    case Call::kBind:
    case Call::kConnect:
      return BindOrConnect(step);
    case Call::kListen:
      return Plain(sys.Listen(fd, step.number));
    case Call::kShutdown:
      return Plain(sys.Shutdown(fd, step.number));
    case Call::kFcntl:
      return Plain(sys.Fcntl(fd, step.name, step.value));
    case Call::kSetSockOpt:
      return SetSockOpt(step);
    case Call::kGetSockOpt:
      return GetSockOpt(step);
    case Call::kSend:
      return Send(step);
    case Call::kRecv:
      return Receive(step);
    case Call::kPoll:
      return Poll(step);
    case Call::kIoctl:
      return Ioctl(step);
    case Call::kClose:
      return Close(step);
    default:
      return absl::StrCat("timed programs do not call ", CallName(step.call));
  }
}

absl::Duration TimedRun::TimeoutOf(const Step& step) const {
  const auto option = [&](int name, auto value) {
    socklen_t size = sizeof(value);
    const bool ok =
        world_.sys.GetSockOpt(At(step.slot), SOL_SOCKET, name, &value, &size)
            .ok();
    return ok ? value : decltype(value){};
  };
  absl::Duration timeout;
  if (step.call == Call::kRecv) {
    timeout = absl::DurationFromTimeval(option(SO_RCVTIMEO, timeval()));
  } else if (step.call == Call::kClose) {
    timeout = absl::Seconds(option(SO_LINGER, linger()).l_linger);
  }
  return timeout > absl::ZeroDuration() ? timeout : absl::InfiniteDuration();
}

std::string TimedRun::BindOrConnect(const Step& step) const {
  const auto port =
      static_cast<uint16_t>(step.address.port == PortKind::kFixed
                                ? kFirstFixedPort + step.address.index
                                : 0);
  const ip::SockAddr address(
      {step.address.host == Host::kOtherV4 ? world_.client : world_.server,
       port});
  const int fd = At(step.slot);
  return Plain(step.call == Call::kBind
                   ? world_.sys.Bind(fd, address.get(), address.size())
                   : world_.sys.Connect(fd, address.get(), address.size()));
}

std::string TimedRun::SetSockOpt(const Step& step) const {
  const int fd = At(step.slot);
  const auto set = [&](const auto& value) {
    return Plain(world_.sys.SetSockOpt(fd, step.level, step.name, &value,
                                       sizeof(value)));
  };
  if (IsLinger(step.level, step.name)) {
    return set(linger{step.value, step.second_value});
  }
  if (IsTimeout(step.level, step.name)) {
    return set(timeval{step.value, step.second_value});
  }
  return set(step.value);
}

std::string TimedRun::GetSockOpt(const Step& step) const {
  if (IsTcpInfo(step.level, step.name)) return TcpInfo(step);
  int value = 0;
  socklen_t size = sizeof(value);
  const SysResult got = world_.sys.GetSockOpt(At(step.slot), step.level,
                                              step.name, &value, &size);
  if (!got.ok()) return Plain(got);
  return step.name == SO_ERROR && value != 0 ? ErrnoSymbol(value)
                                             : absl::StrCat(value);
}

// Not compared are:
// - the counters of a connection that has ended: they are leftovers
// - the probes after data was sent to the socket: the kernel's memory
//   accounting decides whether data that arrives ends them
// - the segments in flight after data was sent again: the memory of the peer's
//   queue decides which of them it has joined. A SYN that was sent again does
//   not count. Its timer expires with the peer's for the SYN-ACK, and the
//   machine's load decides which of them Linux finds first.
std::string TimedRun::TcpInfo(const Step& step) const {
  std::array<char, kBytesRetransOffset + sizeof(uint64_t)> bytes = {};
  socklen_t size = bytes.size();
  const SysResult got = world_.sys.GetSockOpt(At(step.slot), step.level,
                                              step.name, bytes.data(), &size);
  if (!got.ok()) return Plain(got);
  tcp_info info = {};
  std::memcpy(&info, bytes.data(), sizeof(info));
  uint64_t bytes_retrans = 0;
  std::memcpy(&bytes_retrans, bytes.data() + kBytesRetransOffset,
              sizeof(bytes_retrans));
  const int state = info.tcpi_state;
  if (state == TCP_CLOSE || state == TCP_LISTEN) {
    return absl::StrCat("state ", state);
  }
  std::string text =
      absl::StrCat("state ", state, ", retransmits ", info.tcpi_retransmits,
                   ", backoff ", info.tcpi_backoff);
  if (bytes_retrans == 0) {
    absl::StrAppend(&text, ", unacked ", info.tcpi_unacked);
  }
  const bool gets_data =
      std::any_of(senders_.begin(), senders_.end(),
                  [&step](int sender) { return sender != step.slot; });
  if (!gets_data) absl::StrAppend(&text, ", probes ", info.tcpi_probes);
  return text;
}

std::string TimedRun::Send(const Step& step) {
  const std::string bytes(step.size, letter_);
  letter_ = letter_ == 'z' ? 'a' : static_cast<char>(letter_ + 1);
  senders_.insert(step.slot);
  return Plain(world_.sys.Send(At(step.slot), bytes.data(), bytes.size(),
                               step.flags | MSG_NOSIGNAL));
}

std::string TimedRun::Receive(const Step& step) const {
  std::string buffer(step.size, '\0');
  const SysResult got =
      world_.sys.Recv(At(step.slot), buffer.data(), buffer.size(), step.flags);
  if (!got.ok()) return Plain(got);
  const auto size = static_cast<size_t>(got.value());
  return absl::StrCat(size, Runs(absl::string_view(buffer).substr(0, size)));
}

std::string TimedRun::Poll(const Step& step) const {
  std::vector<pollfd> polled;
  for (const PollEntry& entry : step.polled) {
    polled.push_back({At(entry.slot), entry.events, 0});
  }
  std::string text = Plain(world_.sys.Poll(polled.data(), polled.size(),
                                           /*timeout_ms=*/step.number));
  for (const pollfd& one : polled) {
    absl::StrAppend(&text, "; ", PollEventSymbols(one.revents));
  }
  return text;
}

// The size of the output of a connection that has ended depends on leftover
// sequence numbers.
std::string TimedRun::Ioctl(const Step& step) const {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  if (step.name == SIOCOUTQ &&
      world_.sys.GetSockOpt(At(step.slot), IPPROTO_TCP, TCP_INFO, &info, &size)
          .ok() &&
      info.tcpi_state == TCP_CLOSE) {
    return "state 7";
  }
  int value = step.value;
  const SysResult result =
      world_.sys.Ioctl(At(step.slot), static_cast<uint64_t>(step.name),
                       reinterpret_cast<intptr_t>(&value));
  return result.ok() ? absl::StrCat(value) : Plain(result);
}

std::string TimedRun::Close(const Step& step) {
  const int fd = At(step.slot);
  if (fd >= 0) slots_[static_cast<size_t>(step.slot)] = -1;
  return Plain(world_.sys.Close(fd));
}

}  // namespace net::differential
