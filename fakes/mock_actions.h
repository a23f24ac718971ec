#ifndef FAKES_MOCK_ACTIONS_H_
#define FAKES_MOCK_ACTIONS_H_

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "fakes/sockaddr_out.h"
#include "gmock/gmock.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"

// What a mocked system call answers, and what it was given, for expectations on
// a MockSyscalls that read like a trace. The actions first.

namespace net {

// The call answers the errno `error`, and touches nothing.
inline auto Fail(int error) { return testing::Return(SysResult::Error(error)); }

// The call answers `value`, and touches nothing.
inline auto Succeed(int64_t value = 0) {
  return testing::Return(SysResult::Ok(value));
}

// getsockname, getpeername: fills in the socket address of `endpoint`, cut off
// where the caller's room ends, as Linux does (FillSockaddr()).
inline auto FillsAddr(const ip::Endpoint& endpoint) {
  return [endpoint](int /*fd*/, sockaddr* addr, socklen_t* len) {
    return FillSockaddr(endpoint, addr, len);
  };
}

// accept4: answers the descriptor `fd`, and `peer` if the caller wants it.
inline auto AcceptsFrom(const ip::Endpoint& peer, int fd) {
  return [peer, fd](int /*listener*/, sockaddr* addr, socklen_t* len,
                    int /*flags*/) {
    if (addr == nullptr) return SysResult::Ok(fd);
    const SysResult filled = FillSockaddr(peer, addr, len);
    return filled.ok() ? SysResult::Ok(fd) : filled;
  };
}

// getsockopt of an option that is an int: fills in `value`, cut off where the
// caller's room ends, and how many bytes it wrote.
inline auto FillsInt(int value) {
  return [value](int /*fd*/, int /*level*/, int /*name*/, void* out,
                 socklen_t* len) {
    *len = std::min(*len, static_cast<socklen_t>(sizeof(value)));
    std::memcpy(out, &value, *len);
    return SysResult::Ok();
  };
}

// poll: sets `revents` of the descriptors in their order, 0 for those beyond
// the arguments, and answers how many are not 0.
template <typename... Events>
auto FillsRevents(Events... revents) {
  const std::vector<int16_t> all = {static_cast<int16_t>(revents)...};
  return [all](pollfd* fds, nfds_t count, int /*timeout_ms*/) {
    int ready = 0;
    for (nfds_t i = 0; i < count; ++i) {
      fds[i].revents = i < all.size() ? all[i] : int16_t{0};
      if (fds[i].revents != 0) ++ready;
    }
    return SysResult::Ok(ready);
  };
}

// recv: fills in `data`, cut off where the caller's room ends, and answers how
// many bytes those are.
inline auto FillsData(const std::string& data) {
  return [data](int /*fd*/, void* out, size_t size, int /*flags*/) {
    const size_t filled = std::min(size, data.size());
    std::memcpy(out, data.data(), filled);
    return SysResult::Ok(static_cast<int64_t>(filled));
  };
}

// How many bytes the socket address of `endpoint` has: the third argument of
// bind and connect.
inline socklen_t SockaddrSize(const ip::Endpoint& endpoint) {
  return ip::SockAddr(endpoint).size();
}

// The matchers.

// A sockaddr* that points to the socket address of `endpoint`. It sees no
// length: match that by SockaddrSize(endpoint).
MATCHER_P(SockaddrIs, endpoint,
          (negation ? "doesn't point to the socket address of "
                    : "points to the socket address of ") +
              testing::PrintToString(endpoint)) {
  if (arg == nullptr) {
    *result_listener << "which is null";
    return false;
  }
  const socklen_t size =
      arg->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  const std::optional<ip::Endpoint> actual =
      ip::EndpointFromSockaddr(arg, size);
  if (!actual.has_value()) {
    *result_listener << "which is of family " << arg->sa_family;
    return false;
  }
  *result_listener << "which points to that of " << *actual;
  return *actual == endpoint;
}

// A const void* that points to the int `value`: setsockopt's fourth argument.
MATCHER_P(IntOption, value,
          std::string(negation ? "doesn't point to the int "
                               : "points to the int ") +
              testing::PrintToString(value)) {
  if (arg == nullptr) {
    *result_listener << "which is null";
    return false;
  }
  int actual = 0;
  std::memcpy(&actual, arg, sizeof(actual));
  *result_listener << "which points to " << actual;
  return actual == value;
}

// A pollfd* whose first entry asks for `events` of `fd`.
MATCHER_P2(PollsFor, fd, events,
           std::string(negation ? "doesn't ask" : "asks") + " for events " +
               testing::PrintToString(events) + " of descriptor " +
               testing::PrintToString(fd)) {
  if (arg == nullptr) {
    *result_listener << "which is null";
    return false;
  }
  *result_listener << "which asks for events " << arg->events
                   << " of descriptor " << arg->fd;
  return arg->fd == fd && arg->events == events;
}

// A const void* that points to the bytes of `data`: send's second argument,
// where the third is at least their number.
MATCHER_P(DataStartsWith, data,
          std::string(negation ? "doesn't point to " : "points to ") +
              testing::PrintToString(data)) {
  const std::string expected(data);
  if (arg == nullptr) {
    *result_listener << "which is null";
    return expected.empty();
  }
  return std::memcmp(arg, expected.data(), expected.size()) == 0;
}

}  // namespace net

#endif  // FAKES_MOCK_ACTIONS_H_
