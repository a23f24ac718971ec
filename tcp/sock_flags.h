#ifndef TCP_SOCK_FLAGS_H_
#define TCP_SOCK_FLAGS_H_

#include "syscalls/require_cxx20.h"

namespace net {

// How a new descriptor is to be. The kernel sets the flags in the call that
// makes the descriptor (socket(2), accept4(2)), so that no other thread's
// fork(2) or exec(2) comes in between. Or-ed with operator|.
enum class SockFlags : unsigned {
  kNone = 0,
  // O_NONBLOCK: no call on the socket waits, they fail with EAGAIN or
  // EINPROGRESS instead.
  kNonblock = 1,
  // Leaves FD_CLOEXEC off, so that the descriptor stays open in programs that
  // this one execs. It is on unless this flag is given.
  kNoCloexec = 2,
};

constexpr SockFlags operator|(SockFlags a, SockFlags b) {
  return static_cast<SockFlags>(static_cast<unsigned>(a) |
                                static_cast<unsigned>(b));
}

constexpr SockFlags operator&(SockFlags a, SockFlags b) {
  return static_cast<SockFlags>(static_cast<unsigned>(a) &
                                static_cast<unsigned>(b));
}

constexpr SockFlags operator~(SockFlags a) {
  return static_cast<SockFlags>(~static_cast<unsigned>(a));
}

}  // namespace net

#endif  // TCP_SOCK_FLAGS_H_
