#ifndef FAKES_THREADS_THREAD_HOOKS_H_
#define FAKES_THREADS_THREAD_HOOKS_H_

// //fakes:thread_hooks models locks for the participants of a FakeKernel.
//
// Exactly one participant runs at a time. Without the hooks, a participant that
// waits for another one by a condition variable keeps the baton while it waits,
// and the other one never runs. With the hooks it hands the baton on, and is
// woken in an order that the kernel's schedule chooses. There is nothing to
// call: depend on the target.
//
//   cc_test(
//       name = "server_test",
//       deps = ["@net_tcp//fakes:fake_kernel", "@net_tcp//fakes:thread_hooks"],
//   )
//
// The hooks replace these functions of the C library, in the program and in all
// its libraries:
//
// - pthread_mutex_{lock,trylock,timedlock,clocklock,unlock}. Recursive and
//   error-checking mutexes keep their behaviour.
// - pthread_cond_{wait,timedwait,clockwait,signal,broadcast}
// - pthread_rwlock_*, the functions that lock and unlock
// - pthread_barrier_{init,destroy,wait}
// - pthread_join, and its forms try, timed and clock
// - pthread_once
// - sem_{wait,trywait,timedwait,clockwait,post}
// - sched_yield
// - futex(2), called by syscall(2)
// - clock_gettime, gettimeofday, time, timespec_get
// - nanosleep, clock_nanosleep, usleep, sleep
//
// The synchronisation of the C++ standard library and absl::Mutex are made of
// these, so they are modelled, too: std::mutex, std::condition_variable,
// std::shared_mutex, std::counting_semaphore, std::barrier, std::latch,
// std::future, std::call_once, std::atomic::wait, std::this_thread.
//
// For a participant:
// - Each of these functions that locks or waits counts as a call for the
//   schedule: the baton may be handed on at its entry.
// - Time-outs and sleeps are in virtual time. The clocks show the FakeKernel's
//   time, as FakeProcess::ClockGetTime() does. A time that the thread read
//   before it took part is from another clock.
// - If nothing can end a wait, the FakeKernel declares a deadlock. The report
//   names the function, the object and the holder of a mutex:
//   "server: waits in pthread_mutex_lock of 0x7f3c, held by client".
//   The function then fails with EDEADLK, so std::mutex::lock() and
//   std::thread::join() throw std::system_error. pthread_cond_wait() and its
//   timed forms throw std::system_error themselves, after they have locked the
//   mutex again: std::condition_variable ignores their errors, so a loop that
//   waits for a condition would never end.
// - Too many calls at one virtual instant, while nobody is woken, are a
//   livelock (HangLimits::hooked_calls_at_one_instant). Reads of a clock count,
//   too: a loop that reads it until time has passed would never end.
// - FakeKernel::Participant::Interrupt() ends sem_wait, futex and the sleeps
//   with EINTR. The other functions go on waiting (signal(7)).
//
// A thread that does not take part, or runs in FakeKernel::Outside(), calls the
// real functions. A participant waits for a mutex that such a thread holds, and
// for its end, as in FakeKernel::Outside(). Such a thread can wake a
// participant. A deadlock is declared even if such a thread would wake one
// later: wait for such threads in Outside().
//
// ThreadSanitizer sees the locks of the program as locks. It does not see the
// hand-over of the baton, so it reports a data race between two participants.
// It does not report lock-order inversions of participants, because the hooks
// lock with pthread_mutex_trylock(3). A schedule in which the locks meet ends
// in a reported deadlock. The ThreadSanitizer of clang 14 does not know
// pthread_mutex_clocklock(): when a participant waits with a deadline for a
// mutex of an outsider, it reports that the mutex is unlocked without having
// been locked.
//
// Limits:
// - The program is linked dynamically (not with -static) against glibc.
//   libstdc++ and libgcc may be linked statically.
// - Locks inside glibc are not modelled: those of stdio, of malloc(3) and of
//   <threads.h>. Nor are futex_waitv(2), FUTEX_LOCK_PI, and objects that are
//   shared between processes.
// - At one pthread_barrier_t, all threads are participants or none is.
// - pthread_cancel(3) does not end the wait of a participant.
// - A loop that waits without any of these functions keeps the baton.

namespace net {

// Returns whether the hooks receive the calls of the program and its libraries.
// False if another definition of the same functions precedes them.
bool ThreadHooksAreInCharge();

}  // namespace net

#endif  // FAKES_THREADS_THREAD_HOOKS_H_
