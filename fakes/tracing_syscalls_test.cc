#include "fakes/tracing_syscalls.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/linux_syscalls.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::_;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

class TracingSyscallsTest : public testing::Test {
 protected:
  // Returns the trace line of the last call, whose result is `result`.
  std::string Line(SysResult result) {
    last_ = result;
    return lines_.empty() ? "none" : lines_.back();
  }

  MockSyscalls target_;
  std::vector<std::string> lines_;
  TracingSyscalls traced_{
      target_, [this](absl::string_view line) { lines_.emplace_back(line); }};
  SysResult last_;
  const ip::SockAddr v4_{{ip::kLocalV4, 80}};
  const ip::SockAddr v6_{{ip::kLocalV6, 40000}};
};

template <typename T>
T* BadPointer() {
  return reinterpret_cast<T*>(uintptr_t{1});
}

TEST_F(TracingSyscallsTest, MakingSockets) {
  EXPECT_CALL(target_, Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
      .WillOnce(Succeed(3));
  EXPECT_EQ(Line(traced_.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
            "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3");
  EXPECT_THAT(last_, IsOkAndHolds(3)) << "the answer is passed on";
  EXPECT_CALL(target_, Bind(3, _, 16)).WillOnce(Succeed());
  EXPECT_EQ(Line(traced_.Bind(3, v4_.get(), v4_.size())),
            "bind(3, {AF_INET, 127.0.0.1:80}, 16) = 0");
  EXPECT_CALL(target_, Listen(3, 128)).WillOnce(Fail(EADDRINUSE));
  EXPECT_EQ(Line(traced_.Listen(3, 128)), "listen(3, 128) = -1 EADDRINUSE");
  EXPECT_THAT(last_, IsErrno(EADDRINUSE));
  EXPECT_CALL(target_, Connect(3, _, 28)).WillOnce(Fail(EINPROGRESS));
  EXPECT_EQ(Line(traced_.Connect(3, v6_.get(), v6_.size())),
            "connect(3, {AF_INET6, [::1]:40000}, 28) = -1 EINPROGRESS");
  EXPECT_CALL(target_, Shutdown(3, SHUT_WR)).WillOnce(Succeed());
  EXPECT_EQ(Line(traced_.Shutdown(3, SHUT_WR)), "shutdown(3, SHUT_WR) = 0");
}

TEST_F(TracingSyscallsTest, AddressesThatAreFilledIn) {
  ip::SockAddr room;
  const ip::Endpoint peer = {ip::kLocalV6, 40000};
  EXPECT_CALL(target_, Accept4(3, _, _, SOCK_CLOEXEC))
      .WillOnce(AcceptsFrom(peer, 5));
  EXPECT_EQ(Line(traced_.Accept4(3, room.get(), room.size_ptr(), SOCK_CLOEXEC)),
            "accept4(3, {AF_INET6, [::1]:40000}, [28], SOCK_CLOEXEC) = 5");
  EXPECT_CALL(target_, Accept4(3, nullptr, nullptr, 0)).WillOnce(Succeed(6));
  EXPECT_EQ(Line(traced_.Accept4(3, nullptr, nullptr, 0)),
            "accept4(3, NULL, NULL, 0) = 6");
  EXPECT_CALL(target_, Accept4(3, _, _, 0)).WillOnce(Fail(EAGAIN));
  EXPECT_EQ(Line(traced_.Accept4(3, room.get(), room.size_ptr(), 0)),
            "accept4(3, ?, [28], 0) = -1 EAGAIN");
  ip::SockAddr larger;
  EXPECT_CALL(target_, GetSockName(3, _, _))
      .WillOnce(FillsAddr({ip::kLocalV4, 80}));
  EXPECT_EQ(Line(traced_.GetSockName(3, larger.get(), larger.size_ptr())),
            "getsockname(3, {AF_INET, 127.0.0.1:80}, [28 => 16]) = 0");
  EXPECT_CALL(target_, GetPeerName(3, _, _)).WillOnce(Fail(ENOTCONN));
  EXPECT_EQ(Line(traced_.GetPeerName(3, room.get(), room.size_ptr())),
            "getpeername(3, ?, [28]) = -1 ENOTCONN");
}

TEST_F(TracingSyscallsTest, AddressesThatAreNone) {
  EXPECT_CALL(target_, Bind).WillRepeatedly(Fail(EINVAL));
  EXPECT_EQ(Line(traced_.Bind(3, v4_.get(), 8)),
            "bind(3, {AF_INET, ...}, 8) = -1 EINVAL");
  EXPECT_EQ(Line(traced_.Bind(3, v4_.get(), 1)),
            "bind(3, {...}, 1) = -1 EINVAL");
  EXPECT_EQ(Line(traced_.Bind(3, v4_.get(), static_cast<socklen_t>(-1))),
            "bind(3, ?, -1) = -1 EINVAL");
  const sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "x"};
  EXPECT_EQ(Line(traced_.Bind(3, reinterpret_cast<const sockaddr*>(&path),
                              sizeof(path))),
            "bind(3, {AF_UNIX, ...}, 110) = -1 EINVAL");
}

TEST_F(TracingSyscallsTest, PointersThatAreBad) {
  EXPECT_CALL(target_, Bind).WillRepeatedly(Fail(EFAULT));
  EXPECT_EQ(Line(traced_.Bind(3, nullptr, 16)),
            "bind(3, NULL, 16) = -1 EFAULT");
  EXPECT_EQ(Line(traced_.Bind(3, BadPointer<sockaddr>(), 16)),
            "bind(3, ?, 16) = -1 EFAULT");
  EXPECT_EQ(Line(traced_.Bind(3, v4_.get(), 16)), "bind(3, ?, 16) = -1 EFAULT")
      << "the kernel knows better";
  EXPECT_CALL(target_, Send).WillOnce(Fail(EPIPE));
  EXPECT_EQ(Line(traced_.Send(3, BadPointer<char>(), 5, 0)),
            "send(3, ?, 5, 0) = -1 EPIPE");
  EXPECT_CALL(target_, GetSockName).WillOnce(Fail(EBADF));
  EXPECT_EQ(Line(traced_.GetSockName(-1, BadPointer<sockaddr>(),
                                     BadPointer<socklen_t>())),
            "getsockname(-1, ?, ?) = -1 EBADF");
  EXPECT_CALL(target_, SendMsg).WillOnce(Fail(EFAULT));
  EXPECT_EQ(Line(traced_.SendMsg(3, BadPointer<msghdr>(), 0)),
            "sendmsg(3, ?, 0) = -1 EFAULT");
  EXPECT_CALL(target_, Pipe2).WillOnce(Fail(EFAULT));
  EXPECT_EQ(Line(traced_.Pipe2(nullptr, 0)), "pipe2(NULL, 0) = -1 EFAULT");
  EXPECT_CALL(target_, Ioctl).WillOnce(Fail(EFAULT));
  EXPECT_EQ(Line(traced_.Ioctl(3, FIONBIO, 0)),
            "ioctl(3, FIONBIO, NULL) = -1 EFAULT");
}

TEST_F(TracingSyscallsTest, Options) {
  const int on = 1;
  EXPECT_CALL(target_, SetSockOpt).WillRepeatedly(Succeed());
  EXPECT_EQ(
      Line(traced_.SetSockOpt(4, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on))),
      "setsockopt(4, SOL_SOCKET, SO_REUSEADDR, 1, 4) = 0");
  EXPECT_EQ(
      Line(traced_.SetSockOpt(4, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on))),
      "setsockopt(4, IPPROTO_TCP, TCP_NODELAY, 1, 4) = 0");
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  EXPECT_EQ(Line(traced_.SetSockOpt(4, SOL_SOCKET, SO_LINGER, &at_once,
                                    sizeof(at_once))),
            "setsockopt(4, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) "
            "= 0");
  const timeval timeout = {.tv_sec = 1, .tv_usec = 500};
  EXPECT_EQ(Line(traced_.SetSockOpt(4, SOL_SOCKET, SO_RCVTIMEO, &timeout,
                                    sizeof(timeout))),
            "setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=500}, "
            "16) = 0");
  EXPECT_EQ(Line(traced_.SetSockOpt(4, IPPROTO_TCP, TCP_CONGESTION, "reno", 4)),
            "setsockopt(4, IPPROTO_TCP, TCP_CONGESTION, \"reno\", 4) = 0");
  EXPECT_EQ(Line(traced_.SetSockOpt(4, SOL_SOCKET, SO_KEEPALIVE, &on, 100)),
            "setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, 1, 100) = 0")
      << "no more is read than the kernel reads";
}

TEST_F(TracingSyscallsTest, OptionsThatAreFilledIn) {
  int value = 0;
  socklen_t size = sizeof(value);
  EXPECT_CALL(target_, GetSockOpt(4, SOL_SOCKET, _, _, _))
      .WillRepeatedly(FillsInt(ECONNREFUSED));
  EXPECT_EQ(Line(traced_.GetSockOpt(4, SOL_SOCKET, SO_ERROR, &value, &size)),
            "getsockopt(4, SOL_SOCKET, SO_ERROR, ECONNREFUSED, [4]) = 0");
  EXPECT_EQ(Line(traced_.GetSockOpt(4, SOL_SOCKET, SO_RCVBUF, &value, &size)),
            "getsockopt(4, SOL_SOCKET, SO_RCVBUF, 111, [4]) = 0");
  EXPECT_CALL(target_, GetSockOpt(4, 99, 98, _, _)).WillOnce(Fail(EOPNOTSUPP));
  EXPECT_EQ(Line(traced_.GetSockOpt(4, 99, 98, &value, &size)),
            "getsockopt(4, 99, 98, ?, [4]) = -1 EOPNOTSUPP");
}

TEST_F(TracingSyscallsTest, DataThatIsSent) {
  EXPECT_CALL(target_, Send(4, _, 5, MSG_NOSIGNAL)).WillOnce(Succeed(5));
  EXPECT_EQ(Line(traced_.Send(4, "hello", 5, MSG_NOSIGNAL)),
            "send(4, \"hello\", 5, MSG_NOSIGNAL) = 5");
  EXPECT_CALL(target_, Write).WillRepeatedly(Succeed(1));
  EXPECT_EQ(Line(traced_.Write(4, "\r\n\t\"\\\0\0019\377\x7f", 10)),
            "write(4, \"\\r\\n\\t\\\"\\\\\\0\\0019\\377\\177\", 10) = 1");
  const std::string many(33, 'x');
  EXPECT_EQ(Line(traced_.Write(4, many.data(), 33)),
            "write(4, \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"..., 33) = 1");
  EXPECT_EQ(Line(traced_.Write(4, many.data(), 0)), "write(4, \"\", 0) = 1");
}

TEST_F(TracingSyscallsTest, DataThatIsReceived) {
  char data[64] = "what was there before";
  EXPECT_CALL(target_, Recv(4, _, 64, 0)).WillOnce(FillsData("hello"));
  EXPECT_EQ(Line(traced_.Recv(4, data, 64, 0)),
            "recv(4, \"hello\", 64, 0) = 5");
  EXPECT_CALL(target_, Recv(4, _, 64, MSG_DONTWAIT)).WillOnce(Fail(EAGAIN));
  EXPECT_EQ(Line(traced_.Recv(4, data, 64, MSG_DONTWAIT)),
            "recv(4, ?, 64, MSG_DONTWAIT) = -1 EAGAIN");
  EXPECT_CALL(target_, Recv(4, _, 2, MSG_TRUNC)).WillOnce(Succeed(2));
  EXPECT_EQ(Line(traced_.Recv(4, data, 2, MSG_TRUNC)),
            "recv(4, ?, 2, MSG_TRUNC) = 2");
  EXPECT_CALL(target_, Read(4, _, 64)).WillOnce(Succeed(0));
  EXPECT_EQ(Line(traced_.Read(4, data, 64)), "read(4, \"\", 64) = 0");
}

TEST_F(TracingSyscallsTest, Messages) {
  char first[] = "ab";
  char second[] = "cdef";
  iovec parts[] = {{.iov_base = first, .iov_len = 2},
                   {.iov_base = second, .iov_len = 4}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  EXPECT_CALL(target_, SendMsg(4, &message, MSG_NOSIGNAL)).WillOnce(Succeed(6));
  EXPECT_EQ(Line(traced_.SendMsg(4, &message, MSG_NOSIGNAL)),
            "sendmsg(4, {msg_name=NULL, msg_namelen=0, "
            "msg_iov=[{iov_base=\"ab\", iov_len=2}, "
            "{iov_base=\"cdef\", iov_len=4}], msg_iovlen=2, "
            "msg_controllen=0, msg_flags=0}, MSG_NOSIGNAL) = 6");
  EXPECT_CALL(target_, RecvMsg(4, &message, 0)).WillOnce(Succeed(3));
  EXPECT_EQ(Line(traced_.RecvMsg(4, &message, 0)),
            "recvmsg(4, {msg_name=NULL, msg_namelen=0, "
            "msg_iov=[{iov_base=\"ab\", iov_len=2}, "
            "{iov_base=\"c\", iov_len=4}], msg_iovlen=2, "
            "msg_controllen=0, msg_flags=0}, 0) = 3");
  EXPECT_CALL(target_, RecvMsg(4, &message, 0)).WillOnce(Fail(EAGAIN));
  EXPECT_EQ(Line(traced_.RecvMsg(4, &message, 0)),
            "recvmsg(4, {msg_name=NULL, msg_namelen=0, "
            "msg_iov=[{iov_base=?, iov_len=2}, "
            "{iov_base=?, iov_len=4}], msg_iovlen=2, "
            "msg_controllen=0, msg_flags=0}, 0) = -1 EAGAIN");
  message.msg_iovlen = SIZE_MAX;
  EXPECT_CALL(target_, SendMsg(4, &message, 0)).WillOnce(Fail(EMSGSIZE));
  EXPECT_THAT(Line(traced_.SendMsg(4, &message, 0)),
              testing::HasSubstr("msg_iov=?, msg_iovlen=18446744073709551615"));
}

TEST_F(TracingSyscallsTest, SeveralBuffersAndMessages) {
  char first[] = "ab";
  char second[] = "cdef";
  const iovec parts[] = {{.iov_base = first, .iov_len = 2},
                         {.iov_base = second, .iov_len = 4}};
  EXPECT_CALL(target_, WriteV).WillOnce(Succeed(6));
  EXPECT_EQ(Line(traced_.WriteV(4, parts, 2)),
            "writev(4, [{iov_base=\"ab\", iov_len=2}, {iov_base=\"cdef\", "
            "iov_len=4}], 2) = 6");
  EXPECT_CALL(target_, ReadV).WillOnce(Succeed(3));
  EXPECT_EQ(Line(traced_.ReadV(4, parts, 2)),
            "readv(4, [{iov_base=\"ab\", iov_len=2}, {iov_base=\"c\", "
            "iov_len=4}], 2) = 3");
  EXPECT_CALL(target_, ReadV).WillOnce(Fail(EINVAL));
  EXPECT_EQ(Line(traced_.ReadV(4, parts, -1)), "readv(4, ?, -1) = -1 EINVAL");
  mmsghdr messages[2] = {};
  messages[0].msg_hdr.msg_iov = const_cast<iovec*>(parts);
  messages[0].msg_hdr.msg_iovlen = 1;
  messages[0].msg_len = 1;
  EXPECT_CALL(target_, RecvMMsg).WillOnce(Succeed(1));
  EXPECT_EQ(Line(traced_.RecvMMsg(4, messages, 2, 0, nullptr)),
            "recvmmsg(4, [{msg_hdr={msg_name=NULL, msg_namelen=0, "
            "msg_iov=[{iov_base=\"a\", iov_len=2}], msg_iovlen=1, "
            "msg_controllen=0, msg_flags=0}, msg_len=1}], 2, 0, NULL) = 1");
  EXPECT_CALL(target_, SendMMsg).WillOnce(Fail(EPIPE));
  EXPECT_EQ(Line(traced_.SendMMsg(4, messages, 1, MSG_NOSIGNAL)),
            "sendmmsg(4, [{msg_hdr={msg_name=NULL, msg_namelen=0, "
            "msg_iov=[{iov_base=\"ab\", iov_len=2}], msg_iovlen=1, "
            "msg_controllen=0, msg_flags=0}, msg_len=1}], 1, MSG_NOSIGNAL) = "
            "-1 EPIPE");
  timespec timeout = {.tv_sec = 2, .tv_nsec = 0};
  EXPECT_CALL(target_, RecvMMsg).WillOnce(Fail(EAGAIN));
  EXPECT_EQ(Line(traced_.RecvMMsg(4, messages, 2, 0, &timeout)),
            "recvmmsg(4, ?, 2, 0, {tv_sec=2, tv_nsec=0}) = -1 EAGAIN");
}

TEST_F(TracingSyscallsTest, Offsets) {
  off_t offset = 7;
  EXPECT_CALL(target_, SendFile).WillOnce([](int, int, off_t* to, size_t) {
    *to = 12;
    return SysResult::Ok(5);
  });
  EXPECT_EQ(Line(traced_.SendFile(4, 3, &offset, 100)),
            "sendfile(4, 3, [7] => [12], 100) = 5");
  EXPECT_CALL(target_, Splice).WillOnce(Fail(EAGAIN));
  EXPECT_EQ(Line(traced_.Splice(3, nullptr, 4, &offset, 9,
                                SPLICE_F_NONBLOCK | SPLICE_F_MORE)),
            "splice(3, NULL, 4, [12], 9, SPLICE_F_NONBLOCK|SPLICE_F_MORE) = -1 "
            "EAGAIN");
}

TEST_F(TracingSyscallsTest, AddressesOfData) {
  EXPECT_CALL(target_, SendTo).WillOnce(Succeed(1));
  EXPECT_EQ(Line(traced_.SendTo(4, "x", 1, 0, v4_.get(), v4_.size())),
            "sendto(4, \"x\", 1, 0, {AF_INET, 127.0.0.1:80}, 16) = 1");
  char data[4] = "abc";
  ip::SockAddr room;
  EXPECT_CALL(target_, RecvFrom)
      .WillOnce([](int, void*, size_t, int, sockaddr*, socklen_t* len) {
        *len = 0;
        return SysResult::Ok(2);
      });
  EXPECT_EQ(Line(traced_.RecvFrom(4, data, 4, 0, room.get(), room.size_ptr())),
            "recvfrom(4, \"ab\", 4, 0, {...}, [28 => 0]) = 2");
  EXPECT_CALL(target_, Accept).WillOnce(Succeed(5));
  EXPECT_EQ(Line(traced_.Accept(3, nullptr, nullptr)),
            "accept(3, NULL, NULL) = 5");
}

TEST_F(TracingSyscallsTest, SetsOfDescriptors) {
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(3, &readable);
  FD_SET(70, &readable);
  timeval timeout = {.tv_sec = 1, .tv_usec = 0};
  EXPECT_CALL(target_, Select)
      .WillOnce([](int, fd_set* set, fd_set*, fd_set*, timeval* time) {
        FD_CLR(3, set);
        *time = {.tv_sec = 0, .tv_usec = 5};
        return SysResult::Ok(1);
      });
  EXPECT_EQ(Line(traced_.Select(71, &readable, nullptr, nullptr, &timeout)),
            "select(71, [3, 70] => [70], NULL, NULL, {tv_sec=1, tv_usec=0} => "
            "{tv_sec=0, tv_usec=5}) = 1");
  EXPECT_CALL(target_, PSelect6).WillOnce(Fail(EBADF));
  EXPECT_EQ(
      Line(traced_.PSelect6(71, nullptr, &readable, nullptr, nullptr, nullptr)),
      "pselect6(71, NULL, [70], NULL, NULL, NULL) = -1 EBADF");
  EXPECT_CALL(target_, Select).WillOnce(Fail(EFAULT));
  EXPECT_EQ(
      Line(traced_.Select(71, BadPointer<fd_set>(), nullptr, nullptr, nullptr)),
      "select(71, ?, NULL, NULL, NULL) = -1 EFAULT");
}

TEST_F(TracingSyscallsTest, Timers) {
  EXPECT_CALL(target_, TimerFdCreate).WillOnce(Succeed(5));
  EXPECT_EQ(
      Line(traced_.TimerFdCreate(CLOCK_MONOTONIC, O_CLOEXEC | O_NONBLOCK)),
      "timerfd_create(CLOCK_MONOTONIC, O_NONBLOCK|O_CLOEXEC) = 5");
  const itimerspec value = {.it_interval = {.tv_sec = 1, .tv_nsec = 2},
                            .it_value = {.tv_sec = 3, .tv_nsec = 4}};
  itimerspec old = {};
  EXPECT_CALL(target_, TimerFdSetTime).WillOnce(Succeed());
  EXPECT_EQ(Line(traced_.TimerFdSetTime(5, TFD_TIMER_ABSTIME, &value, &old)),
            "timerfd_settime(5, TFD_TIMER_ABSTIME, {it_interval={tv_sec=1, "
            "tv_nsec=2}, it_value={tv_sec=3, tv_nsec=4}}, "
            "{it_interval={tv_sec=0, tv_nsec=0}, it_value={tv_sec=0, "
            "tv_nsec=0}}) = 0");
  EXPECT_CALL(target_, TimerFdGetTime).WillOnce(Fail(EBADF));
  EXPECT_EQ(Line(traced_.TimerFdGetTime(5, &old)),
            "timerfd_gettime(5, ?) = -1 EBADF");
}

TEST_F(TracingSyscallsTest, Readiness) {
  pollfd fds[] = {{.fd = 3, .events = POLLIN, .revents = 0},
                  {.fd = 4, .events = POLLIN | POLLOUT, .revents = POLLOUT}};
  EXPECT_CALL(target_, Poll(fds, 2, -1)).WillOnce(Succeed(1));
  EXPECT_EQ(Line(traced_.Poll(fds, 2, -1)),
            "poll([{3, POLLIN}, {4, POLLIN|POLLOUT}], 2, -1) = 1 "
            "[{4, POLLOUT}]");
  EXPECT_CALL(target_, Poll(fds, 1, 10)).WillOnce(Succeed(0));
  EXPECT_EQ(Line(traced_.Poll(fds, 1, 10)), "poll([{3, POLLIN}], 1, 10) = 0");
  EXPECT_CALL(target_, Poll(fds, 99, 0)).WillOnce(Fail(EINVAL));
  EXPECT_EQ(Line(traced_.Poll(fds, 99, 0)), "poll(?, 99, 0) = -1 EINVAL");
  const timespec timeout = {.tv_sec = 1, .tv_nsec = 5};
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  EXPECT_CALL(target_, PPoll).WillRepeatedly(Fail(EINTR));
  EXPECT_EQ(Line(traced_.PPoll(fds, 1, &timeout, &signals)),
            "ppoll([{3, POLLIN}], 1, {tv_sec=1, tv_nsec=5}, "
            "[SIGINT, SIGTERM]) = -1 EINTR");
  EXPECT_EQ(Line(traced_.PPoll(fds, 1, nullptr, nullptr)),
            "ppoll([{3, POLLIN}], 1, NULL, NULL) = -1 EINTR");
}

TEST_F(TracingSyscallsTest, ManyDescriptorsAreCut) {
  const std::vector<pollfd> many(33, {.fd = 7, .events = 0, .revents = 0});
  std::vector<pollfd> fds = many;
  EXPECT_CALL(target_, Poll).WillOnce(Succeed(0));
  EXPECT_THAT(Line(traced_.Poll(fds.data(), fds.size(), 0)),
              MatchesRegex("poll\\(\\[(\\{7, 0\\}, )+\\.\\.\\.\\], 33, 0\\) "
                           "= 0"));
}

TEST_F(TracingSyscallsTest, Epoll) {
  EXPECT_CALL(target_, EpollCreate1).WillOnce(Succeed(5));
  EXPECT_EQ(Line(traced_.EpollCreate1(EPOLL_CLOEXEC)),
            "epoll_create1(EPOLL_CLOEXEC) = 5");
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = &event;
  EXPECT_CALL(target_, EpollCtl).WillRepeatedly(Succeed());
  EXPECT_EQ(Line(traced_.EpollCtl(5, EPOLL_CTL_ADD, 3, &event)),
            "epoll_ctl(5, EPOLL_CTL_ADD, 3, {EPOLLIN|EPOLLET}) = 0");
  EXPECT_EQ(Line(traced_.EpollCtl(5, EPOLL_CTL_DEL, 3, nullptr)),
            "epoll_ctl(5, EPOLL_CTL_DEL, 3, NULL) = 0");
  EXPECT_CALL(target_, EpollWait).WillOnce(Succeed(1));
  EXPECT_EQ(Line(traced_.EpollWait(5, &event, 8, -1)),
            "epoll_wait(5, [{EPOLLIN|EPOLLET}], 8, -1) = 1");
  EXPECT_CALL(target_, EpollWait).WillOnce(Fail(EINTR));
  EXPECT_EQ(Line(traced_.EpollWait(5, &event, 8, -1)),
            "epoll_wait(5, ?, 8, -1) = -1 EINTR");
  EXPECT_CALL(target_, EpollPWait).WillOnce(Succeed(0));
  EXPECT_EQ(Line(traced_.EpollPWait(5, &event, 8, 10, nullptr)),
            "epoll_pwait(5, [], 8, 10, NULL) = 0");
  const timespec timeout = {.tv_sec = 1, .tv_nsec = 5};
  EXPECT_CALL(target_, EpollPWait2).WillOnce(Succeed(1));
  EXPECT_EQ(Line(traced_.EpollPWait2(5, &event, 8, &timeout, nullptr)),
            "epoll_pwait2(5, [{EPOLLIN|EPOLLET}], 8, {tv_sec=1, tv_nsec=5}, "
            "NULL) = 1");
}

TEST_F(TracingSyscallsTest, Descriptors) {
  EXPECT_CALL(target_, Close(3)).WillOnce(Fail(EIO));
  EXPECT_EQ(Line(traced_.Close(3)), "close(3) = -1 EIO");
  EXPECT_CALL(target_, Dup(3)).WillOnce(Succeed(4));
  EXPECT_EQ(Line(traced_.Dup(3)), "dup(3) = 4");
  EXPECT_CALL(target_, Dup3(3, 9, O_CLOEXEC)).WillOnce(Succeed(9));
  EXPECT_EQ(Line(traced_.Dup3(3, 9, O_CLOEXEC)), "dup3(3, 9, O_CLOEXEC) = 9");
  int fds[2] = {3, 4};
  EXPECT_CALL(target_, Pipe2(fds, O_CLOEXEC)).WillOnce(Succeed());
  EXPECT_EQ(Line(traced_.Pipe2(fds, O_CLOEXEC)),
            "pipe2([3, 4], O_CLOEXEC) = 0");
  EXPECT_CALL(target_, EventFd(7, EFD_NONBLOCK)).WillOnce(Succeed(5));
  EXPECT_EQ(Line(traced_.EventFd(7, EFD_NONBLOCK)),
            "eventfd(7, EFD_NONBLOCK) = 5");
}

TEST_F(TracingSyscallsTest, FcntlAndIoctl) {
  EXPECT_CALL(target_, Fcntl(3, F_GETFL, 0))
      .WillOnce(Succeed(O_RDWR | O_NONBLOCK));
  EXPECT_EQ(Line(traced_.Fcntl(3, F_GETFL, 0)),
            "fcntl(3, F_GETFL) = 2050 (O_RDWR|O_NONBLOCK)");
  EXPECT_CALL(target_, Fcntl(3, F_GETFD, 0)).WillOnce(Succeed(FD_CLOEXEC));
  EXPECT_EQ(Line(traced_.Fcntl(3, F_GETFD, 0)),
            "fcntl(3, F_GETFD) = 1 (FD_CLOEXEC)");
  EXPECT_CALL(target_, Fcntl(3, F_SETFL, _)).WillOnce(Succeed());
  EXPECT_EQ(Line(traced_.Fcntl(3, F_SETFL, O_RDWR | O_NONBLOCK)),
            "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0");
  EXPECT_CALL(target_, Fcntl(3, F_SETFD, _)).WillOnce(Succeed());
  EXPECT_EQ(Line(traced_.Fcntl(3, F_SETFD, FD_CLOEXEC)),
            "fcntl(3, F_SETFD, FD_CLOEXEC) = 0");
  EXPECT_CALL(target_, Fcntl(3, F_DUPFD, 10)).WillOnce(Succeed(10));
  EXPECT_EQ(Line(traced_.Fcntl(3, F_DUPFD, 10)), "fcntl(3, F_DUPFD, 10) = 10");
  EXPECT_CALL(target_, Fcntl(3, F_GETPIPE_SZ, _)).WillOnce(Succeed(65536));
  EXPECT_EQ(Line(traced_.Fcntl(3, F_GETPIPE_SZ, 0)),
            "fcntl(3, F_GETPIPE_SZ) = 65536");
  EXPECT_CALL(target_, Fcntl(3, F_SETPIPE_SZ, _)).WillOnce(Fail(EBUSY));
  EXPECT_EQ(Line(traced_.Fcntl(3, F_SETPIPE_SZ, 4096)),
            "fcntl(3, F_SETPIPE_SZ, 4096) = -1 EBUSY");
  EXPECT_CALL(target_, Fcntl(3, 999, _)).WillOnce(Fail(EINVAL));
  EXPECT_EQ(Line(traced_.Fcntl(3, 999, reinterpret_cast<intptr_t>(this))),
            "fcntl(3, 999, ?) = -1 EINVAL");
  int value = 5;
  const auto pointer = reinterpret_cast<intptr_t>(&value);
  EXPECT_CALL(target_, Ioctl).WillRepeatedly(Succeed());
  EXPECT_EQ(Line(traced_.Ioctl(3, FIONREAD, pointer)),
            "ioctl(3, FIONREAD, [5]) = 0");
  EXPECT_EQ(Line(traced_.Ioctl(3, FIONBIO, pointer)),
            "ioctl(3, FIONBIO, [5]) = 0");
  EXPECT_EQ(Line(traced_.Ioctl(3, FIOCLEX, 0)), "ioctl(3, FIOCLEX) = 0");
  EXPECT_EQ(Line(traced_.Ioctl(3, 1, pointer)), "ioctl(3, 1, ?) = 0");
}

TEST_F(TracingSyscallsTest, Time) {
  timespec time = {.tv_sec = 1, .tv_nsec = 500000000};
  EXPECT_CALL(target_, ClockGetTime(CLOCK_MONOTONIC, &time))
      .WillOnce(Succeed());
  EXPECT_EQ(Line(traced_.ClockGetTime(CLOCK_MONOTONIC, &time)),
            "clock_gettime(CLOCK_MONOTONIC, {tv_sec=1, tv_nsec=500000000}) "
            "= 0");
  timespec left = {.tv_sec = 0, .tv_nsec = 7};
  EXPECT_CALL(target_, NanoSleep(&time, _)).WillRepeatedly(Succeed());
  EXPECT_EQ(Line(traced_.NanoSleep(&time, nullptr)),
            "nanosleep({tv_sec=1, tv_nsec=500000000}, NULL) = 0");
  EXPECT_EQ(Line(traced_.NanoSleep(&time, &left)),
            "nanosleep({tv_sec=1, tv_nsec=500000000}, ?) = 0");
  EXPECT_CALL(target_, NanoSleep(&time, &left)).WillOnce(Fail(EINTR));
  EXPECT_EQ(Line(traced_.NanoSleep(&time, &left)),
            "nanosleep({tv_sec=1, tv_nsec=500000000}, "
            "{tv_sec=0, tv_nsec=7}) = -1 EINTR");
}

TEST_F(TracingSyscallsTest, PrintsTheNameOfTheProcess) {
  TracingSyscalls traced(
      target_, [this](absl::string_view line) { lines_.emplace_back(line); },
      "server");
  EXPECT_CALL(target_, Close(3)).WillOnce(Succeed());
  EXPECT_EQ(Line(traced.Close(3)), "server: close(3) = 0");
}

TEST(TracingSyscallsOnLinux, PrintsTheKernelsResults) {
  LinuxSyscalls kernel;
  std::vector<std::string> lines;
  TracingSyscalls traced(
      kernel, [&](absl::string_view line) { lines.emplace_back(line); });
  int fds[2] = {};
  ASSERT_THAT(traced.Pipe2(fds, O_CLOEXEC), IsOk());
  EXPECT_THAT(traced.Write(fds[1], "hello", 5), IsOkAndHolds(5));
  char data[16] = {};
  EXPECT_THAT(traced.Read(fds[0], data, sizeof(data)), IsOkAndHolds(5));
  EXPECT_THAT(traced.Send(fds[0], data, 1, 0), IsErrno(ENOTSOCK));
  EXPECT_THAT(traced.Write(fds[1], nullptr, 5), IsErrno(EFAULT));
  EXPECT_THAT(traced.Close(fds[0]), IsOk());
  EXPECT_THAT(traced.Close(fds[1]), IsOk());
  EXPECT_THAT(
      lines, ElementsAre(
                 MatchesRegex(R"(pipe2\(\[[0-9]+, [0-9]+\], O_CLOEXEC\) = 0)"),
                 MatchesRegex(R"re(write\([0-9]+, "hello", 5\) = 5)re"),
                 MatchesRegex(R"re(read\([0-9]+, "hello", 16\) = 5)re"),
                 MatchesRegex(R"re(send\([0-9]+, "h", 1, 0\) = -1 ENOTSOCK)re"),
                 MatchesRegex(R"(write\([0-9]+, NULL, 5\) = -1 EFAULT)"),
                 MatchesRegex(R"(close\([0-9]+\) = 0)"),
                 MatchesRegex(R"(close\([0-9]+\) = 0)")));
}

TEST(TracingSyscallsOnLinux, SeveralMayShareASinkInSeveralThreads) {
  LinuxSyscalls kernel;
  std::vector<std::string> lines;
  std::atomic<int> inside = 0;
  const auto sink = [&](absl::string_view line) {
    EXPECT_EQ(inside.fetch_add(1), 0) << "two at once";
    std::this_thread::yield();
    lines.emplace_back(line);
    inside.fetch_sub(1);
  };
  TracingSyscalls one(kernel, sink);
  TracingSyscalls two(kernel, sink);
  const auto close_often = [](TracingSyscalls& traced) {
    for (int i = 0; i < 500; ++i) EXPECT_THAT(traced.Close(-1), IsErrno(EBADF));
  };
  std::thread other(close_often, std::ref(one));
  close_often(two);
  other.join();
  EXPECT_THAT(lines, SizeIs(1000));
  EXPECT_THAT(lines, Each("close(-1) = -1 EBADF"));
}

}  // namespace
}  // namespace net
