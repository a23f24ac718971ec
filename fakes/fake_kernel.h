#ifndef FAKES_FAKE_KERNEL_H_
#define FAKES_FAKE_KERNEL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/hangs.h"
#include "fakes/kernel/link_options.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/schedule/schedule.h"
#include "syscalls/net/ip_addr.h"

namespace net {

class Task;

namespace fake {
struct Host;
struct Kernel;
struct ParticipantState;
}  // namespace fake

// A machine in the network of a FakeKernel.
struct FakeHostOptions {
  std::string name = "host";  // Appears in reports.
  // Its addresses, in addition to 127.0.0.0/8 and ::1, of which each host has
  // its own. Two hosts must not have the same address.
  std::vector<ip::Addr> addresses;
  FakeSysctls sysctls;
};

struct FakeKernelOptions {
  FakeSysctls sysctls;
  // Local addresses of the machine, in addition to 127.0.0.0/8 and ::1.
  std::vector<ip::Addr> addresses;
  // Seed for choices that Linux makes at random: ephemeral ports, and which of
  // several listeners on one port (SO_REUSEPORT) gets a connection. Unless
  // `schedule` has a policy or a schedule to replay, the seed also chooses
  // which of several threads runs.
  uint64_t seed = 1;
  ScheduleOptions schedule;
  // The limits at which a hang is reported.
  HangLimits hangs;
};

// Linux's TCP over loopback, modelled in memory: one machine with one network,
// its processes, and a virtual clock. It is deterministic: the same program
// with the same seed makes the same calls in the same order, with the same
// results, also with several threads.
//
//   FakeKernel kernel;
//   FakeProcess& server = kernel.NewProcess({.name = "server"});
//   FakeKernel::Participant self(kernel, "main");
//   auto listener = tcp::Listen(ip::kLocalV4, 80, {}, server);
//
// A thread takes part as a Participant or a Thread. Exactly one participant
// runs at a time: it holds the baton. A seeded choice hands the baton to
// another one when its holder
// - blocks in a call or in Join(), or ends;
// - has made 100 calls without blocking (ScheduleOptions).
// A thread that is woken, or begins, runs only when it gets the baton. While a
// participant waits by other means than the kernel's calls, Join() and
// AwaitBlocked(), no other one can run. If the test links //fakes:thread_hooks,
// locks, condition variables and the like are such calls, too
// (fakes/threads/thread_hooks.h). Outside() is for all other waits.
//
// Two runs with equal seeds have the same interleaving; Schedule() returns it
// as text, and ScheduleOptions::replay repeats it. See
// fakes/schedule/schedule.h.
//
// ThreadSanitizer does not take hand-overs of the baton, and accesses to the
// kernel's own state, for synchronisation. It reports a data race between two
// participants although they never run at the same time.
//
// Time is virtual.
// - While a participant runs, the clock stands still.
// - When all participants are blocked in calls, the clock jumps to the next
//   event: a connection's timer or a call's timeout.
// - If no event is pending, that is a deadlock. A report of which thread waits
//   for what is printed on stderr. Every call that is blocked, or would block
//   later, fails with EDEADLK.
//
// A test never hangs: other hangs are found and reported, too. See
// fakes/kernel/hangs.h. ExpectDeadlock() is for tests that provoke one.
//
// A thread that does not take part may make calls, too. It needs no baton, so
// its calls are not part of the schedule: if others take part meanwhile, the
// run cannot be replayed. While it is blocked in a call, the clock does not
// jump and no deadlock is declared.
//
// Limits:
// - Segments are lost and delayed by SetLink(), Cut() and FakeHost only. There
//   is no congestion control. Selective acknowledgements detect a loss, but the
//   receiver stores no out-of-order data: the sender retransmits everything
//   from the lost segment on.
// - Buffers count payload bytes, not the kernel's overhead.
// - Timers are exact. Linux rounds them up by at most an eighth.
// - FakeProcess lists the limits of the calls.
//
// Debug builds check the kernel's own state after each call and each timer, and
// abort with a report if it is inconsistent (fakes/kernel/invariants.h).
//
// Ownership: the kernel must outlive everything that uses its processes, and
// all Participants and Threads. Thread-safety: any method may be called from
// any thread.
class FakeKernel {
 public:
  explicit FakeKernel(const FakeKernelOptions& options = {});
  FakeKernel(const FakeKernel&) = delete;
  FakeKernel& operator=(const FakeKernel&) = delete;
  ~FakeKernel();

  // Creates a process. The kernel owns it and keeps it until the kernel is
  // destroyed.
  FakeProcess& NewProcess(const FakeProcessOptions& options = {});

  // Sets a sysctl of the machine, with name and value as in sysctl(8). Returns
  // false if the name or the value is unknown. FakeSysctls lists the names.
  bool SetSysctl(absl::string_view name, absl::string_view text);
  void AddAddress(const ip::Addr& addr);
  // Sets the loopback interface up or down. While it is down, everything sent
  // over it is lost, also of established connections, and ::1 is not a local
  // address.
  void SetLoopbackUp(bool up);
  // Gives the routes to 127.0.0.0/8 and ::1 the metric quickack (ip-route(8)):
  // data from there is acknowledged immediately, so that no time passes before
  // a peer knows that its data or its FIN has arrived. Otherwise
  // acknowledgements may wait for 40 ms, as on Linux.
  void SetQuickAckOnLoopback();
  // Makes connects to `addr` fail with `error` from now on, as routes of
  // ip-route(8) do: `unreachable` with EHOSTUNREACH, `prohibit` with EACCES,
  // `blackhole` with EINVAL.
  void AddFailingRoute(const ip::Addr& addr, int error);

  // Adds a machine with its own addresses, sysctls and ports. The kernel owns
  // it and keeps it until the kernel is destroyed. FakeProcessOptions::host
  // runs a process on it. Hosts reach each other by the addresses of
  // FakeHostOptions. The first machine needs an address for this, too
  // (FakeKernelOptions::addresses).
  FakeHost& AddHost(const FakeHostOptions& options);

  // Sets the properties of the link between two addresses from now on: delay,
  // loss and others (link_options.h). Replaces the properties that were set for
  // the same ends before. If several links match a segment, the link that was
  // set last counts. Addresses are those of the segments: an IPv6 socket that
  // uses ::ffff:127.0.0.1 sends from 127.0.0.1. Fails with kInvalidArgument,
  // with no effect, if a value is out of range.
  absl::Status SetLink(const LinkEnds& ends, const LinkOptions& options);
  // Loses all segments between two addresses from now on, and those that are
  // under way, as if a cable was pulled. Nothing reports this to the
  // connections. They detect it by the retransmission timeout (tcp_retries2,
  // TCP_USER_TIMEOUT) or by keepalive probes. With LinkEnds::both_ways false,
  // only one direction is cut: data may then arrive whose acknowledgement is
  // lost.
  void Cut(const LinkEnds& ends);
  // Ends Cut() of the same ends. Lost data is retransmitted when its sender's
  // timer expires.
  void Restore(const LinkEnds& ends);

  // Returns the virtual time since the kernel was constructed.
  absl::Duration Now() const;
  // Returns the virtual times at which timers expire, in order: those of
  // connections and those of calls' timeouts.
  std::vector<absl::Duration> Timers() const;
  // Advances the clock by `duration` and runs all timers that expire.
  void Advance(absl::Duration duration);

  // Returns a list of the sockets, one a line, in the format of ss(8).
  std::string Dump() const;

  // Returns the report of the deadlock or livelock, or nullopt if there has
  // been none. It lists the blocked threads, what each waits for, the last
  // calls of a livelock, and the sockets.
  std::optional<std::string> Deadlock() const;
  // Makes a deadlock or livelock an expected outcome of the test: it is not
  // printed, and does not fail the test. Deadlock() returns its report, if
  // there was one.
  void ExpectDeadlock();
  // Makes calls fail the test, from now on, if they change the value of an
  // option that the FakeKernel accepts but that has no effect here. The report
  // names the process, the call, the option and the reason. docs/OPTIONS.md
  // lists these options. Failures go to the hang handler (see
  // fakes/kernel/hangs.h).
  void StrictOptions();
  // Changes HangLimits::real_time.
  void SetStallLimit(absl::Duration real_time);

  // Runs `body` while the calling participant is without the baton, so that
  // other participants run at the same time. The caller counts as running, so
  // the clock does not jump. Use this to wait for events outside of the kernel.
  // The run can then not be replayed (NotReplayable()). Calls of the kernel in
  // `body` count as those of a thread that does not take part. If the calling
  // thread does not take part, this only calls `body`.
  void Outside(absl::FunctionRef<void()> body);

  // Returns the interleaving of the participants until now, as text for
  // ScheduleOptions::replay (see fakes/schedule/schedule.h).
  std::string Schedule() const;
  // Returns why another run with the same schedule may differ from this one:
  // Outside() was called, or a thread that does not take part made calls while
  // others took part. Empty if there is no such reason.
  std::string NotReplayable() const;

  // Returns the number of the calling participant in schedules, or -1 if the
  // calling thread does not take part.
  int CurrentParticipant() const;
  // Returns the names of all participants until now, by number.
  std::vector<std::string> ParticipantNames() const;

  class Participant;
  class Thread;

 private:
  friend class FakeProcess;
  // See run_tasks.h.
  friend absl::Status RunTasks(FakeKernel& kernel,
                               const std::vector<Task>& tasks);
  friend absl::Status RunTasks(FakeKernel& kernel, uint64_t seed,
                               const std::vector<Task>& tasks);
  class Presence;
  class TaskGroup;

  FakeProcess& Adopt(std::unique_ptr<FakeProcess> process);

  const std::unique_ptr<fake::Kernel> kernel_;
  std::vector<std::unique_ptr<FakeHost>> hosts_;
  std::vector<std::unique_ptr<FakeProcess>> processes_;
};

// A machine that FakeKernel::AddHost() has added.
//
//   FakeHost& phone = kernel.AddHost({.name = "phone", .addresses = {kPhone}});
//   FakeProcess& client = kernel.NewProcess({.host = &phone});
//   ...
//   phone.PowerOff();  // Its peers receive no FIN and no reset.
//
// Thread-safety: any method may be called from any thread.
class FakeHost {
 public:
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;
  ~FakeHost() = default;

  const std::string& name() const;

  // Makes the machine neither send nor receive anything from now on, as after a
  // loss of power or of the network. Its peers receive neither a FIN nor a
  // reset. Its processes can still make calls, as if only the cable had been
  // pulled.
  void PowerOff();
  // Starts the machine again, without any connection. The connections of its
  // processes are closed without sending a segment, and segments of its old
  // peers are answered by a reset. Listeners stay. Does nothing if the machine
  // is on.
  void PowerOn();

  // Same as in FakeKernel, for this machine.
  bool SetSysctl(absl::string_view name, absl::string_view text);
  void AddAddress(const ip::Addr& addr);

 private:
  friend class FakeKernel;

  FakeHost(fake::Kernel& kernel, fake::Host& host)
      : kernel_(kernel), host_(host) {}

  fake::Kernel& kernel_;
  fake::Host& host_;
};

// Makes the calling thread take part, from construction to destruction. The
// constructor waits for the baton. Destroy the object in the same thread.
class FakeKernel::Participant {
 public:
  explicit Participant(FakeKernel& kernel, absl::string_view name = "main");
  Participant(const Participant&) = delete;
  Participant& operator=(const Participant&) = delete;
  ~Participant();

  // Interrupts the call in which the participant is blocked, like a signal
  // whose handler was installed with (`restart`) or without SA_RESTART
  // (signal(7)). Returns false, with no effect, if the participant is not
  // blocked. May be called from any thread.
  bool Interrupt(bool restart = false);

 private:
  friend class Thread;

  FakeKernel& kernel_;
  fake::ParticipantState* const state_;
};

// A thread that takes part from the construction on. Its body begins when it
// gets the baton: not before the constructing participant blocks.
class FakeKernel::Thread {
 public:
  Thread(FakeKernel& kernel, absl::string_view name,
         std::function<void()> body);
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  // Calls Join().
  ~Thread();

  // Blocks until `body` has returned. If the caller takes part, it waits in
  // virtual time, as in a system call. Fails the test if a deadlock or livelock
  // ended a call of the thread (see fakes/kernel/hangs.h), unless it is
  // expected.
  void Join();

  // Blocks until `body` is blocked in a call (returns true) or has returned
  // (returns false). If the caller takes part, it hands the baton to this
  // thread first, and is the first to get it back. The clock stands still
  // meanwhile.
  bool AwaitBlocked();

  // Same as Participant::Interrupt().
  bool Interrupt(bool restart = false);

 private:
  FakeKernel& kernel_;
  fake::ParticipantState* const state_;
  std::thread thread_;
};

}  // namespace net

#endif  // FAKES_FAKE_KERNEL_H_
