#ifndef TCP_SOCK_FLAGS_H_
#define TCP_SOCK_FLAGS_H_

#include "syscalls/require_cxx20.h"

namespace net {

// Flags of a new descriptor; combine them with operator|. socket(2) or
// accept4(2) sets them when it creates the descriptor. A fork(2) or execve(2)
// in another thread therefore never sees the descriptor without them.
enum class SockFlags : unsigned {
  kNone = 0,
  // Sets O_NONBLOCK: calls on the socket fail with EAGAIN or EINPROGRESS where
  // they would block.
  kNonblock = 1,
  // Leaves FD_CLOEXEC off, so that the descriptor stays open across execve(2).
  // Without this flag, FD_CLOEXEC is on.
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
