#include "conformance/environments/hooked/hooked_environment.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/environment.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_plan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

// The tests call the C library, as an implementation does, and the kernel of
// the environment, as the suite does.

namespace net::conformance {
namespace {

using testing::ElementsAre;

class HookedEnvironmentTest : public testing::Test {
 protected:
  Syscalls& sys() { return env_->syscalls(); }

  // Listens by the C library on a port of the FakeKernel's choice.
  static int Listen() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(listen(fd, 16), 0);
    return fd;
  }
  static ip::Endpoint EndpointOf(int fd) {
    sockaddr_in address = {};
    socklen_t size = sizeof(address);
    EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    return {ip::kLocalV4, ntohs(address.sin_port)};
  }

  static std::unique_ptr<Environment> Make() {
    return MakeHookedEnvironment({}, [] { _exit(kAbandoned); });
  }

  static constexpr int kAbandoned = 7;

  std::unique_ptr<Environment> env_ = Make();
};

TEST_F(HookedEnvironmentTest, TheLibraryAndTheSuiteShareAKernel) {
  const int listener = Listen();
  auto client = loopback::ConnectTo(sys(), EndpointOf(listener));
  ASSERT_THAT(client, IsOk());
  const int server = accept(listener, nullptr, nullptr);
  ASSERT_GE(server, 0);
  ASSERT_EQ(write(server, "abc", 3), 3);
  std::array<char, 8> data = {};
  EXPECT_THAT(sys().Recv(client->fd(), data.data(), data.size(), 0),
              IsOkAndHolds(3));
  EXPECT_EQ(close(server), 0);
  EXPECT_EQ(close(listener), 0);
}

TEST_F(HookedEnvironmentTest, TheLibraryIsLinuxsAgainAtTheEnd) {
  const int before = socket(AF_INET, SOCK_STREAM, 0);
  // The placeholder, which only a system call without the library shows.
  int domain = 0;
  socklen_t size = sizeof(domain);
  ASSERT_EQ(
      syscall(SYS_getsockopt, before, SOL_SOCKET, SO_DOMAIN, &domain, &size),
      0);
  EXPECT_EQ(domain, AF_UNIX);
  EXPECT_EQ(close(before), 0);
  env_.reset();
  const int after = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(
      syscall(SYS_getsockopt, after, SOL_SOCKET, SO_DOMAIN, &domain, &size), 0);
  EXPECT_EQ(domain, AF_INET);
  EXPECT_EQ(close(after), 0);
}

TEST_F(HookedEnvironmentTest, NumbersAreThoseOfLinux) {
  const int native = dup(STDERR_FILENO);
  ASSERT_EQ(close(native), 0);
  EXPECT_EQ(socket(AF_INET, SOCK_STREAM, 0), native);
  EXPECT_EQ(dup(STDERR_FILENO), native + 1);
  EXPECT_THAT(sys().Socket(AF_INET, SOCK_STREAM, 0), IsOkAndHolds(native + 2));
  std::array<int, 2> ends = {};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  EXPECT_THAT(ends, ElementsAre(native + 3, native + 4));
  for (int fd = native; fd <= native + 4; ++fd) EXPECT_EQ(close(fd), 0);
}

TEST_F(HookedEnvironmentTest, TheLimitLeavesExactlyWhatWasAsked) {
  env_->LimitDescriptors(1);
  const int last = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_GE(last, 0);
  EXPECT_EQ(socket(AF_INET, SOCK_STREAM, 0), -1);
  EXPECT_EQ(errno, EMFILE);
  EXPECT_THAT(sys().Socket(AF_INET, SOCK_STREAM, 0), IsErrno(EMFILE));
  EXPECT_TRUE(HasOwnFd(env_->OpenDescriptors(), last));
  env_->LimitDescriptors(std::nullopt);
  EXPECT_THAT(sys().Socket(AF_INET, SOCK_STREAM, 0), IsOkAndHolds(last + 1));
}

TEST_F(HookedEnvironmentTest, ThePlaceholderOfABlockedAcceptIsNotOpen) {
  const int listener = Listen();
  const auto before = env_->OpenDescriptors();
  int server = -1;
  const auto task =
      env_->Start([&] { server = accept(listener, nullptr, nullptr); });
  ASSERT_TRUE(task->AwaitBlocked());
  EXPECT_EQ(env_->OpenDescriptors(), before);
  ASSERT_THAT(loopback::ConnectTo(sys(), EndpointOf(listener)), IsOk());
  task->Join();
  EXPECT_TRUE(HasOwnFd(env_->OpenDescriptors(), server));
  EXPECT_EQ(close(server), 0);
}

// The number of each future descriptor is taken while others are made.
TEST_F(HookedEnvironmentTest, ManyCallsThatAreBlockedMakeDescriptors) {
  constexpr int kTasks = 8;
  const int listener = Listen();
  std::vector<std::unique_ptr<Task>> tasks;
  for (int i = 0; i < kTasks; ++i) {
    tasks.push_back(env_->Start([&] {
      const int server = accept(listener, nullptr, nullptr);
      EXPECT_GE(server, 0) << errno;
      EXPECT_EQ(close(server), 0);
    }));
    ASSERT_TRUE(tasks.back()->AwaitBlocked());
  }
  for (int i = 0; i < kTasks; ++i) {
    EXPECT_THAT(loopback::ConnectTo(sys(), EndpointOf(listener)), IsOk());
  }
  for (const auto& task : tasks) task->Join();
}

TEST_F(HookedEnvironmentTest, APipeCarriesVectors) {
  std::array<int, 2> ends = {};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  std::string first = "ab";
  std::string second = "cde";
  const iovec out[] = {{first.data(), first.size()},
                       {second.data(), second.size()}};
  EXPECT_EQ(writev(ends[1], out, 2), 5);
  std::string head(1, '?');
  std::string tail(8, '?');
  const iovec in[] = {{head.data(), head.size()}, {tail.data(), tail.size()}};
  EXPECT_EQ(readv(ends[0], in, 2), 5);
  EXPECT_EQ(head + tail.substr(0, 4), "abcde");
  EXPECT_FALSE(HasOwnFd(env_->DescriptorsAfterExec(), ends[0]));
}

TEST_F(HookedEnvironmentTest, ACloseWithoutTheLibraryIsSeen) {
  const int listener = Listen();
  const ip::Endpoint at = EndpointOf(listener);
  EXPECT_EQ(syscall(SYS_close, listener), 0);
  EXPECT_EQ(fcntl(listener, F_GETFD), -1);
  EXPECT_THAT(loopback::ConnectTo(sys(), at), IsErrno(ECONNREFUSED));
}

TEST_F(HookedEnvironmentTest, CallsCanBeMadeToFail) {
  FaultInjector faults(sys());
  faults.Arm(*ParseFaultPlan("listen=ENOBUFS"));
  CallThrough(faults);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(listen(fd, 1), -1);
  EXPECT_EQ(errno, ENOBUFS);
  EXPECT_THAT(sys().Listen(fd, 1), IsOk());
  CallThrough(sys());
  EXPECT_EQ(listen(fd, 1), 0);
}

TEST_F(HookedEnvironmentTest, ATaskThatIsDestroyedWhileItWaitsEndsTheTrial) {
  EXPECT_EXIT(
      {
        env_.reset();
        const auto env = Make();
        const int listener = Listen();
        env->Start([&] { accept(listener, nullptr, nullptr); });
        _exit(0);
      },
      testing::ExitedWithCode(kAbandoned), "");
}

TEST_F(HookedEnvironmentTest, ATaskThatHasEndedEndsNothing) {
  bool ended = false;
  env_->Start([&] { ended = true; });
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace net::conformance
