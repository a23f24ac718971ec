#ifndef CONFORMANCE_KERNEL_CASES_HELPERS_H_
#define CONFORMANCE_KERNEL_CASES_HELPERS_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"

// Helpers for several files of kernel cases: system calls with the arguments
// that most programs use.

namespace net::conformance {

class Task;  // conformance/suite/environment.h

// Matches a success if `error` is 0, else a failure with that errno. For tables
// of expected results.
MATCHER_P(ReturnsErrno, error,
          error == 0 ? std::string(negation ? "is an error" : "is OK")
                     : std::string(negation ? "is not errno " : "is errno ") +
                           ErrnoSymbol(error)) {
  if (!arg.ok()) {
    *result_listener << "which is errno " << ErrnoSymbol(net::ErrnoOf(arg));
  }
  return arg.ok() ? error == 0 : net::ErrnoOf(arg) == error;
}

// Within 25 %.
inline testing::Matcher<size_t> IsAbout(size_t bytes) {
  return testing::AllOf(testing::Ge(bytes * 3 / 4), testing::Le(bytes * 5 / 4));
}

// A port for cases that need a fixed port, and therefore a network of their
// own. It is outside of the range from which the kernel picks ports, unless a
// case changes that range.
inline constexpr uint16_t kPort = 4711;

// Returns an address at which no user memory is mapped.
inline sockaddr* BadAddress() {
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return reinterpret_cast<sockaddr*>(uintptr_t{16});
}

// An address in a buffer that is longer than the address.
struct LongAddress {
  sockaddr_storage storage = {};
  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
};
LongAddress MakeLongAddress(const ip::Endpoint& endpoint);

// Makes a TCP socket of the case's family. `type_flags` is SOCK_NONBLOCK or 0.
absl::StatusOr<loopback::RawSocket> NewTcp(Context& c, int type_flags = 0);

// Makes a listener on the case's loopback address, on a port that the kernel
// picks.
absl::StatusOr<loopback::Listener> NewListener(
    Context& c, const loopback::ListenConfig& config = {});
// Makes two connected sockets. Their listener is closed.
absl::StatusOr<loopback::Pair> NewPair(Context& c);
// Makes one with small buffers, which are soon full.
absl::StatusOr<loopback::Pair> NewSmallPair(Context& c);

// A non-blocking client whose connect(2) stays in progress, because the
// listener's accept queue is full.
struct Connecting {
  loopback::FullQueue queue;
  loopback::RawSocket client;
};
absl::StatusOr<Connecting> NewConnecting(Context& c);

// Call listen(2), connect(2), and accept4(2) with SOCK_CLOEXEC, once each.
// (loopback::Bind() calls bind(2).)
SysResult Listen(const loopback::RawSocket& socket, int backlog = 16);
SysResult Connect(const loopback::RawSocket& socket,
                  const ip::Endpoint& remote);
absl::StatusOr<loopback::RawSocket> Accept(const loopback::RawSocket& listener,
                                           int flags = 0);

// Calls connect(2) with an address of family AF_UNSPEC, which dissolves the
// association.
SysResult Disconnect(const loopback::RawSocket& socket);

// Sets an option of SOL_SOCKET that is an int.
SysResult SetSocketOption(const loopback::RawSocket& socket, int name,
                          int value);

// Calls ioctl(2) with a request that returns an int, such as FIONREAD or
// SIOCOUTQ.
absl::StatusOr<int> Ask(const loopback::RawSocket& socket, uint64_t request);

// Calls poll(2) without blocking, and returns the events: those that are always
// reported (POLLERR, POLLHUP, POLLNVAL), and POLLIN, POLLOUT, POLLPRI and
// POLLRDHUP.
SysResult PollNow(const loopback::RawSocket& socket);

// Calls recv(2) once, for at most `size` bytes. Returns the data, which is
// empty at the end of the stream.
absl::StatusOr<std::string> RecvOnce(const loopback::RawSocket& socket,
                                     size_t size = 256, int flags = 0);

// A system call that may block, in a task:
//
//   PendingCall accepting(c, [&] { return sys.Accept4(fd, ...); });
//   ASSERT_TRUE(accepting.AwaitBlocked());
//   ...
//   EXPECT_THAT(accepting.Join(), IsErrno(EINVAL));
//
// Declare it after the objects that the call uses.
class PendingCall {
 public:
  PendingCall(Context& c, std::function<SysResult()> call);
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;
  ~PendingCall();

  // See Task.
  bool AwaitBlocked();
  void Interrupt();

  // Waits until the call has returned, and returns its result.
  SysResult Join();

 private:
  SysResult result_;  // written by the task
  std::unique_ptr<Task> task_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_HELPERS_H_
