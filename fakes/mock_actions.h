#ifndef FAKES_MOCK_ACTIONS_H_
#define FAKES_MOCK_ACTIONS_H_

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <optional>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fakes/sockaddr_out.h"
#include "fakes/symbols.h"
#include "gmock/gmock.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"

// Actions and matchers for expectations on a MockSyscalls: the result of a
// call, the memory that it fills in, and its arguments. The actions come first.

namespace net {

// Makes the call fail with the errno `error`. Writes nothing.
inline auto Fail(int error) { return testing::Return(SysResult::Error(error)); }

// Makes the call return `value`. Writes nothing.
inline auto Succeed(int64_t value = 0) {
  return testing::Return(SysResult::Ok(value));
}

// Writes the socket address of `endpoint`, truncated to the caller's buffer as
// on Linux (see FillSockaddr()). For getsockname and getpeername.
inline auto FillsAddr(const ip::Endpoint& endpoint) {
  return [endpoint](int /*fd*/, sockaddr* addr, socklen_t* len) {
    return FillSockaddr(endpoint, addr, len);
  };
}

// Returns the descriptor `fd`, and writes the address of `peer` unless the
// caller's pointer is null. For accept4.
inline auto AcceptsFrom(const ip::Endpoint& peer, int fd) {
  return [peer, fd](int /*listener*/, sockaddr* addr, socklen_t* len,
                    int /*flags*/) {
    if (addr == nullptr) return SysResult::Ok(fd);
    const SysResult filled = FillSockaddr(peer, addr, len);
    return filled.ok() ? SysResult::Ok(fd) : filled;
  };
}

// Writes `value`, truncated to the caller's buffer, and the number of bytes
// written. For getsockopt of an int option.
inline auto FillsInt(int value) {
  return [value](int /*fd*/, int /*level*/, int /*name*/, void* out,
                 socklen_t* len) {
    *len = std::min(*len, static_cast<socklen_t>(sizeof(value)));
    std::memcpy(out, &value, *len);
    return SysResult::Ok();
  };
}

// Sets `revents` of the entries in order; to 0 for entries without an argument.
// Returns the number of entries whose `revents` is not 0. For poll and ppoll.
template <typename... Events>
auto FillsRevents(Events... revents) {
  const std::vector<int16_t> all = {static_cast<int16_t>(revents)...};
  return [all](pollfd* fds, nfds_t count, const auto&... /*timeout*/) {
    int ready = 0;
    for (nfds_t i = 0; i < count; ++i) {
      fds[i].revents = i < all.size() ? all[i] : int16_t{0};
      if (fds[i].revents != 0) ++ready;
    }
    return SysResult::Ok(ready);
  };
}

// Writes `data`, truncated to the caller's buffer, and returns the number of
// bytes written. For recv and read.
inline auto FillsData(const std::string& data) {
  return [data](int /*fd*/, void* out, size_t size, const auto&... /*flags*/) {
    const size_t filled = std::min(size, data.size());
    std::memcpy(out, data.data(), filled);
    return SysResult::Ok(static_cast<int64_t>(filled));
  };
}

// The action of FillsTime().
class FillsTimeAction {
 public:
  explicit FillsTimeAction(const timespec& time) : time_(time) {}

  // clock_gettime
  SysResult operator()(clockid_t /*clock*/, timespec* time) const {
    if (time == nullptr) return SysResult::Error(EFAULT);
    *time = time_;
    return SysResult::Ok();
  }
  // nanosleep
  SysResult operator()(const timespec* /*duration*/,
                       timespec* remaining) const {
    if (remaining != nullptr) *remaining = time_;
    return SysResult::Error(EINTR);
  }

 private:
  timespec time_;
};

// Writes `time`, for clock_gettime.
//
// For nanosleep, fails with EINTR and writes `time` as the time that remains,
// unless the caller's pointer is null. (nanosleep writes nothing if it
// succeeds.)
inline FillsTimeAction FillsTime(const timespec& time) {
  return FillsTimeAction(time);
}

// Returns the size of the socket address of `endpoint`: the third argument of
// bind and connect.
inline socklen_t SockaddrSize(const ip::Endpoint& endpoint) {
  return ip::SockAddr(endpoint).size();
}

// Matchers.

// Matches a sockaddr* that points to the socket address of `endpoint`. It does
// not check the length; match that with SockaddrSize(endpoint).
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
    *result_listener << "which is of family " << DomainSymbol(arg->sa_family);
    return false;
  }
  *result_listener << "which points to the socket address of " << *actual;
  return *actual == endpoint;
}

// Matches a const void* that points to the int `value`: setsockopt's fourth
// argument.
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

// An entry of a set of poll(2).
struct PolledFor {
  int fd = -1;
  int events = 0;  // POLLIN, POLLOUT, ...
};

// The matcher of PollsFor().
class PollsForAll {
 public:
  explicit PollsForAll(const std::vector<PolledFor>& entries);

  template <typename Arguments>
  bool MatchAndExplain(const Arguments& arguments,
                       testing::MatchResultListener* listener) const {
    return MatchesSet(std::get<0>(arguments), std::get<1>(arguments), listener);
  }
  void DescribeTo(std::ostream* os) const;
  void DescribeNegationTo(std::ostream* os) const;

 private:
  bool MatchesSet(const pollfd* fds, nfds_t count,
                  testing::MatchResultListener* listener) const;

  std::vector<pollfd> expected_;
};

// Matches the arguments of poll and ppoll whose set consists of exactly these
// entries, in this order:
//
//   EXPECT_CALL(sys, Poll(_, _, -1))
//       .With(PollsFor({{.fd = 3, .events = POLLIN},
//                       {.fd = 4, .events = POLLIN | POLLOUT}}))
//       .WillOnce(FillsRevents(0, POLLOUT));
//
// It ignores the timeout.
inline auto PollsFor(const std::vector<PolledFor>& entries) {
  return testing::MakePolymorphicMatcher(PollsForAll(entries));
}

// Matches a pollfd* whose first entry has this descriptor and these `events`,
// for sets of one entry:
//
//   EXPECT_CALL(sys, Poll(PollsFor(3, POLLIN), 1, -1))
MATCHER_P2(PollsFor, fd, events,
           absl::StrCat(negation ? "doesn't poll" : "polls", " for ",
                        PollEventSymbols(static_cast<int16_t>(events)),
                        " of descriptor ", fd)) {
  if (arg == nullptr) {
    *result_listener << "which is null";
    return false;
  }
  *result_listener << "which polls for " << PollEventSymbols(arg->events)
                   << " of descriptor " << arg->fd;
  return arg->fd == fd && arg->events == events;
}

// Matches a const void* that points to the bytes of `data`: send's second
// argument. The third argument must be at least the size of `data`.
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
