// Tests of fault plans in another process.

#include "fakes/trap/syscall_trap.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/trap/probe.h"
#include "fakes/trap/run_trapped.h"
#include "fakes/trap/syscall_trap_test_base.h"
#include "fakes/trap/trap_test_sockets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net::trap {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(SyscallTrapTest, WithoutARuleTheKernelMakesTheCalls) {
  const TrapReport report = Run("", [] {
    const Pair pair = NewPair();
    WriteAll(pair.client, "hello");
    std::array<char, 16> buffer = {};
    const ssize_t got = recv(pair.server, buffer.data(), buffer.size(), 0);
    close(pair.client);
    close(pair.server);
    return absl::StrCat(got, " ", buffer.data());
  });
  EXPECT_EQ(report.report, "5 hello");
  EXPECT_THAT(report.open_descriptors, IsEmpty());
  EXPECT_EQ(report.stray_closes, 0);
  // Only the kernel knows the result.
  EXPECT_THAT(report.trace, Contains(ContainsRegex("^listen\\(.*\\) = \\?$")));
}

TEST_F(SyscallTrapTest, ACallThatFailsBeforeIsNotMade) {
  const TrapReport report = Run("listen#1=EADDRINUSE before", [] {
    const int fd = NewSocket();
    Bind(fd);
    const std::string outcome = Outcome(listen(fd, 1));
    int listens = 1;
    socklen_t size = sizeof(listens);
    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
    return absl::StrCat(outcome, " ", listens, " ", Outcome(listen(fd, 1)));
  });
  EXPECT_EQ(report.report, "EADDRINUSE 0 OK");
  EXPECT_THAT(report.trace,
              Contains(AllOf(HasSubstr("listen("),
                             HasSubstr("= -1 EADDRINUSE (INJECTED)"))));
  EXPECT_THAT(report.open_descriptors, SizeIs(1));
}

TEST_F(SyscallTrapTest, ACallThatFailsAfterIsMade) {
  const TrapReport report = Run("listen#1=EIO after", [] {
    const int fd = NewSocket();
    Bind(fd);
    const std::string outcome = Outcome(listen(fd, 1));
    int listens = 0;
    socklen_t size = sizeof(listens);
    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
    return absl::StrCat(outcome, " ", listens);
  });
  EXPECT_EQ(report.report, "EIO 1");
}

TEST_F(SyscallTrapTest, SocketAndSetSockOptAfterLeaveNoDescriptor) {
  const TrapReport report =
      Run("socket#2=ENOBUFS after; setsockopt(SO_KEEPALIVE)=ENOMEM after", [] {
        const int fd = NewSocket();
        const std::string second = Outcome(NewSocket());
        int on = 1;
        const std::string option =
            Outcome(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
        int value = 0;
        socklen_t size = sizeof(value);
        getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size);
        return absl::StrCat(second, " ", option, " ", value);
      });
  EXPECT_EQ(report.report, "ENOBUFS ENOMEM 1");
  EXPECT_THAT(report.open_descriptors, SizeIs(1));
}

TEST_F(SyscallTrapTest, AcceptWithEfaultTakesTheConnection) {
  const TrapReport report = Run("accept4=EFAULT", [] {
    const int listener = NewListener(SOCK_NONBLOCK);
    const int client = NewSocket();
    Connect(client, PortOf(listener));
    const std::string first = Outcome(accept4(listener, nullptr, nullptr, 0));
    std::array<char, 1> byte = {};
    // The accepted connection was closed.
    const ssize_t got = recv(client, byte.data(), byte.size(), 0);
    return absl::StrCat(first, " ", got);
  });
  EXPECT_EQ(report.report, "EFAULT 0");
}

TEST_F(SyscallTrapTest, AcceptWithEmfileLeavesTheConnection) {
  const TrapReport report = Run("accept4#1=EMFILE", [] {
    const int listener = NewListener(SOCK_NONBLOCK);
    const int client = NewSocket();
    Connect(client, PortOf(listener));
    const std::string first = Outcome(accept4(listener, nullptr, nullptr, 0));
    return absl::StrCat(first, " ",
                        Outcome(accept4(listener, nullptr, nullptr, 0)));
  });
  EXPECT_EQ(report.report, "EMFILE OK");
}

// Rule 5: close(2) with its effect is a tombstone over the number.
TEST_F(SyscallTrapTest, CloseThatFailsAfterReleasesTheSocket) {
  const TrapReport report = Run("close#2=EIO", [] {
    const Pair pair = NewPair();  // close#1 is the listener's.
    const std::string outcome = Outcome(close(pair.server));
    std::array<char, 1> byte = {};
    const ssize_t got = recv(pair.client, byte.data(), byte.size(), 0);
    const std::string tombstone =
        Outcome(recv(pair.server, byte.data(), byte.size(), 0));
    return absl::StrCat(outcome, " ", got, " ", tombstone);
  });
  EXPECT_EQ(report.report, "EIO 0 ENOTSOCK");
  EXPECT_THAT(report.open_descriptors, SizeIs(1));
}

TEST_F(SyscallTrapTest, CloseThatFailsBeforeDoesNot) {
  const TrapReport report = Run("close#2=EINTR before", [] {
    const Pair pair = NewPair();
    const std::string outcome = Outcome(close(pair.server));
    return absl::StrCat(outcome, " ", Outcome(send(pair.server, "x", 1, 0)));
  });
  EXPECT_EQ(report.report, "EINTR OK");
}

TEST_F(SyscallTrapTest, AStrayCloseIsCounted) {
  const TrapReport report = Run("", [] {
    const int fd = NewSocket();
    close(fd);
    close(fd);
    return std::string();
  });
  EXPECT_EQ(report.stray_closes, 1);
}

TEST_F(SyscallTrapTest, ShortCountsMoveDataOfSends) {
  const TrapReport report = Run("send#1=short(2); send#2=short(1)", [] {
    const Pair pair = NewPair();
    std::array<char, 2> parts = {'x', 'y'};
    const std::array<iovec, 2> buffers = {
        {{.iov_base = &parts[0], .iov_len = 1},
         {.iov_base = &parts[1], .iov_len = 1}}};
    const ssize_t sent = send(pair.client, "hello", 5, 0);
    const ssize_t written = writev(pair.client, buffers.data(), buffers.size());
    std::array<char, 8> got = {};
    recv(pair.server, got.data(), 3, MSG_WAITALL);
    return absl::StrCat(sent, " ", written, " ", got.data());
  });
  EXPECT_EQ(report.report, "2 1 hex");
}

TEST_F(SyscallTrapTest, ShortCountsMoveDataOfReceives) {
  const TrapReport report = Run("recv=short(1)*3", [] {
    const Pair pair = NewPair();
    WriteAll(pair.client, "abcdef");
    std::array<char, 8> got = {};
    recv(pair.server, &got[0], 8, 0);
    std::array<iovec, 2> buffers = {{{.iov_base = &got[1], .iov_len = 1},
                                     {.iov_base = &got[2], .iov_len = 1}}};
    msghdr message = {};
    message.msg_iov = buffers.data();
    message.msg_iovlen = buffers.size();
    recvmsg(pair.server, &message, 0);
    const ssize_t part = readv(pair.server, &buffers[1], 1);
    const ssize_t rest = read(pair.server, &got[3], 5);
    return absl::StrCat(got.data(), " ", part, " ", rest);
  });
  EXPECT_EQ(report.report, "abcdef 1 3");
}

TEST_F(SyscallTrapTest, APartialSendMovesDataAndFails) {
  const TrapReport report = Run("send=ECONNRESET partial(2)", [] {
    const Pair pair = NewPair();
    const std::string outcome = Outcome(send(pair.client, "hello", 5, 0));
    std::array<char, 8> got = {};
    return absl::StrCat(outcome, " ", recv(pair.server, got.data(), 8, 0));
  });
  EXPECT_EQ(report.report, "ECONNRESET 2");
}

TEST_F(SyscallTrapTest, SendToTheTargetsSigPipe) {
  const TrapReport report = Run("send=EPIPE*2", [] {
    static volatile sig_atomic_t signals = 0;
    std::signal(SIGPIPE, [](int) { signals = signals + 1; });
    const Pair pair = NewPair();
    const std::string first = Outcome(send(pair.client, "x", 1, 0));
    const int after_first = signals;
    const std::string second = Outcome(send(pair.client, "x", 1, MSG_NOSIGNAL));
    return absl::StrCat(first, " ", after_first, " ", second, " ", signals);
  });
  EXPECT_EQ(report.report, "EPIPE 1 EPIPE 1");
}

TEST_F(SyscallTrapTest, DelayMakesTheCallLater) {
  const TrapReport report = Run("bind=delay(50ms)", [] {
    const int fd = NewSocket();
    const absl::Time before = absl::Now();
    const std::string outcome = Outcome(Bind(fd));
    const bool is_late = absl::Now() - before >= absl::Milliseconds(50);
    return absl::StrCat(outcome, " ", is_late);
  });
  EXPECT_EQ(report.report, "OK 1");
  // The result is the kernel's.
  EXPECT_THAT(report.trace, Not(Contains(HasSubstr("INJECTED"))));
}

TEST_F(SyscallTrapTest, HostileNumbers) {
  const TrapReport report = Run("socket#1=fd0; socket#3=reuse", [] {
    close(STDIN_FILENO);
    const int zero = NewSocket();
    const int one = NewSocket();
    const int spare = dup(one);
    close(spare);
    close(one);
    // `spare` is the lowest number but one that is free.
    const int reused = NewSocket();
    return absl::StrCat(zero, " ", reused == one);
  });
  EXPECT_EQ(report.report, "0 1");
}

TEST_F(SyscallTrapTest, FdZeroDoesNotReplaceAnOpenDescriptor) {
  const auto report = RunTrapped(*ParseFaultPlan("socket=fd0"), [] {
    // Standard input may be closed.
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    return absl::StrCat(NewSocket() > 0);
  });
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->report, "1");
  EXPECT_THAT(report->unmatched, SizeIs(1));
}

TEST_F(SyscallTrapTest, ATruncatedAddress) {
  const TrapReport report = Run("getsockname#1=truncated(4)", [] {
    const int fd = NewSocket();
    Bind(fd);
    std::array<unsigned char, 16> bytes;
    bytes.fill(0xaa);
    socklen_t size = bytes.size();
    getsockname(fd, reinterpret_cast<sockaddr*>(bytes.data()), &size);
    const bool is_whole = bytes[3] != 0xaa || bytes[2] != 0xaa;
    return absl::StrCat(size, " ", is_whole, " ", bytes[4] == 0xaa);
  });
  EXPECT_EQ(report.report, "16 1 1");
}

TEST_F(SyscallTrapTest, AConsumedError) {
  const TrapReport report = Run("getsockopt(SO_ERROR)#1=consumed", [] {
    const int listener = NewListener();
    const uint16_t port = PortOf(listener);
    close(listener);
    const int fd = NewSocket(SOCK_NONBLOCK);
    Connect(fd, port);
    pollfd event = {.fd = fd, .events = POLLOUT, .revents = 0};
    poll(&event, 1, -1);
    const auto error = [&] {
      int value = -1;
      socklen_t size = sizeof(value);
      getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size);
      return value;
    };
    const int first = error();
    return absl::StrCat(first, " ", error());
  });
  EXPECT_EQ(report.report, "0 0");
}

TEST_F(SyscallTrapTest, AResetBeforeAccept) {
  const TrapReport report = Run("accept4=reset", [] {
    const Pair pair = NewPair();
    std::array<char, 1> byte = {};
    const std::string server =
        Outcome(recv(pair.server, byte.data(), byte.size(), 0));
    return absl::StrCat(
        server, " ", Outcome(recv(pair.client, byte.data(), byte.size(), 0)));
  });
  EXPECT_EQ(report.report, "ECONNRESET ECONNRESET");
}

TEST_F(SyscallTrapTest, ConnectWithEintrGoesOn) {
  const TrapReport report = Run("connect=EINTR", [] {
    const int listener = NewListener();
    const int client = NewSocket();
    const std::string outcome = Outcome(Connect(client, PortOf(listener)));
    pollfd event = {.fd = client, .events = POLLOUT, .revents = 0};
    poll(&event, 1, -1);
    return absl::StrCat(outcome, " ", Outcome(send(client, "x", 1, 0)));
  });
  EXPECT_EQ(report.report, "EINTR OK");
}

// The connection does not come about, and connect(2) fails all the same.
TEST_F(SyscallTrapTest, ConnectWithEintrDoesNotWait) {
  const TrapReport report = Run("connect(socket 4)=EINTR", [] {
    const int listener = NewSocket();
    Bind(listener);
    listen(listener, 0);
    const uint16_t port = PortOf(listener);
    // These fill the accept queue of a backlog of 0.
    const int first = NewSocket(SOCK_NONBLOCK);
    Connect(first, port);
    const int second = NewSocket(SOCK_NONBLOCK);
    Connect(second, port);
    const std::string outcome = Outcome(Connect(NewSocket(), port));
    close(first);
    close(second);
    return outcome;
  });
  EXPECT_EQ(report.report, "EINTR");
}

// Rule 4: calls through a ring would go around the filter.
TEST_F(SyscallTrapTest, ThereIsNoIoUring) {
  const TrapReport report = Run("", [] {
    std::array<char, 120> parameters = {};
    return Outcome(syscall(SYS_io_uring_setup, 1, parameters.data()));
  });
  EXPECT_EQ(report.report, "ENOSYS");
}

// Rule 5: what is shared with the duplicate stays as it was.
TEST_F(SyscallTrapTest, FlagsAndTimeoutsStay) {
  const TrapReport report = Run("recv#1=short(1); accept4#2=ENOMEM after", [] {
    const Pair pair = NewPair();
    const timeval timeout = {.tv_sec = 77, .tv_usec = 0};
    setsockopt(pair.server, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    const int before = fcntl(pair.server, F_GETFL);
    WriteAll(pair.client, "xx");
    std::array<char, 2> bytes = {};
    const ssize_t got = recv(pair.server, bytes.data(), bytes.size(), 0);
    const int listener = NewListener(SOCK_NONBLOCK);
    const int listener_before = fcntl(listener, F_GETFL);
    accept4(listener, nullptr, nullptr, 0);
    timeval after = {};
    socklen_t size = sizeof(after);
    getsockopt(pair.server, SOL_SOCKET, SO_RCVTIMEO, &after, &size);
    return absl::StrCat(got, " ", after.tv_sec, " ",
                        fcntl(pair.server, F_GETFL) == before, " ",
                        fcntl(listener, F_GETFL) == listener_before);
  });
  EXPECT_EQ(report.report, "1 77 1 1");
}

// Rule 6: the limit that the header names. The kernel reads the address again
// after the plan was asked about it.
TEST_F(SyscallTrapTest, TheKernelReadsMemoryAgain) {
  const TrapReport report = Run("bind(127.0.0.1:*)=delay(300ms)", [] {
    sockaddr_in address = Loopback();
    const int fd = NewSocket();
    std::thread other([&] {
      absl::SleepFor(absl::Milliseconds(100));
      // 198.51.100.0/24 is nobody's (RFC 5737).
      address.sin_addr.s_addr = htonl(0xc6336401);
    });
    const std::string outcome = Outcome(
        bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
    other.join();
    return outcome;
  });
  EXPECT_EQ(report.report, "EADDRNOTAVAIL");
}

TEST_F(SyscallTrapTest, AnActionThatCannotBeCarriedOutIsAnError) {
  const auto report = RunTrapped(*ParseFaultPlan("ioctl=ENOMEM after"), [] {
    struct ifconf list = {};
    return Outcome(ioctl(NewListener(), SIOCGIFCONF, &list));
  });
  EXPECT_EQ(report.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(report.status().message(),
              HasSubstr("ioctl: the trap does not know the arguments"));
}

TEST_F(SyscallTrapTest, AUnmatchedRuleIsReported) {
  const auto report = RunTrapped(*ParseFaultPlan("accept4#7=EMFILE"),
                                 [] { return std::string(); });
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->unmatched, SizeIs(1));
}

// A filter chain has one listener.
TEST_F(SyscallTrapTest, AnotherListenerIsAPrecondition) {
  const TrapReport report = Run("", [] { return CheckSeccomp().ToString(); });
  EXPECT_THAT(report.report,
              AllOf(HasSubstr("FAILED_PRECONDITION"), HasSubstr("EBUSY")));
}

TEST_F(SyscallTrapTest, ResultsAreKnownByRequest) {
  std::vector<std::string> lines;
  TrapOptions options = {.calls = CallsForAnyPlan(), .knows_results = true};
  const auto trap =
      SyscallTrap::StartBody(options, {}, [](int) { NewListener(); });
  ASSERT_THAT(trap, IsOk());
  ASSERT_THAT((*trap)->Wait(), IsOk());
  EXPECT_THAT((*trap)->Trace(), IsEmpty());

  options.keep_trace = true;
  const auto traced =
      SyscallTrap::StartBody(options, {}, [](int) { NewListener(); });
  ASSERT_THAT(traced, IsOk());
  ASSERT_THAT((*traced)->Wait(), IsOk());
  EXPECT_THAT((*traced)->Trace(),
              ElementsAre(HasSubstr("socket(AF_INET, SOCK_STREAM"),
                          HasSubstr("127.0.0.1:0}, 16) = 0"),
                          AllOf(HasSubstr("listen("), HasSubstr("= 0"))));
}

TEST_F(SyscallTrapTest, AProgramThatDoesNotExist) {
  const auto trap = SyscallTrap::Start({}, {}, {"/does/not/exist"});
  ASSERT_THAT(trap, IsOk());
  EXPECT_THAT((*trap)->Wait(), IsErrno(ENOENT));
}

}  // namespace
}  // namespace net::trap
