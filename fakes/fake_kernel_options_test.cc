// FakeKernel::StrictOptions(): a call with an option without effect fails the
// test.

#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/hangs.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string>& Reports() {
  static auto& reports = *new std::vector<std::string>;
  return reports;
}

class StrictOptionsTest : public ::testing::Test {
 protected:
  StrictOptionsTest()
      : old_handler_(SetHangHandler(
            [](absl::string_view report) { Reports().emplace_back(report); })),
        process_(kernel_.NewProcess(
            {.name = "server", .capabilities = FakeCapabilities::All()})),
        socket_(process_.Socket(AF_INET, SOCK_STREAM, 0).fd()) {
    Reports().clear();
  }
  ~StrictOptionsTest() override { SetHangHandler(old_handler_); }

  SysResult Set(int level, int name, int value) {
    return process_.SetSockOpt(socket_, level, name, &value, sizeof(value));
  }
  SysResult Fcntl(int command, intptr_t argument) {
    return process_.Fcntl(socket_, command, argument);
  }

  // Makes the socket a listener, and returns a socket that is connected to it.
  int ConnectToSocket() {
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    socklen_t size = sizeof(name);
    auto* const addr = reinterpret_cast<sockaddr*>(&name);
    EXPECT_THAT(process_.Listen(socket_, 1), IsOk());
    EXPECT_THAT(process_.GetSockName(socket_, addr, &size), IsOk());
    const int client = process_.Socket(AF_INET, SOCK_STREAM, 0).fd();
    EXPECT_THAT(process_.Connect(client, addr, size), IsOk());
    return client;
  }

  HangHandler old_handler_;
  FakeKernel kernel_;
  FakeProcess& process_;
  int socket_;
};

TEST_F(StrictOptionsTest, ReportsTheCallTheOptionAndTheReason) {
  kernel_.StrictOptions();
  EXPECT_THAT(Set(SOL_SOCKET, SO_MARK, 5), IsOk());
  EXPECT_THAT(
      Reports(),
      ElementsAre(AllOf(
          HasSubstr("process \"server\", setsockopt on descriptor 3 (TCP "
                    "socket"),
          HasSubstr("SO_MARK is accepted, without effect here, because there "
                    "are no routing rules"),
          HasSubstr("docs/OPTIONS.md"))));
}

TEST_F(StrictOptionsTest, IsOffAtFirst) {
  EXPECT_THAT(Set(SOL_SOCKET, SO_MARK, 5), IsOk());
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(StrictOptionsTest, AcceptsOptionsThatAct) {
  kernel_.StrictOptions();
  EXPECT_THAT(Set(SOL_SOCKET, SO_REUSEADDR, 1), IsOk());
  EXPECT_THAT(Set(IPPROTO_TCP, TCP_NODELAY, 1), IsOk());
  EXPECT_THAT(Fcntl(F_SETFL, O_NONBLOCK), IsOk());
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(StrictOptionsTest, AcceptsWhatDoesNothingOnLinuxEither) {
  kernel_.StrictOptions();
  EXPECT_THAT(Set(SOL_SOCKET, SO_DEBUG, 1), IsOk());
  EXPECT_THAT(Set(SOL_SOCKET, SO_PRIORITY, 6), IsOk());
  EXPECT_THAT(Fcntl(F_SETFL, O_APPEND), IsOk());
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(StrictOptionsTest, AcceptsTheValueThatItHas) {
  kernel_.StrictOptions();
  EXPECT_THAT(Set(SOL_SOCKET, SO_MARK, 0), IsOk());
  EXPECT_THAT(Set(SOL_SOCKET, SO_OOBINLINE, 0), IsOk());
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(StrictOptionsTest, AcceptsWhatFails) {
  kernel_.StrictOptions();
  EXPECT_THAT(
      process_.SetSockOpt(socket_, SOL_SOCKET, SO_MARK, nullptr, sizeof(int)),
      IsErrno(EFAULT));
  EXPECT_THAT(Fcntl(F_SETOWN_EX, 0), IsErrno(EFAULT));
  // Its value cannot be read, and be compared with the one before.
  EXPECT_THAT(process_.SetSockOpt(socket_, IPPROTO_IP, IP_OPTIONS, nullptr, 4),
              IsErrno(EFAULT));
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(StrictOptionsTest, ReportsEachUse) {
  kernel_.StrictOptions();
  EXPECT_THAT(Set(SOL_SOCKET, SO_MARK, 5), IsOk());
  EXPECT_THAT(Set(SOL_SOCKET, SO_MARK, 6), IsOk());
  EXPECT_THAT(Reports(), SizeIs(2));
}

TEST_F(StrictOptionsTest, ReportsOptionsThatCannotBeRead) {
  kernel_.StrictOptions();
  const char padding[4] = {1, 1, 1, 1};
  EXPECT_THAT(process_.SetSockOpt(socket_, IPPROTO_IP, IP_OPTIONS, padding,
                                  sizeof(padding)),
              IsOk());
  EXPECT_THAT(Reports(), ElementsAre(HasSubstr("IP_OPTIONS")));
}

TEST_F(StrictOptionsTest, ReportsOnlyTheBitsWithoutEffect) {
  kernel_.StrictOptions();
  EXPECT_THAT(Set(SOL_SOCKET, SO_TIMESTAMPING,
                  SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE),
              IsOk());
  EXPECT_THAT(Reports(), IsEmpty());
  EXPECT_THAT(Set(SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_TX_SOFTWARE),
              IsOk());
  EXPECT_THAT(Reports(), ElementsAre(HasSubstr("SO_TIMESTAMPING")));
}

TEST_F(StrictOptionsTest, ReportsCommandsOfFcntl) {
  kernel_.StrictOptions();
  EXPECT_THAT(Fcntl(F_SETFL, O_ASYNC), IsOk());
  EXPECT_THAT(Fcntl(F_SETFL, O_ASYNC | O_NONBLOCK), IsOk());
  EXPECT_THAT(Fcntl(F_SETOWN, getpid()), IsOk());
  EXPECT_THAT(Fcntl(F_SETSIG, SIGIO), IsOk());
  EXPECT_THAT(Reports(),
              ElementsAre(HasSubstr("O_ASYNC"), HasSubstr("F_SETOWN"),
                          HasSubstr("F_SETSIG")));
}

TEST_F(StrictOptionsTest, ReportsRequestsOfIoctl) {
  kernel_.StrictOptions();
  int on = 1;
  EXPECT_THAT(
      process_.Ioctl(socket_, FIOASYNC, reinterpret_cast<intptr_t>(&on)),
      IsOk());
  EXPECT_THAT(process_.Ioctl(socket_, FIONBIO, reinterpret_cast<intptr_t>(&on)),
              IsOk());
  EXPECT_THAT(Reports(), ElementsAre(HasSubstr("FIOASYNC")));
}

TEST_F(StrictOptionsTest, ReportsTheSignalMaskOfPpoll) {
  kernel_.StrictOptions();
  pollfd entry = {.fd = socket_, .events = 0, .revents = 0};
  const timespec now = {};
  sigset_t none = {};
  EXPECT_THAT(process_.PPoll(&entry, 1, &now, nullptr), IsOk());
  EXPECT_THAT(Reports(), IsEmpty());
  EXPECT_THAT(process_.PPoll(&entry, 1, &now, &none), IsOk());
  EXPECT_THAT(Reports(), ElementsAre(HasSubstr("sigmask of ppoll(2)")));
}

TEST_F(StrictOptionsTest, ReportsControlMessages) {
  const int client = ConnectToSocket();
  kernel_.StrictOptions();
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  const cmsghdr mark = {.cmsg_len = CMSG_LEN(sizeof(int)),
                        .cmsg_level = SOL_SOCKET,
                        .cmsg_type = SO_MARK};
  std::memcpy(control, &mark, sizeof(mark));
  char data[] = "x";
  iovec part = {.iov_base = data, .iov_len = 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  EXPECT_THAT(process_.SendMsg(client, &message, 0), IsOkAndHolds(1));
  EXPECT_THAT(Reports(), ElementsAre(HasSubstr("sendmsg")));
}

TEST_F(StrictOptionsTest, ReportsFlagsOfMessages) {
  const int client = ConnectToSocket();
  kernel_.StrictOptions();
  EXPECT_THAT(process_.Send(client, "x", 1, MSG_NOSIGNAL | MSG_DONTROUTE),
              IsOkAndHolds(1));
  EXPECT_THAT(Reports(), IsEmpty());
  EXPECT_THAT(process_.Send(client, "x", 1, MSG_NOSIGNAL | MSG_EOR),
              IsOkAndHolds(1));
  EXPECT_THAT(Reports(), ElementsAre(HasSubstr("MSG_EOR")));
  iovec part = {.iov_base = nullptr, .iov_len = 0};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  EXPECT_THAT(process_.SendMsg(client, &message, MSG_EOR), IsOkAndHolds(0));
  EXPECT_THAT(Reports(),
              ElementsAre(HasSubstr("send on"), HasSubstr("sendmsg on")));
}

}  // namespace
}  // namespace net
