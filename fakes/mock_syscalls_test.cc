#include "fakes/mock_syscalls.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "fakes/mock_actions.h"
#include "fakes/sockaddr_out.h"
#include "gmock/gmock.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::_;
using ::testing::DescribeMatcher;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StringMatchResultListener;

constexpr ip::Endpoint kV4 = {ip::kLocalV4, 4711};
constexpr ip::Endpoint kV6 = {ip::kLocalV6, 4711};

TEST(MockSyscalls, FailsTheTestOnACallThatIsNotExpected) {
  EXPECT_NONFATAL_FAILURE(
      {
        MockSyscalls sys;
        EXPECT_THAT(sys.Listen(3, 10), IsErrno(ENOSYS));
      },
      "Uninteresting mock function call");
}

TEST(MockSyscalls, FailsTheTestOnOtherArguments) {
  EXPECT_NONFATAL_FAILURE(
      {
        MockSyscalls sys;
        EXPECT_CALL(sys, Listen(3, 10)).Times(0);
        static_cast<void>(sys.Listen(3, 11));
      },
      "Expected arg #1: is equal to 10");
}

TEST(MockSyscalls, ShowsACallThatIsNotExpectedAsStraceDoes) {
  EXPECT_NONFATAL_FAILURE(
      {
        MockSyscalls sys;
        const int on = 1;
        static_cast<void>(
            sys.SetSockOpt(3, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
      },
      "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 1, 4)");
}

TEST(MockSyscalls, ShowsACallWithOtherArgumentsAsStraceDoes) {
  EXPECT_NONFATAL_FAILURE(
      {
        MockSyscalls sys;
        EXPECT_CALL(sys, Connect(3, SockaddrIs(kV6), _)).Times(0);
        const ip::SockAddr address(kV4);
        static_cast<void>(sys.Connect(3, address.get(), address.size()));
      },
      "connect(3, {AF_INET, 127.0.0.1:4711}, 16)");
}

// Memory that the call would fill in is not read.
TEST(MockSyscalls, ShowsNoArgumentThatTheCallFillsIn) {
  EXPECT_NONFATAL_FAILURE(
      {
        MockSyscalls sys;
        char buffer[8];
        static_cast<void>(sys.Recv(3, buffer, sizeof(buffer), MSG_PEEK));
      },
      "recv(3, ?, 8, MSG_PEEK)");
}

TEST(MockSyscalls, IsASyscallsWithTheWholeSurface) {
  MockSyscalls sys;
  Syscalls& seam = sys;
  EXPECT_CALL(sys, NanoSleep(nullptr, nullptr)).WillOnce(Fail(EFAULT));
  EXPECT_THAT(seam.NanoSleep(nullptr, nullptr), IsErrno(EFAULT));
}

TEST(NiceMockSyscalls, ReturnsEnosysWithoutAMessage) {
  NiceMockSyscalls sys;
  EXPECT_THAT(sys.Listen(3, 10), IsErrno(ENOSYS));
  ON_CALL(sys, Listen).WillByDefault(Succeed());
  EXPECT_THAT(sys.Listen(3, 10), IsOk());
}

TEST(Actions, FailAndSucceedAnswerWhatTheySay) {
  MockSyscalls sys;
  EXPECT_CALL(sys, Socket)
      .WillOnce(Fail(EMFILE))
      .WillOnce(Succeed())
      .WillOnce(Succeed(3));
  EXPECT_THAT(sys.Socket(0, 0, 0), IsErrno(EMFILE));
  EXPECT_THAT(sys.Socket(0, 0, 0), IsOkAndHolds(0));
  EXPECT_THAT(sys.Socket(0, 0, 0), IsOkAndHolds(3));
}

class FillsAddrTest : public testing::TestWithParam<ip::Endpoint> {};

TEST_P(FillsAddrTest, FillsASocketAddress) {
  MockSyscalls sys;
  EXPECT_CALL(sys, GetSockName).WillOnce(FillsAddr(GetParam()));
  EXPECT_CALL(sys, GetPeerName).WillOnce(FillsAddr(GetParam()));
  ip::SockAddr local;
  EXPECT_THAT(sys.GetSockName(3, local.get(), local.size_ptr()), IsOk());
  EXPECT_EQ(local.ToEndpoint(), GetParam());
  EXPECT_EQ(local.size(), SockaddrSize(GetParam()));
  ip::SockAddr peer;
  EXPECT_THAT(sys.GetPeerName(3, peer.get(), peer.size_ptr()), IsOk());
  EXPECT_EQ(peer.ToEndpoint(), GetParam());
}

// On Linux, getsockname with a length of 4 writes 4 bytes and sets it to 16.
TEST_P(FillsAddrTest, TruncatesToTheRoomAndReturnsTheFullSize) {
  MockSyscalls sys;
  EXPECT_CALL(sys, GetSockName).WillOnce(FillsAddr(GetParam()));
  unsigned char bytes[sizeof(sockaddr_in6)];
  std::memset(bytes, 0xaa, sizeof(bytes));
  socklen_t len = 4;
  EXPECT_THAT(sys.GetSockName(3, reinterpret_cast<sockaddr*>(bytes), &len),
              IsOk());
  EXPECT_EQ(len, SockaddrSize(GetParam()));
  const ip::SockAddr full(GetParam());
  EXPECT_EQ(std::memcmp(bytes, full.get(), 4), 0);
  for (size_t i = 4; i < sizeof(bytes); ++i) EXPECT_EQ(bytes[i], 0xaa) << i;
}

TEST_P(FillsAddrTest, AcceptsFromReturnsDescriptorAndPeer) {
  MockSyscalls sys;
  EXPECT_CALL(sys, Accept4).WillRepeatedly(AcceptsFrom(GetParam(), 9));
  ip::SockAddr peer;
  EXPECT_THAT(sys.Accept4(3, peer.get(), peer.size_ptr(), 0), IsOkAndHolds(9));
  EXPECT_EQ(peer.ToEndpoint(), GetParam());
  EXPECT_THAT(sys.Accept4(3, nullptr, nullptr, 0), IsOkAndHolds(9));
}

INSTANTIATE_TEST_SUITE_P(Families, FillsAddrTest, testing::Values(kV4, kV6),
                         [](const auto& tested) {
                           return tested.param.addr.is_v4() ? "V4" : "V6";
                         });

TEST(FillSockaddr, RefusesWhatLinuxRefuses) {
  ip::SockAddr out;
  socklen_t negative = UINT_MAX;
  EXPECT_THAT(FillSockaddr(kV4, out.get(), &negative), IsErrno(EINVAL));
  EXPECT_THAT(FillSockaddr(kV4, nullptr, out.size_ptr()), IsErrno(EFAULT));
  EXPECT_THAT(FillSockaddr(kV4, out.get(), nullptr), IsErrno(EFAULT));
  EXPECT_EQ(out.ToEndpoint(), std::nullopt);
}

TEST(Actions, FillsIntFillsAnOption) {
  MockSyscalls sys;
  EXPECT_CALL(sys, GetSockOpt).WillRepeatedly(FillsInt(0x01020304));
  int value = 0;
  socklen_t len = sizeof(value) + 4;
  EXPECT_THAT(sys.GetSockOpt(3, SOL_SOCKET, SO_ERROR, &value, &len), IsOk());
  EXPECT_EQ(value, 0x01020304);
  EXPECT_EQ(len, sizeof(value));
  value = 0;
  len = 2;
  EXPECT_THAT(sys.GetSockOpt(3, SOL_SOCKET, SO_ERROR, &value, &len), IsOk());
  EXPECT_EQ(std::memcmp(&value, "\x04\x03\0\0", 4),
            0);  // Little-endian (x86).
  EXPECT_EQ(len, 2u);
}

TEST(Actions, FillsReventsCountsTheReady) {
  MockSyscalls sys;
  EXPECT_CALL(sys, Poll)
      .WillOnce(FillsRevents(POLLOUT, 0, POLLIN | POLLHUP))
      .WillOnce(FillsRevents());
  pollfd fds[4] = {};
  fds[3].revents = POLLERR;
  EXPECT_THAT(sys.Poll(fds, 4, -1), IsOkAndHolds(2));
  EXPECT_EQ(fds[0].revents, POLLOUT);
  EXPECT_EQ(fds[1].revents, 0);
  EXPECT_EQ(fds[2].revents, POLLIN | POLLHUP);
  EXPECT_EQ(fds[3].revents, 0);
  EXPECT_THAT(sys.Poll(fds, 4, 0), IsOkAndHolds(0));
  EXPECT_EQ(fds[0].revents, 0);
}

TEST(Actions, FillsDataFillsABuffer) {
  MockSyscalls sys;
  EXPECT_CALL(sys, Recv).WillRepeatedly(FillsData("hello"));
  char buffer[8] = {};
  EXPECT_THAT(sys.Recv(3, buffer, sizeof(buffer), 0), IsOkAndHolds(5));
  EXPECT_STREQ(buffer, "hello");
  EXPECT_THAT(sys.Recv(3, buffer, 2, 0), IsOkAndHolds(2));
}

TEST(Actions, FillsDataFitsRead) {
  MockSyscalls sys;
  EXPECT_CALL(sys, Read).WillRepeatedly(FillsData("hello"));
  char buffer[8] = {};
  EXPECT_THAT(sys.Read(3, buffer, sizeof(buffer)), IsOkAndHolds(5));
  EXPECT_STREQ(buffer, "hello");
  EXPECT_THAT(sys.Read(3, buffer, 2), IsOkAndHolds(2));
}

TEST(Actions, FillsTimeSetsTheTime) {
  MockSyscalls sys;
  EXPECT_CALL(sys, ClockGetTime(CLOCK_MONOTONIC, _))
      .WillRepeatedly(FillsTime({.tv_sec = 5, .tv_nsec = 7}));
  timespec now = {};
  EXPECT_THAT(sys.ClockGetTime(CLOCK_MONOTONIC, &now), IsOk());
  EXPECT_EQ(now.tv_sec, 5);
  EXPECT_EQ(now.tv_nsec, 7);
  EXPECT_THAT(sys.ClockGetTime(CLOCK_MONOTONIC, nullptr), IsErrno(EFAULT));
}

// nanosleep(2): the remaining time is written if the call is interrupted.
TEST(Actions, FillsTimeInterruptsASleep) {
  MockSyscalls sys;
  EXPECT_CALL(sys, NanoSleep)
      .WillRepeatedly(FillsTime({.tv_sec = 5, .tv_nsec = 7}));
  const timespec duration = {.tv_sec = 9, .tv_nsec = 0};
  timespec remaining = {};
  EXPECT_THAT(sys.NanoSleep(&duration, &remaining), IsErrno(EINTR));
  EXPECT_EQ(remaining.tv_sec, 5);
  EXPECT_EQ(remaining.tv_nsec, 7);
  EXPECT_THAT(sys.NanoSleep(&duration, nullptr), IsErrno(EINTR));
}

// Returns the explanation of `matcher` for a value that it does not match, or
// "" if it matches.
template <typename T, typename M>
std::string WhyNot(const T& value, const M& matcher) {
  StringMatchResultListener listener;
  if (testing::ExplainMatchResult(matcher, value, &listener)) return "";
  return listener.str();
}

TEST(Matchers, SockaddrIsComparesEndpoints) {
  const ip::SockAddr v4(kV4);
  const ip::SockAddr v6(kV6);
  const sockaddr* none = nullptr;
  EXPECT_THAT(v4.get(), SockaddrIs(kV4));
  EXPECT_THAT(v6.get(), SockaddrIs(kV6));
  EXPECT_THAT(v4.get(), Not(SockaddrIs(ip::Endpoint{ip::kLocalV4, 4712})));
  EXPECT_EQ(WhyNot(v4.get(), SockaddrIs(kV6)),
            "which points to the socket address of 127.0.0.1:4711");
  EXPECT_EQ(WhyNot(none, SockaddrIs(kV6)), "which is null");
  sockaddr other = {};
  other.sa_family = AF_UNIX;
  EXPECT_EQ(WhyNot(&other, SockaddrIs(kV6)), "which is of family AF_UNIX");
  EXPECT_EQ(DescribeMatcher<const sockaddr*>(SockaddrIs(kV6)),
            "points to the socket address of [::1]:4711");
}

TEST(Matchers, IntOptionComparesTheInt) {
  const int on = 1;
  const void* option = &on;
  EXPECT_THAT(option, IntOption(1));
  EXPECT_EQ(WhyNot(option, IntOption(0)), "which points to 1");
  option = nullptr;
  EXPECT_EQ(WhyNot(option, IntOption(0)), "which is null");
  EXPECT_EQ(DescribeMatcher<const void*>(IntOption(1)), "points to the int 1");
}

TEST(Matchers, PollsForComparesDescriptorAndEvents) {
  pollfd polled = {.fd = 3, .events = POLLOUT, .revents = 0};
  pollfd* none = nullptr;
  EXPECT_THAT(&polled, PollsFor(3, POLLOUT));
  EXPECT_THAT(&polled, Not(PollsFor(4, POLLOUT)));
  EXPECT_EQ(WhyNot(&polled, PollsFor(3, POLLIN)),
            "which polls for POLLOUT of descriptor 3");
  EXPECT_EQ(WhyNot(none, PollsFor(3, POLLIN)), "which is null");
  EXPECT_EQ(DescribeMatcher<pollfd*>(PollsFor(3, POLLIN)),
            "polls for POLLIN of descriptor 3");
}

using PollArguments = std::tuple<pollfd*, nfds_t, int>;

TEST(Matchers, PollsForComparesEveryEntry) {
  pollfd polled[] = {{.fd = 3, .events = POLLIN, .revents = 0},
                     {.fd = 4, .events = POLLIN | POLLOUT, .revents = 0}};
  const PollArguments arguments = {polled, 2, -1};
  EXPECT_THAT(arguments, PollsFor({{3, POLLIN}, {4, POLLIN | POLLOUT}}));
  EXPECT_THAT(arguments, Not(PollsFor({{3, POLLIN}})));
  EXPECT_THAT(arguments, Not(PollsFor({{4, POLLIN | POLLOUT}, {3, POLLIN}})));
  EXPECT_THAT(arguments, Not(PollsFor({{3, POLLIN}, {5, POLLIN | POLLOUT}})));
  EXPECT_THAT(arguments,
              Not(PollsFor({{3, POLLIN}, {4, POLLIN | POLLOUT}, {5, 0}})));
  EXPECT_EQ(WhyNot(arguments, PollsFor({{3, POLLIN}, {4, POLLIN}})),
            "which polls for [{3, POLLIN}, {4, POLLIN|POLLOUT}]");
  EXPECT_EQ(DescribeMatcher<PollArguments>(PollsFor({{3, POLLIN}, {4, 0}})),
            "polls for [{3, POLLIN}, {4, 0}]");
  EXPECT_EQ(DescribeMatcher<PollArguments>(Not(PollsFor({{3, POLLIN}}))),
            "doesn't poll for [{3, POLLIN}]");
}

TEST(Matchers, PollsForTakesEmptyAndMissingSets) {
  EXPECT_THAT(PollArguments(nullptr, 0, -1),
              PollsFor(std::vector<PolledFor>()));
  EXPECT_EQ(WhyNot(PollArguments(nullptr, 0, -1), PollsFor({{3, POLLIN}})),
            "which polls for NULL");
}

TEST(Matchers, PollsForFitsPollAndPPoll) {
  MockSyscalls sys;
  EXPECT_CALL(sys, Poll(_, _, -1))
      .With(PollsFor(
          {{.fd = 3, .events = POLLIN}, {.fd = 4, .events = POLLIN | POLLOUT}}))
      .WillOnce(FillsRevents(0, POLLOUT));
  EXPECT_CALL(sys, PPoll)
      .With(PollsFor({{3, POLLIN}}))
      .WillOnce(FillsRevents(POLLIN));
  pollfd polled[] = {{.fd = 3, .events = POLLIN, .revents = 0},
                     {.fd = 4, .events = POLLIN | POLLOUT, .revents = 0}};
  EXPECT_THAT(sys.Poll(polled, 2, -1), IsOkAndHolds(1));
  EXPECT_EQ(polled[1].revents, POLLOUT);
  EXPECT_THAT(sys.PPoll(polled, 1, nullptr, nullptr), IsOkAndHolds(1));
  EXPECT_EQ(polled[0].revents, POLLIN);
}

void PollOtherEntries() {
  MockSyscalls sys;
  EXPECT_CALL(sys, Poll).With(PollsFor({{3, POLLIN}})).Times(0);
  pollfd polled[] = {{.fd = 3, .events = POLLIN, .revents = 0},
                     {.fd = 4, .events = POLLOUT, .revents = 0}};
  static_cast<void>(sys.Poll(polled, 2, -1));
}

TEST(MockSyscalls, ShowsTheEntriesOfAPollThatIsNotExpected) {
  EXPECT_NONFATAL_FAILURE(PollOtherEntries(),
                          "which polls for [{3, POLLIN}, {4, POLLOUT}]");
}

TEST(Matchers, DataStartsWithComparesBytes) {
  const void* data = "hello";
  EXPECT_THAT(data, DataStartsWith("hell"));
  EXPECT_THAT(data, Not(DataStartsWith("help")));
  data = nullptr;
  EXPECT_EQ(WhyNot(data, DataStartsWith("h")), "which is null");
}

// The example of the class comment.
TEST(MockSyscalls, ReadsLikeATrace) {
  MockSyscalls sys;
  testing::InSequence in_this_order;
  EXPECT_CALL(sys, Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
      .WillOnce(Succeed(3));
  EXPECT_CALL(sys, Bind(3, SockaddrIs(kV4), sizeof(sockaddr_in)))
      .WillOnce(Fail(EADDRINUSE));
  EXPECT_CALL(sys, Close(3)).WillOnce(Succeed());

  const SysResult made = sys.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const ip::SockAddr address(kV4);
  EXPECT_THAT(sys.Bind(made.fd(), address.get(), address.size()),
              IsErrno(EADDRINUSE));
  EXPECT_THAT(sys.Close(made.fd()), IsOk());
}

}  // namespace
}  // namespace net
