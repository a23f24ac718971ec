#ifndef FAKES_FAULTS_FAULT_INJECTOR_TEST_BASE_H_
#define FAKES_FAULTS_FAULT_INJECTOR_TEST_BASE_H_

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <ostream>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_plan.h"
#include "gtest/gtest.h"
#include "syscalls/linux_syscalls.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net {

enum class Target { kFakeKernel, kLinux };

inline void PrintTo(Target target, std::ostream* os) {
  *os << (target == Target::kLinux ? "Linux" : "FakeKernel");
}

inline FaultPlan PlanOf(absl::string_view text) {
  return ParseFaultPlan(text).value();
}

// An injector in front of a FakeKernel and of Linux, with raw sockets. The
// sockets are closed at the end.
class FaultInjectorTest : public testing::TestWithParam<Target> {
 protected:
  FaultInjectorTest() : FaultInjectorTest(FaultInjector::Options()) {}
  explicit FaultInjectorTest(const FaultInjector::Options& options)
      : process_(fake_.NewProcess()),
        target_(GetParam() == Target::kLinux ? static_cast<Syscalls&>(linux_)
                                             : process_),
        sys_(target_, options) {}
  ~FaultInjectorTest() override {
    NoteOpen();
    // Those that the test has closed fail with EBADF.
    for (const int fd : open_) static_cast<void>(target_.Close(fd));
  }

  void Arm(absl::string_view text) {
    NoteOpen();  // Arm() forgets them.
    sys_.Arm(PlanOf(text));
  }

  bool is_fake() const { return GetParam() == Target::kFakeKernel; }

  static int Made(SysResult result) {
    EXPECT_THAT(result, IsOk());
    return result.ok() ? result.fd() : -1;
  }

  int NewSocket(int flags = 0) {
    return Made(sys_.Socket(AF_INET, SOCK_STREAM | flags, 0));
  }

  int NewListener(int flags = 0) {
    const int fd = NewSocket(flags);
    const ip::SockAddr any_port(ip::Endpoint{ip::kLocalV4, 0});
    EXPECT_THAT(sys_.Bind(fd, any_port.get(), any_port.size()), IsOk());
    EXPECT_THAT(sys_.Listen(fd, 10), IsOk());
    return fd;
  }

  ip::Endpoint LocalOf(int fd) {
    ip::SockAddr addr;
    EXPECT_THAT(target_.GetSockName(fd, addr.get(), addr.size_ptr()), IsOk());
    return addr.ToEndpoint().value_or(ip::Endpoint());
  }

  SysResult ConnectTo(int fd, const ip::Endpoint& to) {
    const ip::SockAddr addr(to);
    return sys_.Connect(fd, addr.get(), addr.size());
  }

  int NewClientOf(int listener) {
    const int fd = NewSocket();
    EXPECT_THAT(ConnectTo(fd, LocalOf(listener)), IsOk());
    return fd;
  }

  // Returns a non-blocking socket whose connection has been refused. The error
  // is still pending.
  int NewRefusedClient() {
    const int listener = NewListener();
    const ip::Endpoint refused = LocalOf(listener);
    EXPECT_THAT(sys_.Close(listener), IsOk());
    const int fd = NewSocket(SOCK_NONBLOCK);
    EXPECT_THAT(ConnectTo(fd, refused), IsErrno(EINPROGRESS));
    pollfd polled = {fd, POLLOUT, 0};
    EXPECT_THAT(sys_.Poll(&polled, 1, 10'000), IsOkAndHolds(1));
    return fd;
  }

  SysResult Accept(int listener) {
    return sys_.Accept4(listener, nullptr, nullptr, 0);
  }

  struct Connection {
    int listener;
    int client;
    int server;
  };
  Connection Connect() {
    Connection made = {};
    made.listener = NewListener();
    made.client = NewClientOf(made.listener);
    made.server = Made(Accept(made.listener));
    return made;
  }

  // Waits, on the target, until a read of the descriptor would not block.
  void AwaitReadable(int fd) {
    pollfd polled = {fd, POLLIN, 0};
    EXPECT_THAT(target_.Poll(&polled, 1, 10'000), IsOkAndHolds(1));
  }

  // Returns what a descriptor has received, by one recv(2) on the target.
  std::string Received(int fd) {
    AwaitReadable(fd);
    char buffer[100];
    const SysResult got =
        target_.Recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    return got.ok() ? std::string(buffer, static_cast<size_t>(got.value()))
                    : "failed";
  }

  // Returns SO_ERROR, read on the target.
  int PendingError(int fd) {
    int error = 0;
    socklen_t len = sizeof(error);
    EXPECT_THAT(target_.GetSockOpt(fd, SOL_SOCKET, SO_ERROR, &error, &len),
                IsOk());
    return error;
  }

  void NoteOpen() {
    for (const int fd : sys_.OpenDescriptors()) open_.insert(fd);
  }

  std::set<int> open_;  // Descriptors that may be open at the end.
  FakeKernel fake_;
  // Its clock jumps while this thread sleeps.
  FakeKernel::Participant self_{fake_, "main"};
  FakeProcess& process_;
  LinuxSyscalls linux_;
  Syscalls& target_;
  FaultInjector sys_;
};

inline std::string NameOfTarget(const testing::TestParamInfo<Target>& info) {
  return info.param == Target::kLinux ? "Linux" : "FakeKernel";
}

}  // namespace net

#endif  // FAKES_FAULTS_FAULT_INJECTOR_TEST_BASE_H_
