#ifndef FAKES_KERNEL_KERNEL_SECTION_H_
#define FAKES_KERNEL_KERNEL_SECTION_H_

#include "fakes/kernel/race_detector.h"

namespace net::fake {
namespace internal_kernel_section {
inline constinit thread_local int depth = 0;
}  // namespace internal_kernel_section

// A section of the kernel's own code, which is not part of the program that is
// tested: ThreadSanitizer does not see it, and its locks are not modelled
// (//fakes:thread_hooks). Sections may be nested.
class KernelSection {
 public:
  KernelSection() { ++internal_kernel_section::depth; }
  KernelSection(const KernelSection&) = delete;
  KernelSection& operator=(const KernelSection&) = delete;
  ~KernelSection() { --internal_kernel_section::depth; }

  // Returns whether the calling thread is in a section.
  static bool entered() { return internal_kernel_section::depth > 0; }

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
