#ifndef FAKES_KERNEL_TCP_SOCKET_POOL_H_
#define FAKES_KERNEL_TCP_SOCKET_POOL_H_

#include <cstddef>
#include <new>

#include "absl/base/config.h"

namespace net::fake {

// The memory of sockets, which all have one size. The memory that was returned
// last is reused first, while it is in the processor's cache. malloc(3) and
// free(3) would take a twentieth of the time that a connection takes. Guarded
// by the kernel's mutex.
class SocketPool {
 public:
  SocketPool() = default;
  SocketPool(const SocketPool&) = delete;
  SocketPool& operator=(const SocketPool&) = delete;
  ~SocketPool() {
    while (free_ != nullptr) ::operator delete(TakeFree());
  }

  // Returns memory for a socket, of `size` bytes.
  void* Take(size_t size) {
    return free_ == nullptr ? ::operator new(size) : TakeFree();
  }
  void Give(void* memory) {
    if (free_count_ == kMaxFree) return ::operator delete(memory);
    free_ = new (memory) Free{free_};
    ++free_count_;
  }

 private:
  struct Free {
    Free* next;
  };

  // Memory beyond this number of sockets is freed. AddressSanitizer recognizes
  // a socket that is used after its end only if its memory is freed.
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
  static constexpr int kMaxFree = 0;
#else
  static constexpr int kMaxFree = 64;
#endif

  void* TakeFree() {
    Free* const taken = free_;
    free_ = taken->next;
    --free_count_;
    return taken;
  }

  Free* free_ = nullptr;
  int free_count_ = 0;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_SOCKET_POOL_H_
