#ifndef FAKES_FAKE_KERNEL_H_
#define FAKES_FAKE_KERNEL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/deviation.h"
#include "fakes/kernel/sysctls.h"
#include "syscalls/net/ip_addr.h"

namespace net {

namespace fake {
struct Kernel;
struct ParticipantState;
}  // namespace fake

struct FakeKernelOptions {
  FakeSysctls sysctls;
  // Addresses of the machine beside 127.0.0.0/8 and ::1.
  std::vector<ip::Addr> addresses;
  // Decides what Linux leaves to chance: ephemeral ports, and which of several
  // listeners on one port gets a connection.
  uint64_t seed = 1;
  // For tests of tests: one way to be wrong.
  fake::Deviation deviation = fake::Deviation::kNone;
};

// Linux's TCP over loopback, in memory: a machine with one network, its
// processes, and a clock of its own. Deterministic: the same calls in the same
// order get the same answers.
//
//   FakeKernel kernel;
//   FakeProcess& server = kernel.NewProcess({.name = "server"});
//   FakeKernel::Participant self(kernel, "main");
//   auto listener = tcp::Listen(ip::kLocalV4, 80, {}, server);
//
// Time is virtual. A thread takes part in it through a Participant or as a
// Thread. While one of these runs, the clock stands still. When all of them
// wait in calls, it jumps to the next thing that is to happen: a timer of a
// connection, or the end of a call's patience. When there is nothing to come,
// that is a deadlock: Deadlock() tells who waits for what, and every call that
// waits, then and later, answers EDEADLK. So no test hangs.
//
// A thread that does not take part may make calls, too; while it waits in one
// the clock does not jump, and no deadlock is declared.
//
// Limits: no packet loss and no delay; buffers count bytes only, not the
// kernel's own overhead; timers are exact, where Linux rounds them up by as
// much as an eighth; no keepalive probes. See FakeProcess for what calls do.
//
// Must outlive everything that uses its processes, and all Participants and
// Threads. Thread-safety: all methods may be called from any thread.
class FakeKernel {
 public:
  explicit FakeKernel(const FakeKernelOptions& options = {});
  FakeKernel(const FakeKernel&) = delete;
  FakeKernel& operator=(const FakeKernel&) = delete;
  ~FakeKernel();

  // A new process, which lives as long as the kernel.
  FakeProcess& NewProcess(const FakeProcessOptions& options = {});

  // The machine. SetSysctl() takes names and texts as sysctl(8) does, and
  // answers false to those that it does not know; FakeSysctls lists them.
  bool SetSysctl(absl::string_view name, absl::string_view text);
  void AddAddress(const ip::Addr& addr);
  // What is sent over an interface that is down is lost; ::1 goes with it.
  void SetLoopbackUp(bool up);
  // Connecting to `addr` fails with `error` from now on: EHOSTUNREACH, EACCES
  // or EINVAL for the `unreachable`, `prohibit` and `blackhole` routes of
  // ip-route(8).
  void AddFailingRoute(const ip::Addr& addr, int error);

  // The time since the machine was started.
  absl::Duration Now() const;
  // Lets time go by, and all that is due happen.
  void Advance(absl::Duration duration);

  // The sockets, in the manner of ss(8), one a line.
  std::string Dump() const;

  // Who waits for what, and the sockets, if there has been a deadlock.
  std::optional<std::string> Deadlock() const;

  class Participant;
  class Thread;

 private:
  friend class FakeProcess;

  FakeProcess& Adopt(std::unique_ptr<FakeProcess> process);

  const std::unique_ptr<fake::Kernel> kernel_;
  std::vector<std::unique_ptr<FakeProcess>> processes_;
};

// Makes the thread that it is created in take part in virtual time, as long as
// it lives. Destroy it in the same thread.
class FakeKernel::Participant {
 public:
  explicit Participant(FakeKernel& kernel, absl::string_view name = "main");
  Participant(const Participant&) = delete;
  Participant& operator=(const Participant&) = delete;
  ~Participant();

  // Interrupts the call in which the participant waits, by a signal whose
  // handler does, or does not, restart calls (SA_RESTART, signal(7)). False: it
  // waits in none, and nothing happened. From any thread.
  bool Interrupt(bool restart = false);

 private:
  friend class Thread;

  FakeKernel& kernel_;
  fake::ParticipantState* const state_;
};

// A thread that takes part from the moment in which this is created.
class FakeKernel::Thread {
 public:
  Thread(FakeKernel& kernel, absl::string_view name,
         std::function<void()> body);
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  // Joins it.
  ~Thread();

  // Waits until the body has returned: in virtual time, like a call, if the
  // caller takes part, and else outside of it.
  void Join();

  // Waits until the body waits in a call (true), or has returned (false). The
  // clock stands still meanwhile, if the caller takes part.
  bool AwaitBlocked();

  // As Participant::Interrupt().
  bool Interrupt(bool restart = false);

 private:
  FakeKernel& kernel_;
  fake::ParticipantState* const state_;
  std::thread thread_;
};

}  // namespace net

#endif  // FAKES_FAKE_KERNEL_H_
