#include "fakes/faults/replayer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/substitute.h"
#include "fakes/faults/make_calls.h"
#include "fakes/faults/trace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"
#include "tcp/tcp.h"

namespace net {
namespace {

using ::testing::HasSubstr;

// Returns the trace that has these lines.
Trace TraceOf(absl::string_view lines) {
  absl::StatusOr<Trace> trace = ParseTrace(absl::StrCat(kTraceHeader, lines));
  EXPECT_TRUE(trace.ok()) << trace.status();
  return trace.value_or(Trace());
}

TEST(Replayer, PlaysAListenerToNetTcp) {
  Replayer kernel(
      TraceOf("socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3\n"
              "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 1, 4) = 0\n"
              "bind(3, {AF_INET, 127.0.0.1:0}, 16) = 0\n"
              "listen(3, 5) = 0\n"
              "getsockname(3, {AF_INET, 127.0.0.1:4711}, [28 => 16]) = 0\n"
              "accept4(3, NULL, NULL, SOCK_CLOEXEC) = -1 ECONNABORTED\n"
              "accept4(3, NULL, NULL, SOCK_CLOEXEC) = -1 EMFILE\n"
              "close(3) = 0\n"));
  uint16_t port = 0;
  {
    const auto listener = tcp::Listen(
        ip::kLocalV4, 0,
        {tcp::ReuseAddr{}, tcp::Backlog{5}, tcp::PortAssignment{&port}},
        kernel);
    ASSERT_THAT(listener, IsOk());
    EXPECT_EQ(port, 4711);
    EXPECT_THAT(tcp::Accept(*listener), IsErrno(EMFILE));
  }
  EXPECT_THAT(kernel.Finish(), IsOk());
}

TEST(Replayer, NamesTheFirstDeparture) {
  Replayer kernel(
      TraceOf("listen(3, 5) = 0\n# the end\nshutdown(3, SHUT_WR) = 0\n"
              "close(3) = 0\n"));
  EXPECT_THAT(kernel.Listen(3, 5), IsOk());
  EXPECT_THAT(kernel.Departure(), IsOk());
  EXPECT_THAT(kernel.Shutdown(3, SHUT_RD), IsErrno(ENOSYS));
  EXPECT_THAT(kernel.Close(3), IsErrno(ENOSYS)) << "everything fails now";
  const absl::Status expected = absl::FailedPreconditionError(
      "line 4: recorded shutdown(3, SHUT_WR) = 0, called shutdown(3, SHUT_RD) "
      "(argument 2 differs)");
  EXPECT_EQ(kernel.Departure(), expected);
  EXPECT_EQ(kernel.Finish(), expected);
}

TEST(Replayer, NamesACallThatIsMissing) {
  Replayer kernel(TraceOf("listen(3, 5) = 0\nclose(3) = 0\n"));
  EXPECT_THAT(kernel.Listen(3, 5), IsOk());
  EXPECT_THAT(kernel.Departure(), IsOk());
  EXPECT_EQ(kernel.Finish(),
            absl::FailedPreconditionError(
                "line 3: recorded close(3) = 0, never called"));
}

TEST(Replayer, NamesTheFirstOfTheMissingCalls) {
  const Replayer kernel(TraceOf("[2] close(9) = 0\nclose(3) = 0\n"));
  EXPECT_EQ(kernel.Finish(),
            absl::FailedPreconditionError(
                "line 2: recorded [2] close(9) = 0, never called"));
}

TEST(Replayer, NamesACallTooMany) {
  Replayer kernel(TraceOf("close(3) = -1 EIO\n"));
  EXPECT_THAT(kernel.Close(3), IsErrno(EIO));
  EXPECT_THAT(kernel.Close(3), IsErrno(ENOSYS));
  EXPECT_EQ(kernel.Finish(),
            absl::FailedPreconditionError(
                "after the last line of the thread: called close(3)"));
}

// A call that differs from the line, and why.
template <typename MakeCall>
std::string DifferenceFrom(absl::string_view line, MakeCall make) {
  Replayer kernel(TraceOf(line));
  EXPECT_THAT(make(kernel), IsErrno(ENOSYS)) << line;
  return std::string(kernel.Departure().message());
}

TEST(Replayer, ComparesArguments) {
  const ip::SockAddr v4({ip::kLocalV4, 80});
  const int on = 1;
  pollfd readable = {.fd = 3, .events = POLLIN, .revents = 0};
  char room[4] = {};
  EXPECT_THAT(DifferenceFrom("connect(3, {AF_INET, 127.0.0.1:81}, 16) = 0",
                             [&](Syscalls& sys) {
                               return sys.Connect(3, v4.get(), v4.size());
                             }),
              HasSubstr("(argument 2 differs)"));
  EXPECT_THAT(DifferenceFrom(
                  "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 0, 4) = 0",
                  [&](Syscalls& sys) {
                    return sys.SetSockOpt(3, SOL_SOCKET, SO_REUSEADDR, &on, 4);
                  }),
              HasSubstr("(argument 4 differs)"));
  EXPECT_THAT(
      DifferenceFrom("poll([{3, POLLOUT}], 1, -1) = 0",
                     [&](Syscalls& sys) { return sys.Poll(&readable, 1, -1); }),
      HasSubstr("(argument 1 differs)"));
  EXPECT_THAT(
      DifferenceFrom(R"(send(3, "hello", 5, 0) = 5)",
                     [](Syscalls& sys) { return sys.Send(3, "help!", 5, 0); }),
      HasSubstr("(other data)"));
  EXPECT_THAT(
      DifferenceFrom(R"(recv(3, "hello", 64, 0) = 5)",
                     [&](Syscalls& sys) { return sys.Recv(3, room, 4, 0); }),
      HasSubstr("(a buffer that is smaller than the data)"));
  EXPECT_THAT(
      DifferenceFrom(R"(recv(3, "a", 64, MSG_PEEK) = 1)",
                     [&](Syscalls& sys) { return sys.Recv(3, room, 4, 0); }),
      HasSubstr("(other flags)"));
  EXPECT_THAT(DifferenceFrom("accept4(3, NULL, NULL, 0) = 4",
                             [](Syscalls& sys) {
                               ip::SockAddr peer;
                               return sys.Accept4(3, peer.get(),
                                                  peer.size_ptr(), 0);
                             }),
              HasSubstr("(argument 2 is wanted, and was not recorded)"));
  EXPECT_THAT(DifferenceFrom(R"(getsockname(3, "\2\0\0224", [4 => 16]) = 0)",
                             [](Syscalls& sys) {
                               ip::SockAddr own;
                               return sys.GetSockName(3, own.get(),
                                                      own.size_ptr());
                             }),
              HasSubstr("(argument 3 is wanted, and was not recorded)"));
  EXPECT_THAT(
      DifferenceFrom(R"(recv(3, "a", 4, 0) = 1)",
                     [&](Syscalls& sys) { return sys.Recv(4, room, 4, 0); }),
      HasSubstr("(another descriptor)"));
  EXPECT_THAT(
      DifferenceFrom(R"(send(3, "a", 1, 0) = 1)",
                     [&](Syscalls& sys) { return sys.Recv(3, room, 1, 0); }),
      HasSubstr("(another call)"));
  EXPECT_THAT(
      DifferenceFrom("dup(3) = 4", [](Syscalls& sys) { return sys.Close(3); }),
      HasSubstr("(another call)"));
  int off = 0;
  EXPECT_THAT(DifferenceFrom("ioctl(3, FIONBIO, [1]) = 0",
                             [&](Syscalls& sys) {
                               return sys.Ioctl(
                                   3, FIONBIO,
                                   reinterpret_cast<intptr_t>(&off));
                             }),
              HasSubstr("(argument 3 differs)"));
  EXPECT_THAT(
      DifferenceFrom("epoll_ctl(5, EPOLL_CTL_ADD, 3, {EPOLLOUT, 3}) = 0",
                     [](Syscalls& sys) {
                       epoll_event in = {.events = EPOLLIN, .data = {.u64 = 3}};
                       return sys.EpollCtl(5, EPOLL_CTL_ADD, 3, &in);
                     }),
      HasSubstr("(argument 4 differs)"));
  EXPECT_THAT(
      DifferenceFrom("epoll_wait(5, [{EPOLLIN, 4}, {EPOLLIN, 3}], 8, -1) = 2",
                     [](Syscalls& sys) {
                       epoll_event one = {};
                       return sys.EpollWait(5, &one, 1, -1);
                     }),
      HasSubstr("(fewer events than were ready)"));
}

TEST(Replayer, ComparesSetsAndMessages) {
  const auto select = [](int fd) {
    return [fd](Syscalls& sys) {
      fd_set readable;
      FD_ZERO(&readable);
      FD_SET(fd, &readable);
      return sys.Select(5, &readable, nullptr, nullptr, nullptr);
    };
  };
  EXPECT_THAT(
      DifferenceFrom("select(5, [3] => [], NULL, NULL, NULL) = 0", select(4)),
      HasSubstr("(argument 2 differs)"));
  EXPECT_THAT(DifferenceFrom("select(5, ?, NULL, NULL, NULL) = 1", select(4)),
              HasSubstr("(argument 2 is wanted, and was not recorded)"));
  const auto send = [](Syscalls& sys) {
    char data[] = "ab";
    iovec part = {.iov_base = data, .iov_len = 2};
    mmsghdr message = {};
    message.msg_hdr.msg_iov = &part;
    message.msg_hdr.msg_iovlen = 1;
    return sys.SendMMsg(4, &message, 1, MSG_NOSIGNAL);
  };
  constexpr absl::string_view kMessage =
      R"([{msg_hdr={msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="$0", )"
      R"(iov_len=2}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, )"
      R"(msg_len=2}])";
  const auto line = [&](absl::string_view call, absl::string_view data,
                        absl::string_view rest) {
    return absl::StrCat(call, "(4, ", absl::Substitute(kMessage, data), rest);
  };
  EXPECT_THAT(DifferenceFrom(line("sendmmsg", "ax", ", 1, 0) = 1"), send),
              HasSubstr("(argument 2 differs)"));
  EXPECT_THAT(
      DifferenceFrom(line("sendmmsg", "ab", ", 1, MSG_DONTWAIT) = 1"), send),
      HasSubstr("(argument 4 differs)"));
  const auto receive = [](unsigned int count, size_t size) {
    return [count, size](Syscalls& sys) {
      char data[2] = {};
      iovec part = {.iov_base = data, .iov_len = size};
      mmsghdr message = {};
      message.msg_hdr.msg_iov = &part;
      message.msg_hdr.msg_iovlen = 1;
      return sys.RecvMMsg(4, &message, count, 0, nullptr);
    };
  };
  const std::string received = line("recvmmsg", "ab", ", 5, 0, NULL) = 1");
  EXPECT_THAT(DifferenceFrom(received, receive(1, 1)),
              HasSubstr("(a buffer that is smaller than the data)"));
  EXPECT_THAT(DifferenceFrom(received, receive(0, 2)),
              HasSubstr("(fewer messages than were received)"));
}

TEST(Replayer, PlaysSetsMessagesAndOffsets) {
  Replayer kernel(TraceOf(
      R"(select(5, [3, 4] => [4], [3] => [], NULL, {tv_sec=2, tv_usec=0} => {tv_sec=1, tv_usec=5}) = 1
pselect6(5, [3, 4] => [3], NULL, NULL, {tv_sec=2, tv_nsec=0}, NULL) = 1
sendmmsg(4, [{msg_hdr={msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="ab", iov_len=2}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, msg_len=1}], 1, 0) = 1
recvmmsg(4, [{msg_hdr={msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="xy", iov_len=8}], msg_iovlen=1, msg_controllen=0, msg_flags=MSG_TRUNC}, msg_len=2}], 5, 0, NULL) = 1
sendfile(3, 4, [7] => [107], 100) = 100
splice(3, NULL, 4, NULL, 9, SPLICE_F_MORE) = 5
)"));
  fd_set readable;
  fd_set writable;
  FD_ZERO(&readable);
  FD_SET(3, &readable);
  FD_SET(4, &readable);
  FD_ZERO(&writable);
  FD_SET(3, &writable);
  timeval second = {.tv_sec = 1, .tv_usec = 0};
  EXPECT_THAT(kernel.Select(5, &readable, &writable, nullptr, &second),
              IsOkAndHolds(1));
  EXPECT_FALSE(FD_ISSET(3, &readable));
  EXPECT_TRUE(FD_ISSET(4, &readable));
  EXPECT_FALSE(FD_ISSET(3, &writable));
  EXPECT_EQ(second.tv_usec, 5);
  // select(2) serves pselect(2), too.
  FD_SET(3, &readable);
  EXPECT_THAT(kernel.Select(5, &readable, nullptr, nullptr, &second),
              IsOkAndHolds(1));
  EXPECT_TRUE(FD_ISSET(3, &readable));
  EXPECT_FALSE(FD_ISSET(4, &readable));
  EXPECT_EQ(second.tv_usec, 5) << "the trace has no rest of the time";
  char data[8] = "ab";
  iovec part = {.iov_base = data, .iov_len = 2};
  mmsghdr message = {};
  message.msg_hdr.msg_iov = &part;
  message.msg_hdr.msg_iovlen = 1;
  EXPECT_THAT(kernel.SendMMsg(4, &message, 1, MSG_NOSIGNAL), IsOkAndHolds(1));
  EXPECT_EQ(message.msg_len, 1u);
  EXPECT_THAT(kernel.RecvMMsg(4, &message, 1, 0, nullptr), IsOkAndHolds(1));
  EXPECT_EQ(message.msg_len, 2u);
  EXPECT_EQ(message.msg_hdr.msg_flags, MSG_TRUNC);
  EXPECT_STREQ(data, "xy");
  off_t offset = 7;
  EXPECT_THAT(kernel.SendFile(3, 4, &offset, 100), IsOkAndHolds(100));
  EXPECT_EQ(offset, 107);
  EXPECT_THAT(kernel.Splice(3, nullptr, 4, nullptr, 9, SPLICE_F_MORE),
              IsOkAndHolds(5));
  EXPECT_THAT(kernel.Finish(), IsOk());
}

TEST(Replayer, ServesCallsThatDoTheSame) {
  Replayer kernel(TraceOf(R"(accept(3, {AF_INET, 127.0.0.1:9}, [16]) = 4
recvfrom(4, "hello", 4096, 0, NULL, NULL) = 5
read(4, "ab", 4096) = 2
readv(4, [{iov_base="c", iov_len=1}, {iov_base="d", iov_len=8}], 2) = 2
recv(4, "efg", 3, 0) = 3
write(4, "hi", 2) = 2
sendto(4, "hi", 2, 0, NULL, 0) = 2
writev(4, [{iov_base="h", iov_len=1}, {iov_base="i", iov_len=1}], 2) = 1
ppoll([{4, POLLIN}], 1, {tv_sec=1, tv_nsec=0}, NULL) = 1 [{4, POLLIN}]
)"));
  ip::SockAddr peer;
  EXPECT_THAT(kernel.Accept4(3, peer.get(), peer.size_ptr(), 0),
              IsOkAndHolds(4));
  EXPECT_EQ(peer.ToEndpoint()->port, 9);
  char room[8] = {};
  EXPECT_THAT(kernel.Recv(4, room, sizeof(room), 0), IsOkAndHolds(5));
  EXPECT_EQ(std::string(room, 5), "hello");
  EXPECT_THAT(kernel.Recv(4, room, sizeof(room), 0), IsOkAndHolds(2));
  EXPECT_EQ(std::string(room, 5), "abllo") << "no more is written";
  EXPECT_THAT(kernel.Read(4, room, sizeof(room)), IsOkAndHolds(2));
  EXPECT_EQ(std::string(room, 2), "cd");
  char second[8] = {};
  iovec parts[] = {{.iov_base = room, .iov_len = 2},
                   {.iov_base = second, .iov_len = 8}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  EXPECT_THAT(kernel.RecvMsg(4, &message, 0), IsOkAndHolds(3));
  EXPECT_EQ(std::string(room, 2), "ef");
  EXPECT_EQ(std::string(second, 2), std::string("g\0", 2));
  EXPECT_THAT(kernel.Send(4, "hi", 2, MSG_NOSIGNAL), IsOkAndHolds(2));
  EXPECT_THAT(kernel.Write(4, "hi", 2), IsOkAndHolds(2));
  EXPECT_THAT(kernel.Send(4, "hi", 2, 0), IsOkAndHolds(1));
  pollfd readable = {.fd = 4, .events = POLLIN, .revents = 0};
  EXPECT_THAT(kernel.Poll(&readable, 1, -1), IsOkAndHolds(1));
  EXPECT_EQ(readable.revents, POLLIN);
  EXPECT_THAT(kernel.Finish(), IsOk());
}

// The program makes the other call than the trace has.
TEST(Replayer, ServesCallsWithAddressesAndSeveralBuffers) {
  Replayer kernel(TraceOf(R"(accept4(3, {AF_INET, 127.0.0.1:9}, [16], 0) = 4
recv(4, "hello", 4096, 0) = 5
read(4, "abc", 4096) = 3
send(4, "abc", 3, MSG_NOSIGNAL) = 3
write(4, "de", 2) = 2
epoll_wait(6, [{EPOLLIN, 3}], 8, -1) = 1
accept4(3, NULL, NULL, SOCK_CLOEXEC) = 5
)"));
  ip::SockAddr address({ip::kLocalV4, 0});
  EXPECT_THAT(kernel.Accept(3, address.get(), address.size_ptr()),
              IsOkAndHolds(4));
  EXPECT_EQ(address.ToEndpoint()->port, 9);
  std::array<char, 8> data = {};
  EXPECT_THAT(kernel.RecvFrom(4, data.data(), data.size(), 0, address.get(),
                              address.size_ptr()),
              IsOkAndHolds(5));
  EXPECT_STREQ(data.data(), "hello");
  EXPECT_EQ(address.size(), 0u);
  const std::array<iovec, 2> parts = {iovec{data.data(), 1},
                                      iovec{data.data() + 4, 4}};
  EXPECT_THAT(kernel.ReadV(4, parts.data(), 2), IsOkAndHolds(3));
  EXPECT_EQ(std::string(data.data(), 6), "aellbc");
  EXPECT_THAT(kernel.SendTo(4, "abc", 3, 0, nullptr, 0), IsOkAndHolds(3));
  char bytes[] = "de";
  const std::array<iovec, 2> sent = {iovec{bytes, 1}, iovec{bytes + 1, 1}};
  EXPECT_THAT(kernel.WriteV(4, sent.data(), 2), IsOkAndHolds(2));
  epoll_event event = {};
  EXPECT_THAT(kernel.EpollPWait(6, &event, 1, 0, nullptr), IsOkAndHolds(1));
  EXPECT_EQ(uint64_t{event.data.u64}, 3u);
  EXPECT_THAT(kernel.Accept(3, nullptr, nullptr), IsErrno(ENOSYS));
  EXPECT_THAT(kernel.Departure().message(), HasSubstr("(argument 4 differs)"));
}

TEST(Replayer, TimeoutsAndSignalMasksMayDiffer) {
  Replayer kernel(
      TraceOf("poll([{4, POLLIN}], 1, 10) = 0\n"
              "ppoll([{4, POLLIN}], 1, {tv_sec=1, tv_nsec=0}, "
              "[SIGINT]) = 0\n"
              "epoll_pwait2(5, [{EPOLLIN, 3}], 8, {tv_sec=1, "
              "tv_nsec=0}, NULL) = 1\n"));
  pollfd readable = {.fd = 4, .events = POLLIN, .revents = 0};
  EXPECT_THAT(kernel.Poll(&readable, 1, 20), IsOkAndHolds(0));
  const timespec timeout = {.tv_sec = 2, .tv_nsec = 0};
  EXPECT_THAT(kernel.PPoll(&readable, 1, &timeout, nullptr), IsOkAndHolds(0));
  epoll_event event = {};
  EXPECT_THAT(kernel.EpollWait(5, &event, 1, 10), IsOkAndHolds(1));
  EXPECT_EQ(uint64_t{event.data.u64}, 3u);
  EXPECT_THAT(kernel.Finish(), IsOk());
  Replayer other(TraceOf("epoll_wait(5, [{EPOLLIN, 4}], 8, -1) = 1\n"));
  EXPECT_THAT(other.EpollPWait2(5, &event, 1, &timeout, nullptr),
              IsOkAndHolds(1));
  EXPECT_EQ(uint64_t{event.data.u64}, 4u);
  EXPECT_THAT(other.Finish(), IsOk());
}

TEST(Replayer, FillsInAMessage) {
  Replayer kernel(TraceOf(
      R"(recvmsg(4, {msg_name="\2\0", msg_namelen=2, msg_iov=[{iov_base="a", iov_len=2}], )"
      R"(msg_iovlen=1, msg_control="\1\2", msg_controllen=2, msg_flags=0}, 0) = 1)"
      "\n"));
  char room[2] = {};
  char name[8] = {};
  char control[8] = {};
  iovec part = {.iov_base = room, .iov_len = sizeof(room)};
  msghdr message = {};
  message.msg_name = name;
  message.msg_namelen = sizeof(name);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  EXPECT_THAT(kernel.RecvMsg(4, &message, 0), IsOkAndHolds(1));
  EXPECT_EQ(message.msg_namelen, 2u);
  EXPECT_EQ(std::string(name, 3), std::string("\2\0\0", 3));
  EXPECT_EQ(message.msg_controllen, 2u);
  EXPECT_EQ(std::string(control, 3), std::string("\1\2\0", 3));
  EXPECT_THAT(kernel.Finish(), IsOk());
}

TEST(Replayer, GivesAnEventTheDataOfItsCaller) {
  Replayer kernel(
      TraceOf("epoll_ctl(5, EPOLL_CTL_ADD, 3, {EPOLLIN, 3}) = 0\n"
              "epoll_ctl(5, EPOLL_CTL_ADD, 4, {EPOLLIN, 4}) = 0\n"
              "epoll_pwait(5, [{EPOLLIN, 4}, {EPOLLIN, 3}], 8, -1, NULL) = "
              "2\n"));
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = 300}};
  EXPECT_THAT(kernel.EpollCtl(5, EPOLL_CTL_ADD, 3, &event), IsOk());
  event.data.u64 = 400;
  EXPECT_THAT(kernel.EpollCtl(5, EPOLL_CTL_ADD, 4, &event), IsOk());
  epoll_event events[2] = {};
  EXPECT_THAT(kernel.EpollWait(5, events, 2, 10), IsOkAndHolds(2));
  EXPECT_EQ(uint64_t{events[0].data.u64}, 400u);
  EXPECT_EQ(uint64_t{events[1].data.u64}, 300u);
  EXPECT_THAT(kernel.Finish(), IsOk());
}

TEST(Replayer, ACallWhoseResultWasNotRecordedSucceeds) {
  Replayer kernel(TraceOf("close(3) = ?\ndup(4) = ?\n"));
  EXPECT_THAT(kernel.Close(3), IsOkAndHolds(0));
  EXPECT_THAT(kernel.Dup(4), IsErrno(ENOSYS));
  EXPECT_THAT(kernel.Departure().message(),
              HasSubstr("(a descriptor that was not recorded)"));
}

TEST(Replayer, FailingCallsWriteNothing) {
  Replayer kernel(TraceOf(
      "getsockname(3, ?, [28]) = -1 ENOBUFS\nrecv(3, ?, 8, 0) = -1 EAGAIN\n"));
  ip::SockAddr own;
  EXPECT_THAT(kernel.GetSockName(3, own.get(), own.size_ptr()),
              IsErrno(ENOBUFS));
  EXPECT_EQ(own.size(), 28u);
  EXPECT_EQ(own.get()->sa_family, AF_UNSPEC);
  char room[] = "before";
  EXPECT_THAT(kernel.Recv(3, room, sizeof(room), 0), IsErrno(EAGAIN));
  EXPECT_STREQ(room, "before");
}

TEST(Replayer, EachThreadPlaysOneOfTheTrace) {
  Replayer kernel(
      TraceOf("accept4(3, NULL, NULL, 0) = 4\n[2] close(9) = 0\n"
              "shutdown(4, SHUT_WR) = 0\n[2] close(10) = -1 EIO\n"));
  std::thread other([&] {
    EXPECT_THAT(kernel.Close(9), IsOk());
    EXPECT_THAT(kernel.Close(10), IsErrno(EIO));
  });
  EXPECT_THAT(kernel.Accept4(3, nullptr, nullptr, 0), IsOkAndHolds(4));
  EXPECT_THAT(kernel.Shutdown(4, SHUT_WR), IsOk());
  other.join();
  EXPECT_THAT(kernel.Finish(), IsOk());
}

TEST(Replayer, AThreadDoesNotPlayThatOfAnother) {
  Replayer kernel(
      TraceOf("close(9) = 0\n[2] close(9) = -1 EBADF\nclose(10) = 0\n"));
  EXPECT_THAT(kernel.Close(9), IsOk());
  std::thread other([&] { EXPECT_THAT(kernel.Close(9), IsErrno(EBADF)); });
  other.join();
  EXPECT_THAT(kernel.Close(10), IsOk());
  EXPECT_THAT(kernel.Finish(), IsOk());
}

// Every call of class Syscalls, with all out-parameters filled in.
constexpr absl::string_view kAllCalls =
    R"(socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3
bind(3, {AF_INET, 127.0.0.1:80}, 16) = 0
bind(3, ?, 16) = -1 EFAULT
listen(3, 10) = 0
accept4(3, {AF_INET, 127.0.0.1:40000}, [28 => 16], SOCK_CLOEXEC) = 4
accept4(3, ?, [28], 0) = -1 EAGAIN
accept(3, {AF_INET, 127.0.0.1:40000}, [28 => 16]) = 4
connect(5, {AF_INET6, [::1]:80}, 28) = -1 EINPROGRESS
getsockname(3, {AF_INET, 127.0.0.1:80}, [128 => 16]) = 0
getpeername(4, "\2\0", [2 => 16]) = 0
setsockopt(3, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0
getsockopt(3, SOL_SOCKET, SO_ERROR, ECONNREFUSED, [4]) = 0
shutdown(4, SHUT_RDWR) = -1 ENOTCONN
send(4, "hello", 5, MSG_NOSIGNAL) = 3
recv(4, "hello", 4096, 0) = 5
recv(4, ?, 18446744073709551615, 0) = -1 EINTR
sendto(4, "hello", 5, MSG_NOSIGNAL, NULL, 0) = 3
recvfrom(4, "hello", 4096, 0, NULL, NULL) = 5
sendmsg(4, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="ab", iov_len=2}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, 0) = 2
recvmsg(4, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="ab", iov_len=2}, {iov_base="c", iov_len=2}], msg_iovlen=2, msg_controllen=0, msg_flags=MSG_CTRUNC}, 0) = 3
read(4, "xy", 16) = 2
write(4, "x", 1) = -1 EPIPE
readv(4, [{iov_base="ab", iov_len=2}, {iov_base="c", iov_len=2}], 2) = 3
writev(4, [{iov_base="ab", iov_len=2}], 1) = 2
poll([{3, POLLIN}, {4, POLLOUT}], 2, 10) = 1 [{4, POLLOUT}]
ppoll([{3, POLLIN}], 1, {tv_sec=1, tv_nsec=0}, [SIGINT]) = -1 EINTR
select(5, [3, 4] => [4], NULL, [3] => [], {tv_sec=2, tv_usec=0} => {tv_sec=1, tv_usec=5}) = 1
pselect6(70, [69], NULL, NULL, {tv_sec=1, tv_nsec=0}, NULL) = -1 EINTR
sendmmsg(4, [{msg_hdr={msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="ab", iov_len=2}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, msg_len=2}, {msg_hdr={msg_name=NULL, msg_namelen=0, msg_iov=[], msg_iovlen=0, msg_controllen=0, msg_flags=0}, msg_len=0}], 2, MSG_NOSIGNAL) = 2
recvmmsg(4, [{msg_hdr={msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="ab", iov_len=8}], msg_iovlen=1, msg_controllen=0, msg_flags=MSG_TRUNC}, msg_len=2}], 5, MSG_WAITFORONE, {tv_sec=1, tv_nsec=0} => {tv_sec=0, tv_nsec=9}) = 1
recvmmsg(4, ?, 5, 0, NULL) = -1 EAGAIN
sendfile(4, 3, [7] => [107], 100) = 100
sendfile(4, 3, ?, 100) = -1 EFAULT
splice(11, NULL, 4, NULL, 100, SPLICE_F_NONBLOCK) = -1 EAGAIN
epoll_create1(EPOLL_CLOEXEC) = 6
epoll_ctl(6, EPOLL_CTL_ADD, 3, {EPOLLIN, 3}) = 0
epoll_ctl(6, EPOLL_CTL_DEL, 3, NULL) = -1 ENOENT
epoll_wait(6, [{EPOLLIN, 3}], 8, -1) = 1
epoll_pwait(6, [{EPOLLIN, 3}], 8, -1, NULL) = 1
fcntl(3, F_GETFL) = 2050 (O_RDWR|O_NONBLOCK)
fcntl(3, F_DUPFD_CLOEXEC, 10) = 10
fcntl(3, F_GETPIPE_SZ) = -1 EBADF
fcntl(3, F_SETPIPE_SZ, 4096) = -1 EBADF
ioctl(3, FIONREAD, [5]) = 0
ioctl(3, FIONBIO, [1]) = 0
dup(3) = 7
dup3(3, 9, O_CLOEXEC) = 9
pipe2([11, 12], O_CLOEXEC) = 0
eventfd(7, EFD_NONBLOCK) = 13
clock_gettime(CLOCK_MONOTONIC, {tv_sec=1, tv_nsec=5}) = 0
nanosleep({tv_sec=1, tv_nsec=0}, {tv_sec=0, tv_nsec=7}) = -1 EINTR
timerfd_create(CLOCK_MONOTONIC, O_CLOEXEC) = 14
timerfd_settime(14, TFD_TIMER_ABSTIME, {it_interval={tv_sec=0, tv_nsec=0}, it_value={tv_sec=1, tv_nsec=2}}, {it_interval={tv_sec=3, tv_nsec=4}, it_value={tv_sec=5, tv_nsec=6}}) = 0
timerfd_settime(14, 0, ?, NULL) = -1 EFAULT
timerfd_gettime(14, {it_interval={tv_sec=3, tv_nsec=4}, it_value={tv_sec=5, tv_nsec=6}}) = 0
close(3) = 0
close(3) = ?
[2] close(4) = 0
)";

TEST(MakeCalls, MakesTheCallsThatTheReplayerExpects) {
  const Trace trace = TraceOf(kAllCalls);
  Replayer kernel(trace);
  EXPECT_THAT(MakeCalls(trace, kernel), IsOk());
  EXPECT_THAT(kernel.Finish(), IsOk());
}

TEST(MakeCalls, NamesTheFirstCallWhoseResultDiffers) {
  const Trace trace = TraceOf("close(3) = 0\nrecv(4, \"hello\", 9, 0) = 5\n");
  Replayer kernel(TraceOf("close(3) = 0\nrecv(4, \"help!\", 9, 0) = 5\n"));
  EXPECT_EQ(MakeCalls(trace, kernel),
            absl::FailedPreconditionError(
                "line 3: recorded recv(4, \"hello\", 9, 0) = 5, the kernel "
                "returned recv(4, \"help!\", 9, 0) = 5"));
}

}  // namespace
}  // namespace net
