#ifndef FAKES_KERNEL_PARTICIPANT_H_
#define FAKES_KERNEL_PARTICIPANT_H_

#include <pthread.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/wait_queue.h"

// The interface of participants for code outside of the kernel that blocks
// threads by other objects than sockets: the models of locks in
// //fakes:thread_hooks.
//
// These functions take the kernel's mutex themselves and leave errno alone.
//
// They are for a FakeKernel in the same process, until the process sets its
// RemoteParticipants.

namespace net::fake {

// Returns the calling thread's participant: of the kernel that it joined last.
// Null if the thread does not take part, runs outside (FakeKernel::Outside()),
// or executes the kernel's own code.
ParticipantState* CurrentParticipant();

// One wait of a participant for an object that the kernel does not know. Lives
// on the stack of its thread.
class ObjectWait {
 public:
  // `self` is the calling thread's. `call` must outlive the wait.
  //
  // The deadlock report says "waits in CALL of OBJECT, held by NAME". `holder`
  // returns the thread ID (gettid(2)) of the thread that holds the object, or 0
  // if it has no holder. It is called under the kernel's mutex.
  ObjectWait(ParticipantState& self, absl::string_view call,
             const void* object = nullptr,
             pid_t (*holder)(const void* object) = nullptr,
             Nanoseconds deadline = kForever);
  ObjectWait(const ObjectWait&) = delete;
  ObjectWait& operator=(const ObjectWait&) = delete;
  ~ObjectWait() = default;

  // Hands the baton on until Wake() is called, the deadline has come, the
  // participant is interrupted, or no event is left (kDeadlock). A Wake() since
  // the construction, or since Block() last returned kEvent, counts.
  Woken Block();

  // Ends the wait. May be called from any thread.
  void Wake();

  ParticipantState& participant() const { return self_; }

 private:
  ParticipantState& self_;
  const CallSite site_;
  const Nanoseconds deadline_;
  bool woken_ = false;  // Guarded by the kernel's mutex.
};

// `self` is the calling thread's participant in all of these.

// Counts a call towards the limit for livelocks, and adds it to the last calls
// in reports. `call` is a literal.
void CountCall(ParticipantState& self, const char* call);
// Does the same. May hand the baton on first, as at the entry of a system call.
void EnterCall(ParticipantState& self, const char* call);
// Hands the baton on. Returns false if no other participant can run.
bool YieldBaton(ParticipantState& self);
// Runs `body` without the baton: see FakeKernel::Outside().
void RunOutside(ParticipantState& self, absl::FunctionRef<void()> body);
// Waits until all other participants wait, without letting time pass; but not
// longer than `limit` of real time. Returns whether another one may have run
// since the last call for which `seen` is the same variable, which is 0 at
// first.
bool AwaitIdle(ParticipantState& self, absl::Duration limit, uint64_t& seen);
// A wait by AwaitIdle() has ended with a result: the caller goes on.
void NoteActivity(ParticipantState& self);
// Returns whether a deadlock was declared. If so, waits fail at once.
bool HasDeadlock(ParticipantState& self);
// Returns the virtual time.
Nanoseconds VirtualTime(ParticipantState& self);
// Chooses one of `waiters` by their kernel's schedule. Returns its index.
// Requires at least one waiter.
size_t ChooseWaiter(absl::Span<ParticipantState* const> waiters);

// Threads that a participant creates, and that take part from the start.
//
// Registers a participant of the same kernel. It can run from now on, and its
// thread must call BeginParticipant().
ParticipantState& AddParticipant(ParticipantState& self,
                                 absl::string_view name);
// Records the pthread_t of an added participant, so that `self` can join it
// before it has begun. Called when pthread_create(3) has returned it.
void NameThread(ParticipantState& self, ParticipantState& added,
                pthread_t thread);
// Waits for the baton. Called in the new thread.
void BeginParticipant(ParticipantState& added);
// Ends the participant. Called in the new thread at its end; or instead of
// BeginParticipant(), if the thread could not be created.
void EndParticipant(ParticipantState& added);
// Makes the calling thread take part in no kernel. Called in the child of
// fork(2), whose only thread is the calling one.
void LeaveAfterFork();

// Returns whether the thread takes part in the same kernel.
bool TakesPart(ParticipantState& self, pid_t thread_id);

// A thread that a participant joins.
enum class Joined : unsigned char {
  kOutsider,  // It has never taken part.
  kEnded,     // It no longer takes part.
  kTimeout,
  kDeadlock,
};
// Waits in virtual time until `thread` no longer takes part.
Joined AwaitEnd(ParticipantState& self, pthread_t thread,
                absl::string_view call, Nanoseconds deadline);
// Forgets a pthread_t. Called after pthread_join(3), because a new thread can
// have the same pthread_t.
void ForgetThread(ParticipantState& self, pthread_t thread);

// Signals, whose handlers run after KernelSections.
//
// Called by a signal handler in the thread that the signal has interrupted. If
// the thread is in a section, `interrupts`: ends the wait in which it is, or
// the next one of the section, as a signal with or without SA_RESTART does.
void NoteSignal(int signal, bool interrupts, bool restarts);
// Called before the deferred handlers run: the next wait is not interrupted.
void EndInterruption();
// Returns how often NoteSignal() was called in this process.
uint32_t SignalCount();
// Waits in real time until a signal has arrived that was sent to this process
// when SignalCount() was `seen`, and interrupts the thread that got it.
void AwaitSignal(ParticipantState& self, uint32_t seen);

// Returns the thread ID (gettid(2)) of a thread that takes part, or 0.
pid_t ThreadIdOf(ParticipantState& self, pthread_t thread);

// The participants of a FakeKernel in another process: what the functions above
// do there. `woken` is the state of an ObjectWait.
class RemoteParticipants {
 public:
  virtual ParticipantState* Current() = 0;
  virtual Woken Block(ParticipantState& self, const CallSite& site,
                      Nanoseconds deadline, bool& woken) = 0;
  virtual void Wake(ParticipantState& self, bool& woken) = 0;
  virtual void Enter(ParticipantState& self, const char* call) = 0;
  virtual bool Yield() = 0;
  virtual void Outside(ParticipantState& self,
                       absl::FunctionRef<void()> body) = 0;
  virtual uint64_t AwaitIdle(absl::Duration limit) = 0;
  virtual void NoteActivity(ParticipantState& self) = 0;
  virtual bool HasDeadlock() = 0;
  virtual Nanoseconds Now(ParticipantState& self) = 0;
  virtual size_t Choose(absl::Span<ParticipantState* const> waiters) = 0;
  virtual ParticipantState& Add(absl::string_view name) = 0;
  virtual void Name(ParticipantState& added, pthread_t thread) = 0;
  virtual void Begin(ParticipantState& added) = 0;
  virtual void End(ParticipantState& added) = 0;
  virtual bool TakesPart(pid_t thread_id) = 0;
  virtual Joined AwaitEnd(ParticipantState& self, pthread_t thread,
                          absl::string_view call, Nanoseconds deadline) = 0;
  virtual void Forget(pthread_t thread) = 0;
  virtual void NoteSignal(int signal, bool interrupts, bool restarts) = 0;
  virtual void EndInterruption() = 0;
  virtual pid_t ThreadIdOf(pthread_t thread) = 0;

 protected:
  RemoteParticipants() = default;
  RemoteParticipants(const RemoteParticipants&) = default;
  RemoteParticipants& operator=(const RemoteParticipants&) = default;
  ~RemoteParticipants() = default;
};

// Makes the functions above those of `participants`. Called while the process
// has one thread.
void UseRemoteParticipants(RemoteParticipants& participants);

}  // namespace net::fake

#endif  // FAKES_KERNEL_PARTICIPANT_H_
