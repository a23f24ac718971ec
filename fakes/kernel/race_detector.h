#ifndef FAKES_KERNEL_RACE_DETECTOR_H_
#define FAKES_KERNEL_RACE_DETECTOR_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"

#if defined(__SANITIZE_THREAD__)
#define NET_FAKE_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NET_FAKE_THREAD_SANITIZER 1
#endif
#endif

// Decides what ThreadSanitizer sees of the kernel.
//
// For ThreadSanitizer, a lock that two threads take in turn orders them. Each
// call takes the kernel's mutex, and the baton passes between any two
// participants. ThreadSanitizer would therefore report no race between them,
// although Linux's system calls do not order threads in this way. So the kernel
// hides its work: ThreadSanitizer ignores both the accesses to memory and the
// synchronisation in the scope of a HiddenFromRaceDetector.
//
// The kernel shows what orders threads on Linux as well:
// - data and connections that pass from one thread to another (ShowRelease,
//   ShowAcquire);
// - the accesses of calls to the caller's buffers (ShowRead, ShowWrite).
//
// Without ThreadSanitizer all of this is empty.

#ifdef NET_FAKE_THREAD_SANITIZER

// Of ThreadSanitizer's run-time (gcc and clang).
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
void AnnotateIgnoreSyncBegin(const char* file, int line);
void AnnotateIgnoreSyncEnd(const char* file, int line);
// NOLINTBEGIN(bugprone-reserved-identifier): the run-time's names
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void __tsan_read_range(void* address, unsigned long size);
void __tsan_write_range(void* address, unsigned long size);
// NOLINTEND(bugprone-reserved-identifier)
}

namespace net::fake {

// A section of code that ThreadSanitizer does not see. Sections may be nested.
// (Abseil's headers declare the run-time's functions as those of a lock.)
class HiddenFromRaceDetector {
 public:
  HiddenFromRaceDetector() { Begin(); }
  HiddenFromRaceDetector(const HiddenFromRaceDetector&) = delete;
  HiddenFromRaceDetector& operator=(const HiddenFromRaceDetector&) = delete;
  ~HiddenFromRaceDetector() { End(); }

  static void Begin() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    ++depth_;
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
  }
  static void End() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    --depth_;
  }

  // Calls `show` so that ThreadSanitizer sees it.
  template <typename Show>
  static void Reveal(Show show) {
    const int depth = depth_;
    for (int i = 0; i < depth; ++i) End();
    show();
    for (int i = 0; i < depth; ++i) Begin();
  }

 private:
  static inline thread_local int depth_ = 0;
};

// ThreadSanitizer sees these also in a HiddenFromRaceDetector.
inline void ShowRelease(const void* object) {
  HiddenFromRaceDetector::Reveal(
      [=] { __tsan_release(const_cast<void*>(object)); });
}
inline void ShowAcquire(const void* object) {
  HiddenFromRaceDetector::Reveal(
      [=] { __tsan_acquire(const_cast<void*>(object)); });
}
inline void ShowRead(const void* user, size_t size) {
  HiddenFromRaceDetector::Reveal(
      [=] { __tsan_read_range(const_cast<void*>(user), size); });
}
inline void ShowWrite(const void* user, size_t size) {
  HiddenFromRaceDetector::Reveal(
      [=] { __tsan_write_range(const_cast<void*>(user), size); });
}

}  // namespace net::fake

#else

namespace net::fake {

class HiddenFromRaceDetector {
 public:
  HiddenFromRaceDetector() {}  // NOLINT(modernize-use-equals-default): unused
  HiddenFromRaceDetector(const HiddenFromRaceDetector&) = delete;
  HiddenFromRaceDetector& operator=(const HiddenFromRaceDetector&) = delete;
  ~HiddenFromRaceDetector() {}  // NOLINT(modernize-use-equals-default): unused
};

inline void ShowRelease(const void* /*object*/) {}
inline void ShowAcquire(const void* /*object*/) {}
inline void ShowRead(const void* /*user*/, size_t /*size*/) {}
inline void ShowWrite(const void* /*user*/, size_t /*size*/) {}

}  // namespace net::fake

#endif  // NET_FAKE_THREAD_SANITIZER

#endif  // FAKES_KERNEL_RACE_DETECTOR_H_
