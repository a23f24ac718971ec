#include "tcp/socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "fakes/call.h"
#include "fakes/errno_table.h"
#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error_kind.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"
#include "tcp/steps.h"

namespace net {
namespace {

using ::testing::_;
using ::testing::InSequence;
using ::testing::Pointee;

static_assert(!std::is_copy_constructible_v<Socket>);
static_assert(!std::is_copy_assignable_v<Socket>);
static_assert(std::is_nothrow_move_constructible_v<Socket>);
static_assert(std::is_nothrow_move_assignable_v<Socket>);

// ---- Ownership -------------------------------------------------------------

TEST(SocketOwnership, DestructorClosesOnceWhateverCloseReturns) {
  for (const int error : {0, EINTR, EIO, EBADF}) {
    MockSyscalls sys;
    EXPECT_CALL(sys, Close(kFd)).WillOnce(error == 0 ? Succeed() : Fail(error));
    const Socket socket(kFd, sys);
    EXPECT_TRUE(socket.is_open());
    EXPECT_EQ(socket.fd(), kFd);
    EXPECT_EQ(&socket.syscalls(), &sys);
  }
}

TEST(SocketOwnership, DescriptorZeroIsOne) {
  MockSyscalls sys;
  EXPECT_CALL(sys, Close(0)).WillOnce(Succeed());
  const Socket socket(0, sys);
  EXPECT_TRUE(socket.is_open());
}

// These texts appear in failure messages in place of raw bytes.
TEST(SocketPrinting, ShowsDescriptorsAndErrors) {
  using testing::PrintToString;
  MockSyscalls sys;
  EXPECT_CALL(sys, Close(3)).WillOnce(Succeed());
  EXPECT_EQ(PrintToString(Socket(3, sys)), "socket 3");
  EXPECT_EQ(PrintToString(Socket()), "closed socket");
  EXPECT_EQ(PrintToString(absl::StatusOr<Socket>(Socket())),
            "OK: closed socket");
  EXPECT_EQ(PrintToString(Socket::SendAllResult{.sent = 5}),
            "OK: 5 bytes sent");
  EXPECT_EQ(PrintToString(Socket::SendAllResult{
                .status = absl::UnknownError("send"), .sent = 5}),
            "UNKNOWN: send (after 5 bytes)");
}

TEST(SocketOwnership, DefaultHoldsNothing) {
  const Socket socket;
  EXPECT_FALSE(socket.is_open());
  EXPECT_EQ(socket.fd(), -1);
  EXPECT_EQ(&socket.syscalls(), &DefaultSyscalls());
  EXPECT_THAT(socket.Shutdown(SHUT_RD), IsErrno(EBADF));
}

TEST(SocketOwnership, WithoutADescriptorDestructorMakesNoCall) {
  MockSyscalls sys;
  const Socket socket(-1, sys);
  EXPECT_FALSE(socket.is_open());
}

TEST(SocketOwnership, CloseClosesOnceWhateverCloseReturns) {
  for (const int error : {0, EINTR, EIO, EBADF}) {
    SCOPED_TRACE(ErrnoSymbol(error));
    MockSyscalls sys;
    EXPECT_CALL(sys, Close(kFd)).WillOnce(error == 0 ? Succeed() : Fail(error));
    Socket socket(kFd, sys);
    EXPECT_EQ(ErrnoOf(socket.Close()), error);
    EXPECT_FALSE(socket.is_open());
    EXPECT_EQ(socket.fd(), -1);
  }
}

TEST(SocketOwnership, ASecondCloseDoesNotTouchTheNumber) {
  MockSyscalls sys;
  InSequence in_this_order;
  EXPECT_CALL(sys, Close(kFd)).WillOnce(Succeed());
  EXPECT_CALL(sys, Close(-1)).WillOnce(Fail(EBADF));
  Socket socket(kFd, sys);
  EXPECT_THAT(socket.Close(), IsOk());
  EXPECT_THAT(socket.Close(), IsErrno(EBADF));
}

TEST(SocketOwnership, ReleaseGivesUpTheDescriptor) {
  MockSyscalls sys;  // Expects no close(2).
  Socket socket(kFd, sys);
  EXPECT_EQ(socket.Release(), kFd);
  EXPECT_FALSE(socket.is_open());
  EXPECT_EQ(socket.Release(), -1);
}

TEST(SocketOwnership, MoveConstructionMovesTheDescriptor) {
  MockSyscalls sys;
  EXPECT_CALL(sys, Close(kFd)).WillOnce(Succeed());
  Socket from(kFd, sys);
  const Socket to(std::move(from));
  EXPECT_EQ(to.fd(), kFd);
  EXPECT_EQ(&to.syscalls(), &sys);
  EXPECT_FALSE(from.is_open());
  EXPECT_EQ(from.fd(), -1);
}

TEST(SocketOwnership, MoveAssignmentClosesWhatWasHeldOnItsOwnKernel) {
  MockSyscalls old_sys;
  MockSyscalls new_sys;
  Socket to(3, old_sys);
  {
    Socket from(kFd, new_sys);
    EXPECT_CALL(old_sys, Close(3)).WillOnce(Fail(EIO));
    to = std::move(from);
    EXPECT_FALSE(from.is_open());
  }
  EXPECT_EQ(to.fd(), kFd);
  EXPECT_EQ(&to.syscalls(), &new_sys);
  EXPECT_CALL(new_sys, Close(kFd)).WillOnce(Succeed());
}

TEST(SocketOwnership, MoveAssignmentToAnEmptySocketMakesNoCall) {
  MockSyscalls sys;
  Socket to(-1, sys);
  to = Socket(kFd, sys);
  EXPECT_EQ(to.fd(), kFd);
  EXPECT_CALL(sys, Close(kFd)).WillOnce(Succeed());
}

TEST(SocketOwnership, SelfMoveKeepsTheDescriptor) {
  MockSyscalls sys;
  Socket socket(kFd, sys);
  Socket& same = socket;
  socket = std::move(same);
  EXPECT_EQ(socket.fd(), kFd);
  EXPECT_CALL(sys, Close(kFd)).WillOnce(Succeed());
}

// ---- Every method, every errno ---------------------------------------------

// A method of Socket and the one system call that it makes.
struct Method {
  std::string name;
  Call call;
  // Expects the system call on `fd`, which fails with `error`.
  std::function<void(MockSyscalls& sys, int fd, int error)> expect;
  // Calls the method.
  std::function<absl::Status(Socket& socket)> run;
  // True if it reports EINTR. If not, it retries.
  bool reports_eintr = true;
};

constexpr char kData[] = "hello";

std::vector<Method> Methods() {
  const auto expect_send = [](MockSyscalls& sys, int fd, int error) {
    EXPECT_CALL(sys, Send(fd, DataStartsWith("hello"), 5, MSG_NOSIGNAL))
        .WillOnce(Fail(error));
  };
  return {
      {"Send", Call::kSend, expect_send,
       [](Socket& socket) { return socket.Send(kData).status(); }},
      {"SendAll", Call::kSend, expect_send,
       [](Socket& socket) {
         const Socket::SendAllResult result = socket.SendAll(kData);
         EXPECT_FALSE(result.ok());
         EXPECT_EQ(result.sent, 0u);
         return result.status;
       },
       /*reports_eintr=*/false},
      {"Recv", Call::kRecv,
       [](MockSyscalls& sys, int fd, int error) {
         EXPECT_CALL(sys, Recv(fd, testing::NotNull(), 8, MSG_PEEK))
             .WillOnce(Fail(error));
       },
       [](Socket& socket) {
         char buffer[8] = {};
         const absl::Status status =
             socket.Recv(absl::MakeSpan(buffer), MSG_PEEK).status();
         EXPECT_EQ(std::string(buffer, 8), std::string(8, '\0'));
         return status;
       }},
      {"Shutdown", Call::kShutdown,
       [](MockSyscalls& sys, int fd, int error) {
         EXPECT_CALL(sys, Shutdown(fd, SHUT_WR)).WillOnce(Fail(error));
       },
       [](Socket& socket) { return socket.Shutdown(SHUT_WR); }},
      {"LocalAddr", Call::kGetSockName,
       [](MockSyscalls& sys, int fd, int error) {
         EXPECT_CALL(sys,
                     GetSockName(fd, testing::NotNull(), testing::NotNull()))
             .WillOnce(Fail(error));
       },
       [](Socket& socket) { return socket.LocalAddr().status(); }},
      {"PeerAddr", Call::kGetPeerName,
       [](MockSyscalls& sys, int fd, int error) {
         EXPECT_CALL(sys,
                     GetPeerName(fd, testing::NotNull(), testing::NotNull()))
             .WillOnce(Fail(error));
       },
       [](Socket& socket) { return socket.PeerAddr().status(); }},
      {"PendingError", Call::kGetSockOpt,
       [](MockSyscalls& sys, int fd, int error) {
         EXPECT_CALL(sys, GetSockOpt(fd, SOL_SOCKET, SO_ERROR,
                                     testing::NotNull(), Pointee(4u)))
             .WillOnce(Fail(error));
       },
       [](Socket& socket) { return socket.PendingError(); }},
      {"Close", Call::kClose,
       [](MockSyscalls& sys, int fd, int error) {
         EXPECT_CALL(sys, Close(fd)).WillOnce(Fail(error));
       },
       [](Socket& socket) { return socket.Close(); }},
  };
}

struct MethodFailure {
  Method method;
  int error;
};

std::string NameOf(const MethodFailure& failure) {
  return absl::StrCat(failure.method.name, "_", ErrnoSymbol(failure.error));
}
void PrintTo(const MethodFailure& failure, std::ostream* os) {
  *os << NameOf(failure);
}

std::vector<MethodFailure> MethodFailures() {
  std::vector<MethodFailure> failures;
  for (const Method& method : Methods()) {
    for (const int error : ErrnosOf(method.call)) {
      if (error == EINTR && !method.reports_eintr) continue;
      failures.push_back({method, error});
    }
  }
  return failures;
}

// Guards against lost rows of the errno table. send: 15, and 14 for SendAll,
// which retries after EINTR; recv 11, shutdown 4, getsockname 5, getpeername 6,
// getsockopt 5, close 3.
TEST(MethodFailures, AreAll) {
  EXPECT_EQ(MethodFailures().size(), 15u + 14 + 11 + 4 + 5 + 6 + 5 + 3);
}

class MethodFailureTest : public testing::TestWithParam<MethodFailure> {};

TEST_P(MethodFailureTest, IsReported) {
  const auto& [method, error] = GetParam();
  MockSyscalls sys;
  InSequence in_this_order;
  Socket socket(kFd, sys);
  method.expect(sys, kFd, error);
  const absl::Status status = method.run(socket);
  EXPECT_THAT(status, IsErrno(error));
  EXPECT_THAT(status, IsErrorKind(KindOfErrno(error)));
  // The descriptor stays open after a failure, except after a failed close(2).
  // The destructor closes it.
  EXPECT_EQ(socket.is_open(), method.call != Call::kClose);
  if (socket.is_open()) {
    EXPECT_CALL(sys, Close(kFd)).WillOnce(Succeed());
  }
}

INSTANTIATE_TEST_SUITE_P(Errnos, MethodFailureTest,
                         testing::ValuesIn(MethodFailures()),
                         [](const auto& tested) {
                           return NameOf(tested.param);
                         });

// A Socket without a descriptor passes -1 to the kernel.
TEST(Socket, ReportsTheKernelsEbadfOnceItIsEmpty) {
  for (const Method& method : Methods()) {
    SCOPED_TRACE(method.name);
    MockSyscalls sys;
    InSequence in_this_order;
    Socket moved_from(kFd, sys);
    const Socket moved_to = std::move(moved_from);
    method.expect(sys, -1, EBADF);
    EXPECT_THAT(method.run(moved_from), IsErrno(EBADF));
    Socket released(8, sys);
    static_cast<void>(released.Release());
    method.expect(sys, -1, EBADF);
    EXPECT_THAT(method.run(released), IsErrno(EBADF));
    Socket closed(9, sys);
    EXPECT_CALL(sys, Close(9)).WillOnce(Succeed());
    EXPECT_THAT(closed.Close(), IsOk());
    method.expect(sys, -1, EBADF);
    EXPECT_THAT(method.run(closed), IsErrno(EBADF));
    EXPECT_CALL(sys, Close(kFd)).WillOnce(Succeed());
  }
}

// ---- What each method does -------------------------------------------------

class SocketTest : public testing::Test {
 protected:
  ~SocketTest() override { EXPECT_CALL(sys_, Close(kFd)).WillOnce(Succeed()); }

  MockSyscalls sys_;
  InSequence in_this_order_;
  const Socket socket_{kFd, sys_};
};

TEST_F(SocketTest, SendReturnsTheNumberOfBytesSent) {
  EXPECT_CALL(sys_, Send(kFd, DataStartsWith("hello"), 5, MSG_NOSIGNAL))
      .WillOnce(Succeed(3));
  EXPECT_THAT(socket_.Send("hello"), IsOkAndHolds(3u));
}

TEST_F(SocketTest, SendNeverRaisesSigpipe) {
  EXPECT_CALL(sys_, Send(kFd, _, 5, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE))
      .WillOnce(Succeed(5));
  EXPECT_THAT(socket_.Send("hello", MSG_DONTWAIT | MSG_MORE), IsOkAndHolds(5u));
  EXPECT_CALL(sys_, Send(kFd, _, 5, MSG_NOSIGNAL)).WillOnce(Succeed(5));
  EXPECT_THAT(socket_.Send("hello", MSG_NOSIGNAL), IsOkAndHolds(5u));
}

TEST_F(SocketTest, SendOfNothingCallsTheKernel) {
  EXPECT_CALL(sys_, Send(kFd, _, 0, MSG_NOSIGNAL)).WillOnce(Succeed(0));
  EXPECT_THAT(socket_.Send(""), IsOkAndHolds(0u));
}

TEST_F(SocketTest, SendAllSendsTheRestUntilAllIsGone) {
  EXPECT_CALL(sys_, Send(kFd, DataStartsWith("hello"), 5, MSG_NOSIGNAL))
      .WillOnce(Succeed(1));
  EXPECT_CALL(sys_, Send(kFd, DataStartsWith("ello"), 4, MSG_NOSIGNAL))
      .WillOnce(Succeed(3));
  EXPECT_CALL(sys_, Send(kFd, DataStartsWith("o"), 1, MSG_NOSIGNAL))
      .WillOnce(Succeed(1));
  const Socket::SendAllResult result = socket_.SendAll("hello");
  EXPECT_THAT(result.status, IsOk());
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.sent, 5u);
}

TEST_F(SocketTest, SendAllGoesOnOverEintr) {
  EXPECT_CALL(sys_, Send(kFd, DataStartsWith("hello"), 5, MSG_NOSIGNAL))
      .Times(1000)
      .WillRepeatedly(Fail(EINTR));
  EXPECT_CALL(sys_, Send(kFd, DataStartsWith("hello"), 5, MSG_NOSIGNAL))
      .WillOnce(Succeed(4));
  EXPECT_CALL(sys_, Send(kFd, DataStartsWith("o"), 1, MSG_NOSIGNAL))
      .WillOnce(Fail(EINTR))
      .WillOnce(Succeed(1));
  const Socket::SendAllResult result = socket_.SendAll("hello");
  EXPECT_THAT(result.status, IsOk());
  EXPECT_EQ(result.sent, 5u);
}

TEST_F(SocketTest, SendAllPassesItsFlagsEachTime) {
  constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
  EXPECT_CALL(sys_, Send(kFd, _, 5, kFlags)).WillOnce(Succeed(4));
  EXPECT_CALL(sys_, Send(kFd, _, 1, kFlags)).WillOnce(Succeed(1));
  EXPECT_TRUE(socket_.SendAll("hello", MSG_DONTWAIT).ok());
}

TEST_F(SocketTest, SendAllReportsTheBytesSentBeforeTheError) {
  for (const int error : ErrnosOf(Call::kSend)) {
    if (error == EINTR) continue;
    SCOPED_TRACE(ErrnoSymbol(error));
    EXPECT_CALL(sys_, Send(kFd, DataStartsWith("hello"), 5, MSG_NOSIGNAL))
        .WillOnce(Succeed(2));
    EXPECT_CALL(sys_, Send(kFd, DataStartsWith("llo"), 3, MSG_NOSIGNAL))
        .WillOnce(Fail(error));
    const Socket::SendAllResult result = socket_.SendAll("hello");
    EXPECT_THAT(result.status, IsErrno(error));
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(result.sent, 2u);
  }
}

TEST_F(SocketTest, SendAllOfNothingMakesNoCall) {
  const Socket::SendAllResult result = socket_.SendAll("");
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.sent, 0u);
}

TEST_F(SocketTest, RecvFillsTheBuffer) {
  EXPECT_CALL(sys_, Recv(kFd, testing::NotNull(), 8, 0))
      .WillOnce(FillsData("hello"));
  char buffer[8] = {};
  EXPECT_THAT(socket_.Recv(absl::MakeSpan(buffer)), IsOkAndHolds(5u));
  EXPECT_STREQ(buffer, "hello");
}

TEST_F(SocketTest, RecvPassesItsFlagsUnchanged) {
  char buffer[8];
  EXPECT_CALL(sys_, Recv(kFd, buffer, 8, MSG_PEEK | MSG_WAITALL))
      .WillOnce(Succeed(8));
  EXPECT_THAT(socket_.Recv(absl::MakeSpan(buffer), MSG_PEEK | MSG_WAITALL),
              IsOkAndHolds(8u));
}

TEST_F(SocketTest, RecvReturnsZeroAtTheEnd) {
  char buffer[8];
  EXPECT_CALL(sys_, Recv(kFd, buffer, 8, 0)).WillOnce(Succeed(0));
  EXPECT_THAT(socket_.Recv(absl::MakeSpan(buffer)), IsOkAndHolds(0u));
}

TEST_F(SocketTest, ShutdownPassesTheDirection) {
  for (const int how : {int{SHUT_RD}, int{SHUT_WR}, int{SHUT_RDWR}, 4711}) {
    EXPECT_CALL(sys_, Shutdown(kFd, how)).WillOnce(Succeed());
    EXPECT_THAT(socket_.Shutdown(how), IsOk());
  }
}

TEST_F(SocketTest, LocalAddrReturnsTheKernelsAddress) {
  std::vector<ip::Endpoint> endpoints = TestedEndpoints();
  endpoints.push_back({ip::Addr::V4(127, 0, 0, 1).Mapped(), 80});
  endpoints.push_back({ip::kAnyV4, 0});
  for (const ip::Endpoint& endpoint : endpoints) {
    SCOPED_TRACE(endpoint);
    EXPECT_CALL(sys_, GetSockName(kFd, _, Pointee(sizeof(sockaddr_in6))))
        .WillOnce(FillsAddr(endpoint));
    EXPECT_THAT(socket_.LocalAddr(), IsOkAndHolds(endpoint));
  }
}

TEST_F(SocketTest, LocalAddrIsOfNoOtherFamily) {
  EXPECT_CALL(sys_, GetSockName(kFd, _, _))
      .WillOnce([](int, sockaddr* addr, socklen_t* len) {
        addr->sa_family = AF_UNIX;
        *len = sizeof(addr->sa_family);
        return SysResult::Ok();
      });
  EXPECT_THAT(socket_.LocalAddr(), IsErrno(EAFNOSUPPORT));
}

TEST_F(SocketTest, PendingErrorIsWhatTheKernelKept) {
  EXPECT_CALL(sys_, GetSockOpt(kFd, SOL_SOCKET, SO_ERROR, _, _))
      .WillOnce(FillsInt(0));
  EXPECT_THAT(socket_.PendingError(), IsOk());
  for (const Call call : {Call::kConnect, Call::kSend, Call::kRecv}) {
    for (const int error : ErrnosOf(call)) {
      SCOPED_TRACE(ErrnoSymbol(error));
      EXPECT_CALL(sys_, GetSockOpt(kFd, SOL_SOCKET, SO_ERROR, _, _))
          .WillOnce(FillsInt(error));
      EXPECT_THAT(socket_.PendingError(), IsErrno(error));
    }
  }
}

}  // namespace
}  // namespace net
