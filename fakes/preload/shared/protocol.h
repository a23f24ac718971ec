#ifndef FAKES_PRELOAD_SHARED_PROTOCOL_H_
#define FAKES_PRELOAD_SHARED_PROTOCOL_H_

#include <cstdint>

#include "fakes/kernel/clock.h"

// The protocol between a process on a shared FakeKernel (the client) and the
// server that holds it.
//
// Each thread of each process has a connection to the server, and a thread of
// its own in the server: its proxy. The proxy is the participant. It makes the
// calls of its thread on the thread's FakeProcess. While the thread computes,
// its proxy holds the baton and waits for the next request. So of all processes
// together, exactly one thread runs.
//
// A connection begins with a Hello and its kGo, which comes when the proxy has
// the baton. Then the client sends requests: a Prologue, and what stands beside
// the request's type. It waits for the kReply of each, which begins with an
// Epilogue, except of those that are marked as having none. During a kCall the
// server can send kMakePlaceholder and the like, each of which has a kDone.
// Between a kRunHandlers and its kDone, the client can send requests: those of
// the handlers.
//
// A process whose signals have handlers has one more connection, for its
// SignalReports.
//
// A process has ended when Linux says so (pidfd_open(2)), whatever it has done
// before: a crash and SIGKILL are ends like others. Until then, the end of a
// connection is a thread's end or execve(2).

namespace net::preload {

// What a new connection is for.
enum class Role : uint32_t {
  kProgram,  // The first thread of a program that has been executed.
  // The thread with the announced `number`: one of the process, or the first of
  // a child of fork(2).
  kThread,
  kOutsider,  // A thread that does not take part.
  kSignals,   // SignalReports, without replies.
};

struct Hello {
  Role role = Role::kOutsider;
  int32_t number = 0;
  int32_t thread = 0;  // gettid(2).
  char name[16] = {};  // Of the program (program_invocation_short_name).
};

// Client to server. The comment shows what comes after the Prologue, and after
// the Epilogue of the reply.
enum class Request : uint32_t {
  kCall,         // See call_codec.h.
  kEnter,        // name: EnterCall()                      : -
  kYield,        // -                                      : bool
  kBlock,        // seq, deadline, object, name            : Woken
  kChoose,       // count, numbers                         : index
  kAwaitIdle,    // real time limit                        : activity
  kGoOutside,    // -                                      : -
  kComeBack,     // -                                      : -
  kNow,          // -                                      : -
  kNextTimer,    // -                                      : Nanoseconds
  kWake,         // -: for the wake-ups of the Prologue    : -
  kAddThread,    // name                                   : number
  kThreadEnds,   // -                                      no reply
  kCancel,       // number of a thread that cannot begin   no reply
  kAnnounce,     // -                                      : number
  kReport,       // number, pid                            no reply
  kAwaitChild,   // pid, seen                              : ChildWait, seen
  kDescriptors,  // -                                      : count, numbers
  // ProcessTree::ExpectSignal() and AwaitSignal().
  kExpectSignal,  // pid, thread, signal                   : -
  kAwaitSignal,   // -                                     : -
  // ProcessTree::KeepAlarm() and TakeAlarm().
  kKeepAlarm,  // AlarmTimer                               : -
  kTakeAlarm,  // -                                        : AlarmTimer
  // Those of Transit.
  kPosition,  // fd                                        : Transit::Position
  kHold,      // fd, inode                                 : number
  kFind,      // inode                                     : number
  kInstall,   // number, fd, whether it closes on exec     : -
  kDiscard,   // number                                    : -
};

// Server to client.
enum class Answer : uint32_t {
  kGo,
  kReply,
  // During a call: NativeDescriptors.
  kMakePlaceholder,  // PlaceholderSpec             kDone: SysResult
  kClose,            // fd                          kDone: -
  kDuplicate,        // old_fd, new_fd, flags       kDone: -
  // During a call that goes on after a signal.
  kRunHandlers,  // -                           kDone: -
};
inline constexpr uint32_t kDone = 1000;  // Client to server.

// What the client has done since its last request without asking the server.
struct Prologue {
  int32_t calls = 0;       // Those of EnterCall() within its quota.
  bool is_active = false;  // NoteActivity().
  // Wake-ups, which follow: the waiter's number and the wait's sequence number.
  int32_t wakeups = 0;
};
struct Wakeup {
  int32_t number;
  uint64_t wait;
};

// A signal with a handler, in the order of arrival.
struct SignalReport {
  int32_t signal = 0;
  int32_t number = 0;  // The thread's among the participants; -1: none.
  // The request that it interrupts, counted from 1 over all of the connection,
  // or 0.
  uint64_t request = 0;
  bool restarts = false;
};

struct Epilogue {
  fake::Nanoseconds now = 0;
  int32_t calls_left = 0;  // ParticipantState::calls_left.
  bool has_deadlock = false;
  bool raises_sigpipe = false;
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_SHARED_PROTOCOL_H_
