#ifndef SYSCALLS_LINUX_SYSCALLS_TEST_BASE_H_
#define SYSCALLS_LINUX_SYSCALLS_TEST_BASE_H_

#include <poll.h>
#include <sys/socket.h>

#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/linux_syscalls.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net {

// Checks for each method that it makes the system call of its name, that the
// arguments are in the right order, and that the kernel's errno is returned.
// Each test uses an effect that only that call has.
class LinuxSyscallsTest : public testing::Test {
 protected:
  ~LinuxSyscallsTest() override {
    for (const int fd : opened_) {
      if (fd < 0) continue;
      EXPECT_THAT(sys_.Close(fd), IsOk()) << fd;
    }
  }

  // Returns the descriptor of a successful call, which the fixture closes. If
  // the call failed, fails the test and returns -1.
  int Opened(SysResult result) {
    EXPECT_THAT(result, IsOk());
    return Own(result.ok() ? result.fd() : -1);
  }
  int Own(int fd) {
    opened_.push_back(fd);
    return fd;
  }

  int TcpSocket() {
    return Opened(sys_.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }

  // Returns a listener on 127.0.0.1 and stores its address.
  int Listener(ip::SockAddr* address) {
    const int fd = TcpSocket();
    const ip::SockAddr any(ip::Endpoint{ip::kLocalV4, 0});
    EXPECT_THAT(sys_.Bind(fd, any.get(), any.size()), IsOk());
    EXPECT_THAT(sys_.Listen(fd, 4), IsOk());
    EXPECT_THAT(sys_.GetSockName(fd, address->get(), address->size_ptr()),
                IsOk());
    return fd;
  }

  // Two connected TCP sockets.
  struct Ends {
    int client;
    int server;
  };
  Ends Connected() {
    ip::SockAddr address;
    const int listener = Listener(&address);
    const int client = TcpSocket();
    EXPECT_THAT(sys_.Connect(client, address.get(), address.size()), IsOk());
    const int server =
        Opened(sys_.Accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    return {client, server};
  }

  std::optional<ip::Endpoint> NameOf(int fd,
                                     SysResult (Syscalls::*call)(int, sockaddr*,
                                                                 socklen_t*)) {
    ip::SockAddr address;
    if (!(sys_.*call)(fd, address.get(), address.size_ptr()).ok()) {
      return std::nullopt;
    }
    return address.ToEndpoint();
  }

  short Readiness(int fd, short events) {
    pollfd entry = {.fd = fd, .events = events, .revents = 0};
    EXPECT_THAT(sys_.Poll(&entry, 1, 0), IsOk());
    return entry.revents;
  }

  LinuxSyscalls kernel_;
  Syscalls& sys_ = kernel_;

 private:
  std::vector<int> opened_;
};

}  // namespace net

#endif  // SYSCALLS_LINUX_SYSCALLS_TEST_BASE_H_
