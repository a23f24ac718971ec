#ifndef FAKES_PRELOAD_NATIVE_DESCRIPTORS_H_
#define FAKES_PRELOAD_NATIVE_DESCRIPTORS_H_

#include <cstdint>

#include "syscalls/sys_result.h"

namespace net::preload {

enum class Kind : uint8_t {
  kNative,  // It belongs to Linux alone.
  kSocket,  // Its placeholder is a Unix socket.
  // An end of socketpair(2). Its placeholder is an end of a pair, which carries
  // the placeholders of files that the program passes (rights.h).
  kPair,
  kCounter,  // An eventfd(2). Its placeholder is an eventfd, too.
  kTimer,    // A timerfd. Its placeholder is one, too.
  // Its placeholder is an epoll, too. Native descriptors are added to the
  // placeholder (readiness_hooks.cc).
  kEpoll,
  kPipe,      // An end of a pipe. Its placeholder is one, too.
  kForeign,   // It belongs to the FakeKernel of a parent process.
  kInternal,  // A connection to the server of a shared FakeKernel.
};

inline bool IsSocket(Kind kind) {
  return kind == Kind::kSocket || kind == Kind::kPair;
}

// A placeholder that is to be made.
struct PlaceholderSpec {
  // Of a new one: kSocket, kCounter, kTimer or kEpoll.
  Kind kind = Kind::kSocket;
  bool close_on_exec = false;
  // If it is not -1, the placeholder is a duplicate of this descriptor and has
  // its kind. It gets the lowest free number from `lowest` on.
  int original = -1;
  int64_t lowest = 0;
};

// The native descriptors of the program, as its FakeKernel uses them: in the
// same process, or in the process of a client.
class NativeDescriptors {
 public:
  // Makes a placeholder and returns its number, or an errno.
  virtual SysResult Make(const PlaceholderSpec& spec) = 0;
  // Makes the two placeholders of a pipe(2). `flags` can have O_CLOEXEC.
  virtual SysResult MakePipe(int* fds, int flags) = 0;
  // Closes a placeholder.
  virtual void Close(int fd) = 0;
  // Makes `new_fd` a placeholder of the kind of `old_fd` (dup3(2)).
  virtual void Duplicate(int old_fd, int new_fd, int flags) = 0;

 protected:
  NativeDescriptors() = default;
  NativeDescriptors(const NativeDescriptors&) = default;
  NativeDescriptors& operator=(const NativeDescriptors&) = default;
  ~NativeDescriptors() = default;
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_NATIVE_DESCRIPTORS_H_
