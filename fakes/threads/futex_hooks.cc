#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <optional>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/waiting.h"
#include "fakes/threads/next.h"
#include "fakes/threads/raw_syscalls.h"
#include "fakes/threads/virtual_time.h"
#include "fakes/threads/waiter.h"

// syscall(2) with all the arguments that a system call can have, pointers where
// futex(2) has them. The C library reads as many, whatever the caller passed,
// and so does the hook: reading a register that holds no argument is harmless.
using SyscallFunction = intptr_t(intptr_t number, void* a, intptr_t b,
                                 intptr_t c, const void* d, void* e,
                                 intptr_t f);
extern "C" SyscallFunction SyscallHook __asm__("syscall");

namespace net::threads {
namespace {

using fake::Nanoseconds;
using fake::ParticipantState;
using fake::Woken;

constinit Next next_syscall(static_cast<SyscallFunction*>(nullptr), "syscall");

// The arguments of futex(2).
struct Futex {
  uint32_t* word;
  int operation;
  uint32_t value;
  const void* timeout;  // Or value2, a number.
  void* word2;
  intptr_t value3;

  int command() const { return operation & FUTEX_CMD_MASK; }
  uint32_t bits() const {
    return command() == FUTEX_WAIT_BITSET || command() == FUTEX_WAKE_BITSET
               ? static_cast<uint32_t>(value3)
               : ~0U;
  }
};

intptr_t CallKernel(const Futex& futex) {
  return next_syscall(SYS_futex, futex.word, futex.operation,
                      static_cast<intptr_t>(futex.value), futex.timeout,
                      futex.word2, futex.value3);
}

intptr_t FailWith(int error) {
  errno = error;
  return -1;
}

// Returns the deadline of a wait; nullopt if the timeout is not valid.
std::optional<Nanoseconds> DeadlineOf(ParticipantState& self,
                                      const Futex& futex) {
  const auto* const timeout = static_cast<const timespec*>(futex.timeout);
  if (timeout == nullptr) return fake::kForever;
  if (timeout->tv_sec < 0) return std::nullopt;
  if (futex.command() == FUTEX_WAIT_BITSET) {
    const bool real = (futex.operation & FUTEX_CLOCK_REALTIME) != 0;
    return ToDeadline(real ? CLOCK_REALTIME : CLOCK_MONOTONIC, *timeout);
  }
  const std::optional<Nanoseconds> duration = ToDuration(*timeout);
  if (!duration.has_value()) return std::nullopt;
  return AfterNow(self, *duration);
}

// Asks the kernel whether a wait would block now: it checks the arguments and
// compares the word. Returns EBUSY if the wait would block, or its error.
int TryWait(const Futex& futex) {
  const timespec zero = {};
  Futex now = futex;
  now.operation = FUTEX_WAIT | (futex.operation & FUTEX_PRIVATE_FLAG);
  now.timeout = &zero;
  if (CallKernel(now) == 0) return EAGAIN;  // Woken at once.
  return errno == ETIMEDOUT ? EBUSY : errno;
}

intptr_t Wait(ParticipantState& self, const Futex& futex) {
  fake::EnterCall(self, "futex");
  const int saved_errno = errno;
  const std::optional<Nanoseconds> deadline = DeadlineOf(self, futex);
  if (!deadline.has_value() || futex.bits() == 0) return FailWith(EINVAL);
  Waiter waiter({.self = self,
                 .object = futex.word,
                 .call = "futex",
                 .deadline = *deadline,
                 .bits = futex.bits()});
  const int error = TryWait(futex);
  if (error != EBUSY) return FailWith(error);
  for (;;) {
    switch (waiter.Block()) {
      case Woken::kEvent:
        errno = saved_errno;
        return 0;
      case Woken::kTimeout:
        return FailWith(ETIMEDOUT);
      case Woken::kSignal:
        return FailWith(EINTR);
      case Woken::kDeadlock:
        return FailWith(EDEADLK);
      case Woken::kRestart:
        break;
    }
  }
}

// Wakes participants first, then outsiders, `value` in all.
intptr_t WakeBoth(const Futex& futex) {
  const int count = static_cast<int>(futex.value);
  const int woken = Wake(futex.word, count, futex.bits());
  if (woken > 0 && woken >= count) return woken;
  Futex rest = futex;
  rest.value -= static_cast<uint32_t>(woken);
  const intptr_t more = CallKernel(rest);
  return more < 0 ? more : more + woken;
}

// Participants are not moved to the other word, but woken: a wait on a futex
// may end without a reason.
intptr_t Requeue(const Futex& futex) {
  const intptr_t result = CallKernel(futex);
  return result < 0 ? result : result + Wake(futex.word, kAll);
}

intptr_t WakeOp(const Futex& futex) {
  const intptr_t result = CallKernel(futex);
  if (result < 0) return result;
  return result + Wake(futex.word, static_cast<int>(futex.value)) +
         Wake(futex.word2,
              static_cast<int>(reinterpret_cast<intptr_t>(futex.timeout)));
}

intptr_t CallFutex(const Futex& futex) {
  switch (futex.command()) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
      ParticipantState* const self = fake::CurrentParticipant();
      return self == nullptr ? CallKernel(futex) : Wait(*self, futex);
    }
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
      return WakeBoth(futex);
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
      return Requeue(futex);
    case FUTEX_WAKE_OP:
      return WakeOp(futex);
    default:
      return CallKernel(futex);
  }
}

}  // namespace
}  // namespace net::threads

intptr_t SyscallHook(intptr_t number, void* a, intptr_t b, intptr_t c,
                     const void* d, void* e, intptr_t f) {
  // libuv closes descriptors so. close(2) may have a hook (fakes/preload).
  if (number == SYS_close && !net::fake::KernelSection::entered()) {
    return close(static_cast<int>(reinterpret_cast<intptr_t>(a)));
  }
  if (net::threads::on_syscall != nullptr &&
      !net::fake::KernelSection::entered()) {
    net::threads::on_syscall(number, reinterpret_cast<intptr_t>(a));
  }
  if (number != SYS_futex || net::fake::KernelSection::entered()) {
    return net::threads::next_syscall(number, a, b, c, d, e, f);
  }
  return net::threads::CallFutex({.word = static_cast<uint32_t*>(a),
                                  .operation = static_cast<int>(b),
                                  .value = static_cast<uint32_t>(c),
                                  .timeout = d,
                                  .word2 = e,
                                  .value3 = f});
}
