#include "fakes/differential/threads/threaded_run.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/threads/threaded_program.h"
#include "fakes/symbols.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::differential {
namespace {

constexpr char kSetupLetter = 'S';
constexpr int16_t kAllEvents = POLLIN | POLLOUT | POLLRDHUP | POLLPRI;

// Each call of each thread sends a letter of its own: a, b, ... in the first
// thread, i, j, ... in the second.
char LetterOf(size_t thread, size_t step) {
  constexpr size_t kPerThread = 8;
  return static_cast<char>('a' + thread * kPerThread + step % kPerThread);
}

ip::SockAddr SocketAddress(const Address& address, uint16_t port) {
  ip::SockAddr made(
      ip::Endpoint{*ip::Addr::Parse(HostText(address.host)), port});
  if (address.host == Host::kUnspec || address.host == Host::kUnspecLocal) {
    made.get()->sa_family = AF_UNSPEC;
  }
  return made;
}

}  // namespace

ThreadedRun::ThreadedRun(const ThreadedProgram& program, ThreadedWorld world)
    : program_(program),
      overfills_(program.overfills_buffers()),
      world_(std::move(world)) {
  slots_.fill(-1);
  answer_.threads.resize(program.threads.size());
}

void ThreadedRun::SetUp() {
  for (const Step& step : program_.setup) {
    if (step.address.port == PortKind::kOfSlot) NamePort(step.address.index);
    Make(step, kSetupLetter, true);
  }
  for (int slot = 0; slot < kSlots; ++slot) {
    NamePort(slot);
    if (overfills_ && At(slot) >= 0) {
      static_cast<void>(world_.sys.Fcntl(At(slot), F_SETFL, 0).ok());
    }
  }
}

int ThreadedRun::DescriptorLimit() const {
  const auto is_open = [this](int fd) {
    return world_.sys.Fcntl(fd, F_GETFD, 0).ok();
  };
  const auto used = static_cast<size_t>(
      std::count_if(world_.numbers.begin(), world_.numbers.end(), is_open));
  return world_
      .numbers[std::min(used + static_cast<size_t>(program_.free_descriptors),
                        world_.numbers.size() - 1)];
}

void ThreadedRun::RunThread(size_t thread, const IsOver& is_over) {
  const Program& steps = program_.threads[thread];
  std::vector<std::string>& results = answer_.threads[thread];
  for (size_t i = 0; i < steps.size(); ++i) {
    Made made = Make(steps[i], LetterOf(thread, i), false);
    if (is_over(steps[i].call, made.result)) {
      results.emplace_back(kBlocked);
      return;
    }
    results.push_back(std::move(made.text));
  }
}

void ThreadedRun::Inspect() {
  // The rest in the buffers depends on their sizes.
  if (overfills_) return;
  for (const int number : world_.numbers) {
    std::string state = DescribeDescriptor(number);
    if (state.empty()) continue;
    answer_.descriptors.push_back(
        absl::StrCat(DescriptorName(number), " ", state));
  }
}

int ThreadedRun::At(int slot) const {
  return slot < 0 || slot >= kSlots ? -1 : slots_[static_cast<size_t>(slot)];
}

void ThreadedRun::Put(int slot, SysResult made) {
  if (slot < 0 || slot >= kSlots) return;
  slots_[static_cast<size_t>(slot)] = made.ok() ? made.fd() : -1;
}

void ThreadedRun::NamePort(int slot) {
  if (At(slot) < 0) return;
  ip::SockAddr name;
  if (!world_.sys.GetSockName(At(slot), name.get(), name.size_ptr()).ok()) {
    return;
  }
  const auto endpoint = name.ToEndpoint();
  if (!endpoint.has_value() || endpoint->port == 0) return;
  ports_[static_cast<size_t>(slot)] = endpoint->port;
  port_names_.emplace(endpoint->port, absl::StrCat("s", slot));
}

uint16_t ThreadedRun::PortOf(const Address& address) const {
  const auto index = static_cast<size_t>(address.index);
  switch (address.port) {
    case PortKind::kZero:
      return 0;
    case PortKind::kPrivileged:
      return kPrivilegedPort;
    case PortKind::kFixed:
      return world_.fixed_ports[index % kFixedPorts];
    case PortKind::kOfSlot:
      return index < ports_.size() ? ports_[index] : uint16_t{0};
  }
  return 0;
}

ThreadedRun::Made ThreadedRun::Plain(SysResult result) {
  return {result, result.ok() ? absl::StrCat(result.value())
                              : ErrnoSymbol(result.error())};
}

std::string ThreadedRun::DescriptorName(int fd) const {
  const auto found =
      std::find(world_.numbers.begin(), world_.numbers.end(), fd);
  if (found == world_.numbers.end()) return absl::StrCat("descriptor ", fd);
  return absl::StrCat("descriptor #", found - world_.numbers.begin());
}

int ThreadedRun::FlagsOf(const Step& step, int nonblocking) const {
  return overfills_ ? step.flags & ~nonblocking : step.flags;
}

std::string ThreadedRun::PortName(uint16_t port) const {
  const auto found = port_names_.find(port);
  return found == port_names_.end() ? "another socket" : found->second;
}

ThreadedRun::Made ThreadedRun::Descriptor(const Step& step, SysResult made) {
  Put(step.out, made);
  return made.ok() ? Made{made, DescriptorName(made.fd())} : Plain(made);
}

ThreadedRun::Made ThreadedRun::Make(const Step& step, char letter,
                                    bool in_setup) {
  Syscalls& sys = world_.sys;
  const int fd = At(step.slot);
  switch (step.call) {
    case Call::kListen:
      return Plain(sys.Listen(fd, step.number));
    case Call::kShutdown:
      return Plain(sys.Shutdown(fd, step.number));
    case Call::kSend:
    case Call::kSendMsg:
    case Call::kWrite:
    case Call::kWriteV:
      return Send(step, letter);
    case Call::kRecv:
    case Call::kRecvMsg:
    case Call::kRead:
    case Call::kReadV:
      return Receive(step);
    case Call::kSplice:
    case Call::kSendFile:
      return Move(step);
    case Call::kPoll:
      return Poll(step);
    case Call::kSetSockOpt:
      return SetSockOpt(step);
    case Call::kGetSockOpt:
      return GetSockOpt(step);
    case Call::kFcntl:
      return Plain(sys.Fcntl(
          fd, step.name, overfills_ ? step.value & ~O_NONBLOCK : step.value));
    case Call::kIoctl:
      return InputSize(step);
    case Call::kDup:
      return Descriptor(step, sys.Dup(fd));
    case Call::kDup3: {
      const SysResult made = sys.Dup3(fd, At(step.out), step.flags);
      return made.ok() ? Made{made, DescriptorName(made.fd())} : Plain(made);
    }
    case Call::kClose:
      return Plain(sys.Close(fd));
    default:
      return MakeConnection(step, in_setup);
  }
}

ThreadedRun::Made ThreadedRun::MakeConnection(const Step& step, bool in_setup) {
  switch (step.call) {
    case Call::kSocket:
      return Descriptor(
          step, world_.sys.Socket(step.domain,
                                  step.type | (in_setup ? SOCK_NONBLOCK : 0),
                                  step.protocol));
    case Call::kPipe2:
      return MakePipe(step);
    case Call::kBind:
      return Bind(step);
    case Call::kConnect:
      return Connect(step);
    case Call::kAccept4:
      return Accept(step, in_setup);
    case Call::kGetSockName:
    case Call::kGetPeerName:
      return GetName(step);
    default:
      return {SysResult(), "no such call in programs with threads"};
  }
}

ThreadedRun::Made ThreadedRun::MakePipe(const Step& step) {
  std::array<int, 2> ends = {-1, -1};
  const SysResult made = world_.sys.Pipe2(ends.data(), step.flags);
  Put(step.out, made.ok() ? SysResult::Ok(ends[0]) : made);
  Put(step.to, made.ok() ? SysResult::Ok(ends[1]) : made);
  return Plain(made);
}

ThreadedRun::Made ThreadedRun::Move(const Step& step) const {
  const int from = At(step.slot);
  const int to = At(step.to);
  return Plain(step.call == Call::kSendFile
                   ? world_.sys.SendFile(to, from, nullptr, step.size)
                   : world_.sys.Splice(from, nullptr, to, nullptr, step.size,
                                       static_cast<unsigned int>(
                                           FlagsOf(step, SPLICE_F_NONBLOCK))));
}

ThreadedRun::Made ThreadedRun::Bind(const Step& step) const {
  const ip::SockAddr address =
      SocketAddress(step.address, PortOf(step.address));
  return Plain(world_.sys.Bind(At(step.slot), address.get(), address.size()));
}

ThreadedRun::Made ThreadedRun::Connect(const Step& step) const {
  const ip::SockAddr address =
      SocketAddress(step.address, PortOf(step.address));
  return Plain(
      world_.sys.Connect(At(step.slot), address.get(), address.size()));
}

ThreadedRun::Made ThreadedRun::Accept(const Step& step, bool in_setup) {
  ip::SockAddr peer;
  Made made = Descriptor(
      step, world_.sys.Accept4(
                At(step.slot), peer.get(), peer.size_ptr(),
                FlagsOf(step, SOCK_NONBLOCK) | (in_setup ? SOCK_NONBLOCK : 0)));
  const auto endpoint = peer.ToEndpoint();
  if (made.result.ok() && endpoint.has_value()) {
    absl::StrAppend(&made.text, " from ", PortName(endpoint->port));
  }
  return made;
}

ThreadedRun::Made ThreadedRun::GetName(const Step& step) const {
  ip::SockAddr name;
  Made made = Plain(
      step.call == Call::kGetSockName
          ? world_.sys.GetSockName(At(step.slot), name.get(), name.size_ptr())
          : world_.sys.GetPeerName(At(step.slot), name.get(), name.size_ptr()));
  const auto endpoint = name.ToEndpoint();
  if (made.result.ok() && endpoint.has_value()) {
    made.text = endpoint->port == 0 ? "no port" : PortName(endpoint->port);
  }
  return made;
}

ThreadedRun::Made ThreadedRun::SetSockOpt(const Step& step) const {
  const linger value_of_linger = {step.value, step.second_value};
  const int value = step.value;
  const bool is_linger = IsLinger(step.level, step.name);
  const void* data = &value;
  if (is_linger) data = &value_of_linger;
  return Plain(world_.sys.SetSockOpt(
      At(step.slot), step.level, step.name, data,
      static_cast<socklen_t>(is_linger ? sizeof(value_of_linger)
                                       : sizeof(value))));
}

ThreadedRun::Made ThreadedRun::GetSockOpt(const Step& step) const {
  int value = 0;
  socklen_t size = sizeof(value);
  Made made = Plain(world_.sys.GetSockOpt(At(step.slot), step.level, step.name,
                                          &value, &size));
  if (made.result.ok()) made.text = absl::StrCat("value ", value);
  return made;
}

ThreadedRun::Made ThreadedRun::InputSize(const Step& step) const {
  int value = 0;
  Made made = Plain(world_.sys.Ioctl(At(step.slot), FIONREAD,
                                     reinterpret_cast<intptr_t>(&value)));
  if (!made.result.ok()) return made;
  // The count depends on the sizes of the kernel's buffers.
  made.text =
      overfills_ && value > 0 ? "some bytes" : absl::StrCat("value ", value);
  return made;
}

ThreadedRun::Made ThreadedRun::Send(const Step& step, char letter) const {
  std::string data(step.size, letter);
  const int fd = At(step.slot);
  iovec part = {data.data(), data.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const int flags = FlagsOf(step, MSG_DONTWAIT);
  SysResult sent;
  if (step.call == Call::kSend) {
    sent = world_.sys.Send(fd, data.data(), data.size(), flags);
  } else if (step.call == Call::kWrite) {
    sent = world_.sys.Write(fd, data.data(), data.size());
  } else if (step.call == Call::kWriteV) {
    sent = world_.sys.WriteV(fd, &part, 1);
  } else {
    sent = world_.sys.SendMsg(fd, &message, flags);
  }
  Made made = Plain(sent);
  // The count depends on the sizes of the kernel's buffers.
  if (overfills_ && sent.ok() && step.size >= kOverfillingSize) {
    made.text = sent.value() == 0 ? "0" : "a part";
  }
  return made;
}

ThreadedRun::Made ThreadedRun::Receive(const Step& step) const {
  std::string data(step.size, '\0');
  const int fd = At(step.slot);
  iovec part = {data.data(), data.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  SysResult got;
  if (step.call == Call::kRecv) {
    got = world_.sys.Recv(fd, data.data(), data.size(), step.flags);
  } else if (step.call == Call::kRead) {
    got = world_.sys.Read(fd, data.data(), data.size());
  } else if (step.call == Call::kReadV) {
    got = world_.sys.ReadV(fd, &part, 1);
  } else {
    got = world_.sys.RecvMsg(fd, &message, step.flags);
  }
  Made made = Plain(got);
  if (got.ok() && got.value() > 0) {
    made.text = absl::StrCat(
        "\"", data.substr(0, static_cast<size_t>(got.value())), "\"");
  }
  return made;
}

ThreadedRun::Made ThreadedRun::Poll(const Step& step) const {
  std::vector<pollfd> fds;
  for (const PollEntry& entry : step.polled) {
    fds.push_back({At(entry.slot), entry.events, 0});
  }
  Made made = Plain(world_.sys.Poll(fds.data(), fds.size(), step.number));
  if (!made.result.ok()) return made;
  absl::StrAppend(&made.text, " ready:");
  for (const pollfd& one : fds) {
    absl::StrAppend(&made.text, " ", PollEventSymbols(one.revents));
  }
  return made;
}

std::string ThreadedRun::DescribeDescriptor(int fd) const {
  Syscalls& sys = world_.sys;
  if (!sys.Fcntl(fd, F_GETFD, 0).ok()) return "";
  pollfd polled = {fd, kAllEvents, 0};
  static_cast<void>(sys.Poll(&polled, 1, 0).ok());
  tcp_info info = {};
  socklen_t info_size = sizeof(info);
  const SysResult told =
      sys.GetSockOpt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_size);
  int input = -1;
  static_cast<void>(
      sys.Ioctl(fd, FIONREAD, reinterpret_cast<intptr_t>(&input)).ok());
  int error = -1;
  socklen_t error_size = sizeof(error);
  static_cast<void>(
      sys.GetSockOpt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size).ok());
  const SysResult flags = sys.Fcntl(fd, F_GETFL, 0);
  const bool is_nonblocking = flags.ok() && (flags.value() & O_NONBLOCK) != 0;
  return absl::StrCat("state ", told.ok() ? info.tcpi_state : -1, " ",
                      PollEventSymbols(polled.revents), " input ", input,
                      " error ", error, is_nonblocking ? " nonblocking" : "");
}

}  // namespace net::differential
