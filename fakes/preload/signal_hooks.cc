#include <pthread.h>
#include <sys/types.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "absl/functional/function_ref.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/preload/linux_process.h"
#include "fakes/preload/signals.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"

// The handlers of signals, and the signals that the program sends.

NET_NEXT_FUNCTION(sigaction)
NET_NEXT_FUNCTION(kill)
NET_NEXT_FUNCTION(killpg)
NET_NEXT_FUNCTION(tgkill)
NET_NEXT_FUNCTION(sigqueue)
NET_NEXT_FUNCTION(pthread_kill)
NET_NEXT_FUNCTION(pthread_sigqueue)

extern "C" sighandler_t SysvSignalHook(
    int signal, sighandler_t handler) __asm__("__sysv_signal");

namespace net::preload {
namespace {

using fake::KernelSection;
using fake::ParticipantState;

constexpr size_t kSignals = 65;  // Signal numbers are below.

uint64_t BitOf(int signal) {
  return uint64_t{1} << static_cast<unsigned>(signal - 1);
}

// The kernel's part of a set, in which bit 0 stands for signal 1.
uint64_t BitsOf(const sigset_t& set) {
  uint64_t bits = 0;
  std::memcpy(&bits, &set, sizeof(bits));
  return bits;
}
void SetBits(sigset_t& set, uint64_t bits) {
  std::memcpy(&set, &bits, sizeof(bits));
}

// What the program has passed to sigaction(2). Written while the writer's
// signals are blocked.
std::array<struct sigaction, kSignals> actions;

// The signals whose handlers are to run later, of a thread. Until then they are
// blocked, as a handler's own signal is, so each arrives once.
struct Deferred {
  uint64_t signals = 0;
  uint64_t blocked = 0;  // Those that were not blocked before.
  std::array<siginfo_t, kSignals> infos = {};
};
constinit thread_local Deferred deferred;

bool HasFunction(const struct sigaction& action) {
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

void CallHandler(const struct sigaction& action, int signal, siginfo_t* info,
                 void* context) {
  if ((action.sa_flags & SA_SIGINFO) != 0) {
    action.sa_sigaction(signal, info, context);
  } else {
    action.sa_handler(signal);
  }
}

// Calls the handlers of the deferred signals.
void RunDeferredHandlers() {
  if (internal_signals::holds > 0) return;
  const int error = errno;
  while (deferred.signals != 0) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int signal = std::countr_zero(deferred.signals) + 1;
    const uint64_t bit = BitOf(signal);
    deferred.signals &= ~bit;
    fake::internal_kernel_section::has_deferred = deferred.signals != 0;
    fake::EndInterruption();
    const struct sigaction action = actions[static_cast<size_t>(signal)];
    siginfo_t info = deferred.infos[static_cast<size_t>(signal)];
    const bool was_blocked = (deferred.blocked & bit) == 0;
    deferred.blocked &= ~bit;
    const uint64_t after = BitsOf(before) & ~(was_blocked ? 0 : bit);
    const uint64_t own = (action.sa_flags & SA_NODEFER) != 0 ? 0 : bit;
    sigset_t during = before;
    SetBits(during, after | BitsOf(action.sa_mask) | own);
    SetBits(before, after);
    ucontext_t context;
    getcontext(&context);
    pthread_sigmask(SIG_SETMASK, &during, nullptr);
    CallHandler(action, signal, &info, &context);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  errno = error;
}

// The handler that Linux calls.
void OnSignal(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  const struct sigaction action = actions[static_cast<size_t>(signal)];
  const bool restarts = (action.sa_flags & SA_RESTART) != 0;
  const bool defers = KernelSection::entered() || internal_signals::holds > 0;
  ++signal_counts.arrived;
  if (!restarts) ++signal_counts.interrupting;
  if (defers) {
    const uint64_t bit = BitOf(signal);
    deferred.infos[static_cast<size_t>(signal)] = *info;
    deferred.signals |= bit;
    // Linux sets this mask when the function returns.
    sigset_t& mask = static_cast<ucontext_t*>(context)->uc_sigmask;
    if ((BitsOf(mask) & bit) == 0) deferred.blocked |= bit;
    SetBits(mask, BitsOf(mask) | bit);
    fake::internal_kernel_section::has_deferred = true;
  }
  fake::NoteSignal(signal, defers, restarts);
  if (!defers) CallHandler(action, signal, info, context);
  errno = error;
}

// Signals that the thread causes itself, in the middle of an instruction: their
// handlers cannot run later.
bool IsOfInstruction(int signal) {
  constexpr int kSynchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL,
                                  SIGTRAP, SIGSYS, SIGABRT};
  return std::find(std::begin(kSynchronous), std::end(kSynchronous), signal) !=
         std::end(kSynchronous);
}

// Returns what sigaction(2) shows the program.
struct sigaction Shown(int signal, const struct sigaction& native) {
  if (native.sa_sigaction != &OnSignal) return native;
  struct sigaction shown = actions[static_cast<size_t>(signal)];
  shown.sa_restorer = native.sa_restorer;
  return shown;
}

int SetAction(int signal, const struct sigaction* action,
              struct sigaction* old_action) {
  struct sigaction native = {};
  const bool has_function = action != nullptr && HasFunction(*action);
  if (action != nullptr) native = *action;
  if (has_function) {
    fake::internal_kernel_section::run_deferred = &RunDeferredHandlers;
    native.sa_sigaction = &OnSignal;
    native.sa_flags |= SA_SIGINFO;
    if (Tree() != nullptr) Tree()->ReportSignals();
  }
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  struct sigaction was = {};
  const int result = threads::next::sigaction(
      signal, action == nullptr ? nullptr : &native, &was);
  if (result == 0) {
    if (old_action != nullptr) *old_action = Shown(signal, was);
    if (has_function) actions[static_cast<size_t>(signal)] = *action;
  }
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return result;
}

sighandler_t SetHandler(int signal, sighandler_t handler, int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  struct sigaction old_action = {};
  return sigaction(signal, &action, &old_action) == 0 ? old_action.sa_handler
                                                      : SIG_ERR;
}

// The same for a thread of this process.
int SendToThread(pthread_t thread, int signal, absl::FunctionRef<int()> send) {
  ParticipantState* const self =
      IsInCharge() ? fake::CurrentParticipant() : nullptr;
  const pid_t id = self == nullptr ? 0 : fake::ThreadIdOf(*self, thread);
  return id == 0 ? send() : SendSignal(getpid(), id, signal, send);
}

}  // namespace

int SendSignal(pid_t pid, pid_t thread, int signal,
               absl::FunctionRef<int()> send) {
  ParticipantState* const self =
      IsInCharge() ? fake::CurrentParticipant() : nullptr;
  if (self == nullptr || signal <= 0 ||
      static_cast<size_t>(signal) >= kSignals) {
    return send();
  }
  if (Tree() != nullptr) {
    Tree()->ExpectSignal(pid, thread, signal);
    const int result = send();
    const int error = errno;
    Tree()->AwaitSignal();
    errno = error;
    return result;
  }
  bool waits = false;
  {
    const KernelSection section;
    const bool is_own = pid == getpid() || pid == 0 || pid == -getpgrp();
    waits =
        is_own && EffectOf(signal, getpid(), thread) == SignalEffect::kHandler;
  }
  const uint32_t seen = fake::SignalCount();
  const int result = send();
  const int error = errno;
  if (result == 0 && waits) fake::AwaitSignal(*self, seen);
  errno = error;
  return result;
}

}  // namespace net::preload

using net::preload::IsInCharge;
using net::preload::SendSignal;
using net::preload::SendToThread;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int sigaction(int signal, const struct sigaction* action,
              struct sigaction* old_action) noexcept {
  if (!IsInCharge() || signal <= 0 ||
      static_cast<size_t>(signal) >= net::preload::kSignals ||
      net::preload::IsOfInstruction(signal)) {
    return next::sigaction(signal, action, old_action);
  }
  return net::preload::SetAction(signal, action, old_action);
}

// As in BSD.
sighandler_t signal(int signal, sighandler_t handler) noexcept {
  return net::preload::SetHandler(signal, handler, SA_RESTART);
}

int siginterrupt(int signal, int interrupts) noexcept {
  struct sigaction action = {};
  if (sigaction(signal, nullptr, &action) != 0) return -1;
  action.sa_flags = interrupts != 0 ? action.sa_flags & ~SA_RESTART
                                    : action.sa_flags | SA_RESTART;
  return sigaction(signal, &action, nullptr);
}

int kill(pid_t pid, int signal) noexcept {
  return SendSignal(pid, 0, signal, [&] { return next::kill(pid, signal); });
}

int killpg(pid_t group, int signal) noexcept {
  return SendSignal(-group, 0, signal,
                    [&] { return next::killpg(group, signal); });
}

int tgkill(pid_t pid, pid_t thread, int signal) {
  return SendSignal(pid, thread, signal,
                    [&] { return next::tgkill(pid, thread, signal); });
}

int sigqueue(pid_t pid, int signal, const sigval value) noexcept {
  return SendSignal(pid, 0, signal,
                    [&] { return next::sigqueue(pid, signal, value); });
}

int pthread_kill(pthread_t thread, int signal) noexcept {
  return SendToThread(thread, signal,
                      [&] { return next::pthread_kill(thread, signal); });
}

int pthread_sigqueue(pthread_t thread, int signal,
                     const sigval value) noexcept {
  return SendToThread(thread, signal, [&] {
    return next::pthread_sigqueue(thread, signal, value);
  });
}

}  // extern "C"

// As in System V.
sighandler_t SysvSignalHook(int signal, sighandler_t handler) {
  constexpr unsigned kFlags = unsigned{SA_RESETHAND} | unsigned{SA_NODEFER};
  return net::preload::SetHandler(signal, handler, static_cast<int>(kFlags));
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
