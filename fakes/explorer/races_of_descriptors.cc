#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/planted_races.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/scenario_kit.h"
#include "fakes/fake_kernel.h"
#include "fakes/run_tasks.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

ExploreOptions PlantedRace::Options() const {
  ExploreOptions options;
  options.name = name;
  options.process.nofile_limit = nofile_limit;
  return options;
}

Scenario PlantedRace::Broken() const {
  return [run = run](Syscalls& sys, FakeKernel& kernel) {
    return run(/*is_fixed=*/false, sys, kernel);
  };
}

Scenario PlantedRace::Fixed() const {
  return [run = run](Syscalls& sys, FakeKernel& kernel) {
    return run(/*is_fixed=*/true, sys, kernel);
  };
}

Event::Event(Syscalls& sys, unsigned initial, bool waits)
    : sys_(sys),
      fd_(sys.EventFd(initial,
                      EFD_CLOEXEC | EFD_SEMAPHORE | (waits ? 0 : EFD_NONBLOCK))
              .fd()) {}

Event::~Event() { kit::Discard(sys_, fd_); }

void Event::Set() {
  constexpr uint64_t kOne = 1;
  static_cast<void>(sys_.Write(fd_, &kOne, sizeof(kOne)));
}

bool Event::Await() {
  uint64_t count = 0;
  return sys_.Read(fd_, &count, sizeof(count)).ok();
}

namespace {

// A thread accepts until another one stops it. close(2) does not wake a thread
// that is blocked in accept(2); shutdown(2) does.
absl::Status AcceptAgainstClose(bool is_fixed, Syscalls& sys,
                                FakeKernel& kernel) {
  int listener = -1;
  uint16_t port = 0;
  absl::Status made = kit::MakeListener(sys, &listener, &port);
  if (!made.ok()) return made;
  std::atomic<bool> stops = false;
  Event ended(sys);
  const auto stop = [&] {
    stops = true;
    if (is_fixed) {
      static_cast<void>(sys.Shutdown(listener, SHUT_RD));
      ended.Await();
    }
    return kit::CloseIt(sys, listener);
  };
  const auto accept = [&] {
    while (!stops) {
      const SysResult connection = kit::AcceptFrom(sys, listener);
      if (connection.ok()) kit::Discard(sys, connection.fd());
    }
    ended.Set();
  };
  return RunTasks(kernel, {{"stopper", stop}, {"acceptor", accept}});
}

// The same with a thread that is blocked in poll(2).
absl::Status CloseAgainstPoll(bool is_fixed, Syscalls& sys,
                              FakeKernel& kernel) {
  kit::Pair pair;
  absl::Status made = kit::MakePair(sys, &pair);
  if (!made.ok()) return made;
  std::atomic<bool> stops = false;
  Event ended(sys);
  Event wake(sys);
  const auto stop = [&] {
    stops = true;
    if (is_fixed) {
      wake.Set();
      ended.Await();
    }
    return kit::CloseIt(sys, pair.server);
  };
  const auto poll = [&] {
    if (!stops) {
      pollfd fds[] = {{.fd = pair.server, .events = POLLIN, .revents = 0},
                      {.fd = wake.fd(), .events = POLLIN, .revents = 0}};
      static_cast<void>(sys.Poll(fds, is_fixed ? 2 : 1, /*timeout_ms=*/-1));
    }
    ended.Set();
  };
  const absl::Status status =
      RunTasks(kernel, {{"stopper", stop}, {"poller", poll}});
  return kit::FirstError(status, kit::CloseIt(sys, pair.client));
}

// The receiver finds out why the stream ends from a flag, which is set too
// late.
absl::Status ShutdownAgainstRecv(bool is_fixed, Syscalls& sys,
                                 FakeKernel& kernel) {
  kit::Pair pair;
  absl::Status made = kit::MakePair(sys, &pair);
  if (!made.ok()) return made;
  std::atomic<bool> stops = false;
  const auto stop = [&] {
    if (is_fixed) stops = true;
    const SysResult shut = sys.Shutdown(pair.server, SHUT_RDWR);
    int unread = 0;
    socklen_t size = sizeof(unread);
    static_cast<void>(
        sys.GetSockOpt(pair.server, SOL_SOCKET, SO_ERROR, &unread, &size));
    stops = true;
    return kit::ToStatus(shut, "shutdown");
  };
  const auto receive = [&] {
    char byte = 0;
    const SysResult received = kit::RecvOnce(sys, pair.server, &byte, 1);
    if (!received.ok()) return kit::ToStatus(received, "recv");
    return stops ? absl::OkStatus()
                 : absl::InternalError("the peer has closed");
  };
  const absl::Status status =
      RunTasks(kernel, {{"stopper", stop}, {"receiver", receive}});
  return kit::FirstError(status, kit::ClosePair(sys, pair));
}

// A thread polls its listener and then accepts. Another one closes the listener
// in between.
absl::Status ListenerClosedAfterPoll(bool is_fixed, Syscalls& sys,
                                     FakeKernel& kernel) {
  int listener = -1;
  uint16_t port = 0;
  absl::Status made = kit::MakeListener(sys, &listener, &port);
  if (!made.ok()) return made;
  const int client = kit::NewSocket(sys).fd();
  absl::Status status =
      kit::ToStatus(kit::ConnectTo(sys, client, port), "connect");
  Event used(sys, /*initial=*/1);  // A lock.
  std::atomic<bool> is_closed = false;
  const auto accept = [&] {
    if (is_fixed) used.Await();
    SysResult accepted = SysResult::Error(EAGAIN);
    if (!is_closed) {
      pollfd fd = {.fd = listener, .events = POLLIN, .revents = 0};
      const SysResult polled = sys.Poll(&fd, 1, /*timeout_ms=*/0);
      if (polled.ok() && polled.value() == 1) {
        accepted = kit::AcceptFrom(sys, listener);
      }
    }
    if (is_fixed) used.Set();
    if (accepted.ok()) kit::Discard(sys, accepted.fd());
  };
  const auto close = [&] {
    if (is_fixed) used.Await();
    is_closed = true;
    absl::Status closed = kit::CloseIt(sys, listener);
    if (is_fixed) used.Set();
    return closed;
  };
  status = kit::FirstError(
      status, RunTasks(kernel, {{"acceptor", accept}, {"closer", close}}));
  return kit::FirstError(status, kit::CloseIt(sys, client));
}

// A thread puts a duplicate at a number that it believes to be free. Another
// one has opened a descriptor of that number.
absl::Status Dup3AgainstOpen(bool is_fixed, Syscalls& sys, FakeKernel& kernel) {
  constexpr int kNumber = 20;
  const int source = kit::NewSocket(sys).fd();
  const auto duplicate = [&] {
    if (is_fixed) {
      const SysResult made = sys.Fcntl(source, F_DUPFD_CLOEXEC, kNumber);
      return made.ok() ? kit::CloseIt(sys, made.fd())
                       : kit::ToStatus(made, "fcntl");
    }
    const SysResult made = sys.Dup3(source, kNumber, O_CLOEXEC);
    return made.ok() ? kit::CloseIt(sys, made.fd())
                     : kit::ToStatus(made, "dup3");
  };
  const auto open = [&] {
    const SysResult made = sys.Fcntl(source, F_DUPFD_CLOEXEC, kNumber);
    if (!made.ok()) return kit::ToStatus(made, "fcntl");
    int type = 0;
    socklen_t size = sizeof(type);
    const SysResult used =
        sys.GetSockOpt(made.fd(), SOL_SOCKET, SO_TYPE, &type, &size);
    return kit::FirstError(kit::ToStatus(used, "getsockopt"),
                           kit::CloseIt(sys, made.fd()));
  };
  const absl::Status status =
      RunTasks(kernel, {{"duplicates", duplicate}, {"opens", open}});
  return kit::FirstError(status, kit::CloseIt(sys, source));
}

// A thread checks a connection and then uses its number. Another one closes it
// in between and gets the number for another connection.
absl::Status NumberReusedAfterCheck(bool is_fixed, Syscalls& sys,
                                    FakeKernel& kernel) {
  kit::Pair first;
  kit::Pair second;
  absl::Status status = kit::MakePair(sys, &first);
  if (!status.ok()) return status;
  status = kit::MakePair(sys, &second);
  if (!status.ok()) return status;
  // The corrected program uses a duplicate that nobody else closes.
  const int copy = sys.Fcntl(first.client, F_DUPFD_CLOEXEC, 0).fd();
  std::atomic<bool> is_open = true;
  const auto send = [&] {
    if (!is_open) return absl::OkStatus();
    return kit::ToStatus(
        kit::SendOnce(sys, is_fixed ? copy : first.client, "secret"), "send");
  };
  SysResult other;
  const auto replace = [&] {
    is_open = false;
    const absl::Status closed = kit::CloseIt(sys, first.client);
    other = sys.Fcntl(second.client, F_DUPFD_CLOEXEC, 0);
    return kit::FirstError(closed, kit::ToStatus(other, "fcntl"));
  };
  status = RunTasks(kernel, {{"sender", send}, {"replacer", replace}});
  char byte = 0;
  if (sys.Recv(second.server, &byte, 1, MSG_DONTWAIT).ok()) {
    status = absl::InternalError("the secret went to another peer");
  }
  if (other.ok()) kit::Discard(sys, other.fd());
  kit::Discard(sys, copy);
  kit::Discard(sys, first.server);
  return kit::FirstError(status, kit::ClosePair(sys, second));
}

// Two threads close a socket, each unless the other one has.
absl::Status TwoClosers(bool is_fixed, Syscalls& sys, FakeKernel& kernel) {
  kit::Pair pair;
  absl::Status made = kit::MakePair(sys, &pair);
  if (!made.ok()) return made;
  std::atomic<bool> is_closed = false;
  Event once(sys, /*initial=*/1, /*waits=*/false);
  const auto close = [&] {
    if (is_fixed ? !once.Await() : is_closed.load()) return absl::OkStatus();
    const SysResult shut = sys.Shutdown(pair.client, SHUT_RDWR);
    is_closed = true;
    return kit::FirstError(kit::ToStatus(shut, "shutdown"),
                           kit::CloseIt(sys, pair.client));
  };
  const absl::Status status =
      RunTasks(kernel, {{"one", close}, {"two", close}});
  return kit::FirstError(status, kit::CloseIt(sys, pair.server));
}

}  // namespace

std::vector<PlantedRace> RacesOfDescriptors() {
  return {
      {"AcceptAgainstClose", FindingKind::kHang, AcceptAgainstClose},
      {"CloseAgainstPoll", FindingKind::kHang, CloseAgainstPoll},
      {"ShutdownAgainstRecv", FindingKind::kRace, ShutdownAgainstRecv},
      {"ListenerClosedAfterPoll", FindingKind::kUseAfterClose,
       ListenerClosedAfterPoll},
      {"Dup3AgainstOpen", FindingKind::kCloseOfReusedNumber, Dup3AgainstOpen},
      {"NumberReusedAfterCheck", FindingKind::kRace, NumberReusedAfterCheck},
      {"TwoClosers", FindingKind::kDoubleClose, TwoClosers},
  };
}

}  // namespace net
