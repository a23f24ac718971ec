// Which calls in another process count for a fault plan, and which of them a
// rule selects.

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "fakes/trap/probe.h"
#include "fakes/trap/run_trapped.h"
#include "fakes/trap/syscall_trap_test_base.h"
#include "fakes/trap/trap_test_sockets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::trap {
namespace {

using ::testing::SizeIs;

TEST_F(SyscallTrapTest, SelectorsOfSockets) {
  const TrapReport report =
      Run("setsockopt(socket 2)=ENOMEM; close(listener)=EIO; "
          "getpeername(connection)"
          "=ENOBUFS",
          [] {
            const int listener = NewListener();
            const int client = NewSocket();
            int on = 1;
            const auto set = [&](int fd) {
              return Outcome(
                  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
            };
            std::string text = absl::StrCat(set(listener), " ", set(client));
            Connect(client, PortOf(listener));
            sockaddr_in address = {};
            socklen_t size = sizeof(address);
            absl::StrAppend(
                &text, " ",
                Outcome(getpeername(
                    client, reinterpret_cast<sockaddr*>(&address), &size)));
            absl::StrAppend(&text, " ", Outcome(close(client)), " ",
                            Outcome(close(listener)));
            return text;
          });
  EXPECT_EQ(report.report, "OK ENOMEM ENOBUFS OK EIO");
}

TEST_F(SyscallTrapTest, InheritedSocketsAreNotCounted) {
  const int inherited = NewSocket();
  const TrapReport report = Run("bind(socket 1)=EACCES", [&] {
    std::string text = Outcome(Bind(inherited));
    return absl::StrCat(text, " ", Outcome(Bind(NewSocket())));
  });
  close(inherited);
  EXPECT_EQ(report.report, "OK EACCES");
  EXPECT_THAT(report.open_descriptors, SizeIs(1));
}

TEST_F(SyscallTrapTest, AConnectionIsOneAfterItsEnd) {
  const TrapReport report = Run("getpeername(connection)#2=ENOBUFS", [] {
    const Pair pair = NewPair();
    const auto get_peer = [&] {
      sockaddr_in address = {};
      socklen_t size = sizeof(address);
      return Outcome(getpeername(pair.server,
                                 reinterpret_cast<sockaddr*>(&address), &size));
    };
    std::string text = get_peer();
    const linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(pair.client);
    return absl::StrCat(text, " ", get_peer());
  });
  EXPECT_EQ(report.report, "OK ENOBUFS");
}

TEST_F(SyscallTrapTest, RawSocketsDoNotCount) {
  const TrapReport report = Run("setsockopt=ENOMEM", [] {
    const int on = 1;
    const auto set = [&](int fd) {
      return Outcome(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
    };
    const int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);
    // Only a privileged user can make one.
    std::string text = raw < 0 ? "OK" : set(raw);
    return absl::StrCat(text, " ", set(NewSocket()));
  });
  EXPECT_EQ(report.report, "OK ENOMEM");
}

// Not in the order in which they are used.
TEST_F(SyscallTrapTest, SocketsAreCountedAsTheyAreMade) {
  const TrapReport report = Run("bind(socket 2)=EACCES", [] {
    const int first = NewSocket();
    std::string text = Outcome(Bind(NewSocket()));
    return absl::StrCat(text, " ", Outcome(Bind(first)));
  });
  EXPECT_EQ(report.report, "EACCES OK");
}

TEST_F(SyscallTrapTest, SelectorsOfAddresses) {
  const TrapReport report =
      Run("connect(127.0.0.2:*)=ECONNREFUSED; send(127.0.0.1:*)=ENOBUFS", [] {
        const int listener = NewListener();
        sockaddr_in other = Loopback(PortOf(listener));
        other.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
        std::string text = Outcome(connect(
            NewSocket(), reinterpret_cast<sockaddr*>(&other), sizeof(other)));
        const int client = NewSocket();
        absl::StrAppend(&text, " ", Outcome(Connect(client, PortOf(listener))));
        absl::StrAppend(&text, " ", Outcome(send(client, "x", 1, 0)));
        return text;
      });
  EXPECT_EQ(report.report, "ECONNREFUSED OK ENOBUFS");
}

TEST_F(SyscallTrapTest, OnlyTcpSocketsCount) {
  const TrapReport report = Run("recv#1=EIO; poll#1=ENOMEM; *@1=EMFILE", [] {
    std::array<int, 2> ends = {};
    std::string text = Outcome(pipe2(ends.data(), O_CLOEXEC));
    WriteAll(ends[1], "xxxx");
    std::array<char, 1> byte = {};
    absl::StrAppend(&text, " ", Outcome(read(ends[0], byte.data(), 1)));
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data());
    WriteAll(ends[1], "xxxx");
    absl::StrAppend(&text, " ", Outcome(recv(ends[0], byte.data(), 1, 0)));
    pollfd event = {.fd = ends[0], .events = POLLIN, .revents = 0};
    absl::StrAppend(&text, " ", Outcome(poll(&event, 1, -1)));
    absl::StrAppend(&text, " ",
                    Outcome(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
    // Now TCP.
    absl::StrAppend(&text, " ", Outcome(NewSocket()));
    const Pair pair = NewPair();
    event.fd = pair.server;
    absl::StrAppend(&text, " ", Outcome(poll(&event, 1, 0)));
    absl::StrAppend(&text, " ", Outcome(read(pair.server, byte.data(), 1)));
    return text;
  });
  EXPECT_EQ(report.report, "OK OK OK OK OK EMFILE ENOMEM EIO");
}

TEST_F(SyscallTrapTest, EpollCountsIfItWaitsForTcp) {
  const TrapReport report = Run("poll#1=EIO", [] {
    std::array<int, 2> ends = {};
    std::string text = Outcome(pipe2(ends.data(), O_CLOEXEC));
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event = {.events = EPOLLIN, .data = {}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
    absl::StrAppend(&text, " ", Outcome(epoll_wait(epoll, &event, 1, 0)));
    event = {.events = EPOLLIN, .data = {}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, NewListener(), &event);
    absl::StrAppend(&text, " ", Outcome(epoll_wait(epoll, &event, 1, 0)));
    return text;
  });
  EXPECT_EQ(report.report, "OK OK EIO");
}

TEST_F(SyscallTrapTest, ThreadsAndChildrenCountTogether) {
  const TrapReport report = Run("socket#3=EMFILE", [] {
    std::string text = Outcome(NewSocket());
    std::thread([&] {
      absl::StrAppend(&text, " ", Outcome(NewSocket()));
    }).join();
    const pid_t child = fork();
    if (child == 0) _exit(NewSocket() < 0 ? errno : 0);
    int status = 0;
    waitpid(child, &status, 0);
    return absl::StrCat(text, " ", WEXITSTATUS(status) == EMFILE);
  });
  EXPECT_EQ(report.report, "OK OK 1");
}

}  // namespace
}  // namespace net::trap
