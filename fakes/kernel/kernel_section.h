#ifndef FAKES_KERNEL_KERNEL_SECTION_H_
#define FAKES_KERNEL_KERNEL_SECTION_H_

#include <atomic>
#include <utility>

#include "fakes/kernel/race_detector.h"

namespace net::fake {
namespace internal_kernel_section {
inline constinit thread_local int depth = 0;
// Set by a signal handler in a section, whose work is to be done after it.
inline constinit thread_local bool has_deferred = false;
// Does that work. Null: the program defers none.
using Function = void (*)();
inline constinit Function run_deferred = nullptr;
}  // namespace internal_kernel_section

// A section of the kernel's own code, which is not part of the program that is
// tested: ThreadSanitizer does not see it, its locks are not modelled
// (//fakes:thread_hooks), and the program's signal handlers run after it.
// Sections may be nested.
class KernelSection {
 public:
  KernelSection() {
    ++internal_kernel_section::depth;
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  KernelSection(const KernelSection&) = delete;
  KernelSection& operator=(const KernelSection&) = delete;
  ~KernelSection() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const bool is_last = --internal_kernel_section::depth == 0;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (is_last && internal_kernel_section::has_deferred) {
      internal_kernel_section::run_deferred();
    }
  }

  // Returns whether the calling thread is in a section.
  static bool entered() { return internal_kernel_section::depth > 0; }

  // Runs deferred signal handlers in the middle of a section.
  static void RunDeferred() {
    if (internal_kernel_section::run_deferred == nullptr) return;
    const int depth = std::exchange(internal_kernel_section::depth, 0);
    internal_kernel_section::run_deferred();
    internal_kernel_section::depth = depth;
  }

 private:
  const HiddenFromRaceDetector hidden_;
};

// A section of the kernel's own code that ThreadSanitizer sees. The hooks of
// the C library pass its calls on, as in a KernelSection. May be nested.
class UnhookedSection {
 public:
  UnhookedSection() { ++internal_kernel_section::depth; }
  UnhookedSection(const UnhookedSection&) = delete;
  UnhookedSection& operator=(const UnhookedSection&) = delete;
  ~UnhookedSection() { --internal_kernel_section::depth; }
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_KERNEL_SECTION_H_
