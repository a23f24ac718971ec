#ifndef CONFORMANCE_KERNEL_CASES_HELPERS_H_
#define CONFORMANCE_KERNEL_CASES_HELPERS_H_

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"

// What several files of kernel cases have in common: system calls with the
// arguments that most programs give them.

namespace net::conformance {

// Matches 0 for a success, else the errno of a failure: for tables of answers.
MATCHER_P(Answers, error,
          error == 0 ? std::string(negation ? "is an error" : "is OK")
                     : std::string(negation ? "is not errno " : "is errno ") +
                           ErrnoSymbol(error)) {
  if (!arg.ok()) {
    *result_listener << "which is errno " << ErrnoSymbol(net::ErrnoOf(arg));
  }
  return arg.ok() ? error == 0 : net::ErrnoOf(arg) == error;
}

// A port for cases that have to name one, which takes a network of its own. Not
// among the ports that the kernel picks from, unless a case moves that range.
inline constexpr uint16_t kPort = 4711;

// A TCP socket of the axis's family; `type_flags` are SOCK_NONBLOCK or none.
absl::StatusOr<loopback::RawSocket> NewTcp(Context& c, int type_flags = 0);

// A listener on a port of the kernel's choice of the axis's loopback address,
// and two connected sockets, whose listener is gone.
absl::StatusOr<loopback::Listener> NewListener(
    Context& c, const loopback::ListenConfig& config = {});
absl::StatusOr<loopback::Pair> NewPair(Context& c);

// A non-blocking client whose connect is under way, and stays so: the
// listener's queue is full.
struct Connecting {
  loopback::FullQueue queue;
  loopback::RawSocket client;
};
absl::StatusOr<Connecting> NewConnecting(Context& c);

// One listen(2), connect(2), accept4(2) with SOCK_CLOEXEC. (One bind(2) is
// loopback::Bind().)
SysResult Listen(const loopback::RawSocket& socket, int backlog = 16);
SysResult Connect(const loopback::RawSocket& socket,
                  const ip::Endpoint& remote);
absl::StatusOr<loopback::RawSocket> Accept(const loopback::RawSocket& listener,
                                           int flags = 0);

// One connect(2) to an address of family AF_UNSPEC: dissolves the association.
SysResult Disconnect(const loopback::RawSocket& socket);

// Sets an option of SOL_SOCKET that is an int.
SysResult SetSocketOption(const loopback::RawSocket& socket, int name,
                          int value);

// One ioctl(2) that asks for a number: FIONREAD, SIOCOUTQ.
absl::StatusOr<int> Ask(const loopback::RawSocket& socket, uint64_t request);

// What poll(2) says at once of all the events there are: what is always told
// (POLLERR, POLLHUP, POLLNVAL), and POLLIN, POLLOUT, POLLPRI and POLLRDHUP, if
// there.
SysResult PollNow(const loopback::RawSocket& socket);

// One recv(2) of at most `size` bytes: what it brought, "" at the end.
absl::StatusOr<std::string> RecvOnce(const loopback::RawSocket& socket,
                                     size_t size = 256, int flags = 0);

// A system call that may block, made by a task:
//
//   PendingCall accepting(c, [&] { return sys.Accept4(fd, ...); });
//   ASSERT_TRUE(accepting.AwaitBlocked());
//   ...
//   EXPECT_THAT(accepting.Join(), IsErrno(EINVAL));
//
// Declare it after what the call uses.
class PendingCall {
 public:
  PendingCall(Context& c, std::function<SysResult()> call);
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;
  ~PendingCall() = default;

  // As Task's.
  bool AwaitBlocked() { return task_->AwaitBlocked(); }
  void Interrupt() { task_->Interrupt(); }

  // Waits until the call has returned, and what it returned.
  SysResult Join();

 private:
  SysResult result_;  // written by the task
  std::unique_ptr<Task> task_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_HELPERS_H_
