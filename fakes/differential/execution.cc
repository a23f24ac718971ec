#include "fakes/differential/execution.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"
#include "fakes/differential/streams.h"
#include "fakes/differential/tolerances.h"
#include "fakes/differential/worlds.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::differential {

Trace RunProgram(const Program& program, World& world, bool note_states) {
  Execution execution(world, note_states);
  Trace trace;
  trace.reserve(program.size());
  for (const Step& step : program) trace.push_back(execution.Run(step));
  return trace;
}

Execution::~Execution() {
  for (Held& held : slots_) {
    if (held.fd >= 0) lost_.push_back(std::move(held));
  }
  for (const Held& held : lost_) {
    Syscalls& sys = world_.process(held.process);
    const linger reset = {1, 0};
    // Fails with ENOTSOCK on a pipe, and has no effect on a connection that has
    // ended.
    static_cast<void>(
        sys.SetSockOpt(held.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)));
    static_cast<void>(sys.Close(held.fd));
  }
}

const Execution::Held& Execution::At(int slot) const {
  if (slot < 0 || slot >= kSlots) return nothing_;
  return slots_[static_cast<size_t>(slot)];
}

const End& Execution::EndAt(int slot) const {
  const Held& held = At(slot);
  return held.socket == nullptr ? nowhere_ : held.socket->end;
}

void Execution::Put(int slot, Held held) {
  if (slot < 0 || slot >= kSlots) {
    if (held.fd >= 0) lost_.push_back(std::move(held));
    return;
  }
  Held& place = slots_[static_cast<size_t>(slot)];
  if (place.fd >= 0) lost_.push_back(std::move(place));
  place = std::move(held);
}

int Execution::ProcessOf(const Step& step) const {
  const Held& held = At(step.slot);
  return held.fd >= 0 ? held.process : step.process;
}

Syscalls& Execution::Sys(const Step& step) {
  return world_.process(ProcessOf(step));
}

// UDP sockets and pipes are used only for calls that do not apply to them.
// Their own behaviour is not compared.
bool Execution::IsUncalledFor(const Step& step) const {
  const Held& held = At(step.slot);
  if (held.socket == nullptr || held.socket->kind == Socket::kTcp) return false;
  switch (step.call) {
    case Call::kClose:
    case Call::kDup:
    case Call::kDup3:
    case Call::kListen:
    case Call::kAccept:
    case Call::kAccept4:
      return false;
    case Call::kRead:
    case Call::kReadV:
    case Call::kWrite:
    case Call::kWriteV:
    case Call::kSendFile:
    case Call::kSplice:
    case Call::kFcntl:
    case Call::kIoctl:
    case Call::kSocket:
    case Call::kPipe2:
      return true;
    default:
      return held.socket->kind == Socket::kUdp;
  }
}

// While it is uncertain whether a FIN has arrived, so is the connection's
// state. A program may then only read, which resolves it, and make calls that
// do not depend on the state.
bool Execution::IsUnclear(const Step& step) const {
  if (EndAt(step.slot).torn()) {
    return step.call != Call::kFcntl && step.call != Call::kGetSockName &&
           step.call != Call::kDup;
  }
  if (!EndAt(step.slot).unclear() && !EndAt(step.out).unclear()) return false;
  switch (step.call) {
    case Call::kRecv:
    case Call::kRecvFrom:
    case Call::kRecvMsg:
    case Call::kRead:
    case Call::kReadV:
    case Call::kSendFile:
    case Call::kPoll:
    case Call::kFcntl:
    case Call::kIoctl:
    case Call::kGetSockName:
    case Call::kDup:
      return false;
    case Call::kGetSockOpt:
      return step.level == SOL_SOCKET && step.name == SO_ERROR;
    case Call::kSetSockOpt:
      // Some IPv6 options require a socket without a port, or a connected one.
      // These depend on the state.
      return IsLinger(step.level, step.name) || step.level == IPPROTO_IPV6;
    default:
      return true;
  }
}

bool Execution::IsBlocking(const Step& step) {
  const Held& held = At(step.slot);
  if (held.fd < 0) return false;
  const SysResult flags = Sys(step).Fcntl(held.fd, F_GETFL, 0);
  return flags.ok() && (flags.value() & O_NONBLOCK) == 0;
}

// Calls that cannot use MSG_DONTWAIT.
bool Execution::MightBlock(const Step& step) {
  switch (step.call) {
    case Call::kAccept:
    case Call::kAccept4:
    case Call::kConnect:
    case Call::kRead:
    case Call::kReadV:
    case Call::kWrite:
    case Call::kWriteV:
    case Call::kSendFile:
    case Call::kSplice:
      return IsBlocking(step);
    default:
      return false;
  }
}

int Execution::TcpState(const Step& step) {
  const Held& held = At(step.slot);
  if (held.socket == nullptr || held.socket->kind != Socket::kTcp) return 0;
  tcp_info info = {};
  socklen_t size = sizeof(info);
  const SysResult told =
      Sys(step).GetSockOpt(held.fd, IPPROTO_TCP, TCP_INFO, &info, &size);
  return told.ok() ? info.tcpi_state : 0;
}

Observation Execution::Run(const Step& step) {
  const int state = note_states_ ? TcpState(step) : 0;
  if (IsUncalledFor(step)) return Skip("not a TCP socket");
  if (IsUnclear(step)) return Skip("the connection's state is uncertain");
  if (MightBlock(step)) return Skip("might block");
  const int process = ProcessOf(step);
  if (step.no_descriptors) world_.SetOutOfDescriptors(process, true);
  Observation seen = MakeCall(step);
  if (step.no_descriptors) world_.SetOutOfDescriptors(process, false);
  seen.tcp_state = state;
  return seen;
}

Observation Execution::MakeCall(const Step& step) {
  switch (step.call) {
    case Call::kSocket:
      return MakeSocket(step);
    case Call::kPipe2:
      return MakePipe(step);
    case Call::kBind:
      return Bind(step);
    case Call::kListen:
      return Listen(step);
    case Call::kAccept:
    case Call::kAccept4:
      return Accept(step);
    case Call::kConnect:
      return Connect(step);
    case Call::kGetSockName:
    case Call::kGetPeerName:
      return GetName(step);
    case Call::kSetSockOpt:
      return SetSockOpt(step);
    case Call::kGetSockOpt:
      return GetSockOpt(step);
    case Call::kShutdown:
      return Shutdown(step);
    case Call::kSend:
      return step.repeated ? Fill(step) : Send(step);
    case Call::kSendTo:
    case Call::kSendMsg:
    case Call::kWrite:
    case Call::kWriteV:
    case Call::kSplice:
      return Send(step);
    case Call::kRecv:
      return step.repeated ? Drain(step) : Receive(step);
    case Call::kRecvFrom:
    case Call::kRecvMsg:
    case Call::kRead:
    case Call::kReadV:
    case Call::kSendFile:
      return Receive(step);
    case Call::kPoll:
      return Poll(step);
    case Call::kFcntl:
      return Fcntl(step);
    case Call::kIoctl:
      return Ioctl(step);
    case Call::kDup:
      return Dup(step);
    case Call::kDup3:
      return Dup3(step);
    case Call::kClose:
      return Close(step);
    default:
      return Skip("no such call in programs");
  }
}

Observation Execution::Skip(absl::string_view why) {
  return {.result = SysResult(),
          .text = absl::StrCat("skipped: ", why),
          .skipped = true};
}

Observation Execution::Plain(SysResult result, absl::string_view details) {
  const std::string answer =
      result.ok() ? absl::StrCat(result.value()) : ErrnoSymbol(result.error());
  return {.result = result,
          .text = absl::StrCat(answer, details.empty() ? "" : " ", details)};
}

Observation Execution::Made(const Step& step, SysResult result,
                            std::shared_ptr<Socket> socket,
                            absl::string_view details) {
  if (!result.ok()) {
    Put(step.out, {});
    return Plain(result, details);
  }
  Put(step.out, {ProcessOf(step), result.fd(), std::move(socket)});
  return {.result = result,
          .text = absl::StrCat("a descriptor", details.empty() ? "" : " ",
                               details)};
}

Observation Execution::MakeSocket(const Step& step) {
  const SysResult made =
      world_.process(step.process)
          .Socket(step.domain, step.type | SOCK_NONBLOCK, step.protocol);
  auto socket = std::make_shared<Socket>();
  if ((step.type & 0xf) != SOCK_STREAM) socket->kind = Socket::kUdp;
  return Made(step, made, std::move(socket));
}

Observation Execution::MakePipe(const Step& step) {
  int fds[2] = {-1, -1};
  const SysResult made = world_.process(step.process).Pipe2(fds, O_NONBLOCK);
  if (!made.ok()) {
    Put(step.out, {});
    return Plain(made);
  }
  auto pipe = std::make_shared<Socket>();
  pipe->kind = Socket::kPipe;
  Put(step.out, {step.process, fds[0], pipe});
  lost_.push_back({step.process, fds[1], pipe});
  return Plain(made);
}

Observation Execution::Dup(const Step& step) {
  const Held held = At(step.slot);
  return Made(step, Sys(step).Dup(held.fd), held.socket);
}

Observation Execution::Dup3(const Step& step) {
  const Held held = At(step.slot);
  const Held target = At(step.out);
  const bool one_table = target.fd >= 0 && target.process == held.process;
  const SysResult made =
      Sys(step).Dup3(held.fd, one_table ? target.fd : -1, step.flags);
  if (!made.ok()) return Plain(made);
  if (target.socket != held.socket) NoteClosed(step.out);
  slots_[static_cast<size_t>(step.out)].socket = held.socket;
  return {.result = made, .text = "the other descriptor"};
}

void Execution::NoteClosed(int slot) {
  const End& end = EndAt(slot);
  if (!end.known()) return;
  end.out().finished = true;
  if (!small_buffers_) return;
  // With small buffers it is uncertain whether unread data made this close a
  // reset, and whether the data sent before arrived where the reset is
  // expected.
  const bool resets = lingering_ || end.in().outstanding() > 0;
  end.in().torn = end.in().uncertain || (resets && end.out().uncertain);
}

Observation Execution::Close(const Step& step) {
  NoteClosed(step.slot);
  const SysResult closed = Sys(step).Close(At(step.slot).fd);
  if (At(step.slot).fd >= 0) slots_[static_cast<size_t>(step.slot)] = {};
  return Plain(closed);
}

// After shutdown(2) for reading, data that arrives resets the connection. It is
// uncertain whether more data is still to arrive.
Observation Execution::Shutdown(const Step& step) {
  const End& end = EndAt(step.slot);
  if (step.number != SHUT_WR && end.known() && end.in().uncertain) {
    return Skip("the number of received bytes is uncertain");
  }
  const SysResult shut = Sys(step).Shutdown(At(step.slot).fd, step.number);
  // A shutdown(2) that fails still takes effect once the socket is connected.
  const std::shared_ptr<Socket>& socket = At(step.slot).socket;
  if (shut.error() == ENOTCONN && step.number != SHUT_WR && socket != nullptr) {
    socket->wants_nothing = true;
  }
  if (shut.ok() && end.known()) {
    if (step.number != SHUT_RD) end.out().finished = true;
    if (step.number != SHUT_WR) end.in().unwanted = true;
  }
  return Plain(shut);
}

Observation Execution::Poll(const Step& step) {
  std::vector<pollfd> fds;
  int process = -1;
  for (const PollEntry& entry : step.polled) {
    const Held& held = At(entry.slot);
    const bool polled = held.socket != nullptr &&
                        held.socket->kind == Socket::kTcp &&
                        (process < 0 || process == held.process);
    if (polled) process = held.process;
    fds.push_back({polled ? held.fd : -1, entry.events, 0});
  }
  const SysResult ready =
      world_.process(process < 0 ? 0 : process).Poll(fds.data(), fds.size(), 0);
  if (!ready.ok()) return Plain(ready);
  const Marks marks = {.low_water = low_water_,
                       .small_buffers = small_buffers_};
  std::string text;
  bool doubtful = marks.low_water && marks.small_buffers;
  for (size_t i = 0; i < fds.size(); ++i) {
    const End& end = EndAt(step.polled[i].slot);
    doubtful = doubtful || end.doubtful() || end.torn();
    absl::StrAppend(&text, " ", EventsText(end, marks, fds[i].revents));
  }
  const std::string count = doubtful ? "some" : absl::StrCat(ready.value());
  Observation seen = {.result = ready,
                      .text = absl::StrCat(count, " ready:", text)};
  for (const pollfd& one : fds) seen.numbers.push_back(one.revents);
  return seen;
}

}  // namespace net::differential
