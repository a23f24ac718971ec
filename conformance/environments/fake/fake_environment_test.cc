#include "conformance/environments/fake/fake_environment.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <ctime>
#include <memory>
#include <optional>
#include <vector>

#include "conformance/loopback/loopback.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/harness_error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

// Tests each action of the environment.

namespace net::conformance {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr Need kNeeds[] = {Need::kIpv6, Need::kOwnNetwork, Need::kOtherUser,
                           Need::kExec, Need::kFork};
// TEST-NET-1 (RFC 5737).
constexpr ip::Addr kForeign = ip::Addr::V4(192, 0, 2, 1);

class FakeEnvironmentTest : public testing::Test {
 protected:
  Syscalls& sys() { return env_->syscalls(); }

  int NewSocket(int flags = 0) {
    const SysResult made = sys().Socket(AF_INET, SOCK_STREAM | flags, 0);
    EXPECT_THAT(made, IsOk());
    return made.ok() ? made.fd() : -1;
  }

  // Binds or connects a socket, and closes it again.
  SysResult BindTo(const ip::Endpoint& local) {
    const SysResult made = sys().Socket(local.addr.family(), SOCK_STREAM, 0);
    if (!made.ok()) return made;
    const ip::SockAddr address(local);
    const SysResult bound =
        sys().Bind(made.fd(), address.get(), address.size());
    EXPECT_THAT(sys().Close(made.fd()), IsOk());
    return bound;
  }
  SysResult ConnectTo(const ip::Endpoint& remote) {
    const SysResult made = sys().Socket(remote.addr.family(), SOCK_STREAM, 0);
    if (!made.ok()) return made;
    const ip::SockAddr address(remote);
    const SysResult result =
        sys().Connect(made.fd(), address.get(), address.size());
    EXPECT_THAT(sys().Close(made.fd()), IsOk());
    return result;
  }

  std::vector<int> Ledger() {
    std::vector<int> numbers;
    for (const auto& one : env_->OpenDescriptors())
      numbers.push_back(one.id.fd);
    return numbers;
  }

  const std::unique_ptr<Environment> env_ = MakeFakeEnvironment({});
};

// --- Needs -------------------------------------------------------------------

TEST_F(FakeEnvironmentTest, LacksNothing) {
  for (const Need need : kNeeds) EXPECT_EQ(env_->Lacks(need), std::nullopt);
  EXPECT_THAT(BindTo({ip::kLocalV6, 0}), IsOk());
}

TEST(FakeEnvironment, MayLackIpv6) {
  const auto env = MakeFakeEnvironment({.disable_ipv6 = true});
  EXPECT_NE(env->Lacks(Need::kIpv6), std::nullopt);
  EXPECT_EQ(env->Lacks(Need::kOwnNetwork), std::nullopt);
  const auto listener = loopback::ListenAnywhere(env->syscalls(), AF_INET6);
  EXPECT_THAT(listener, IsErrno(EADDRNOTAVAIL));
  EXPECT_THAT(loopback::ListenAnywhere(env->syscalls(), AF_INET), IsOk());
}

TEST_F(FakeEnvironmentTest, EachCaseHasAWorldOfItsOwn) {
  const auto listener = loopback::ListenOn(sys(), {ip::kLocalV4, 40001});
  EXPECT_THAT(listener, IsOk());
  const auto other = MakeFakeEnvironment({});
  EXPECT_THAT(loopback::ListenOn(other->syscalls(), {ip::kLocalV4, 40001}),
              IsOk());
}

// --- Descriptors -------------------------------------------------------------

TEST_F(FakeEnvironmentTest, TheStandardStreamsAreOpen) {
  EXPECT_THAT(Ledger(), ElementsAre(0, 1, 2));
}

TEST_F(FakeEnvironmentTest, TheLedgerListsWhatIsOpen) {
  const int fd = NewSocket();
  EXPECT_THAT(Ledger(), Contains(fd));
  EXPECT_THAT(env_->OpenDescriptors().back().what, HasSubstr("TCP socket"));
  ASSERT_THAT(sys().Close(fd), IsOk());
  EXPECT_THAT(Ledger(), Not(Contains(fd)));
}

TEST_F(FakeEnvironmentTest, AnExecedProgramHasWhatIsNotCloseOnExec) {
  const int kept = NewSocket();
  const int gone = NewSocket(SOCK_CLOEXEC);
  const auto after = env_->DescriptorsAfterExec();
  EXPECT_TRUE(HasOwnFd(after, kept));
  EXPECT_FALSE(HasOwnFd(after, gone));
  EXPECT_THAT(Ledger(), AllOf(Contains(kept), Contains(gone)));
}

TEST_F(FakeEnvironmentTest, AnExecedProgramIsGoneAgain) {
  auto listener = loopback::ListenAnywhere(sys(), AF_INET);
  ASSERT_THAT(listener, IsOk());
  const ip::Endpoint at = listener->endpoint();
  ASSERT_THAT(sys().Fcntl(listener->socket().fd(), F_SETFD, 0), IsOk());
  EXPECT_TRUE(HasOwnFd(env_->DescriptorsAfterExec(), listener->socket().fd()));
  ASSERT_THAT(listener->socket().Close(), IsOk());
  EXPECT_THAT(ConnectTo(at), IsErrno(ECONNREFUSED));
}

TEST_F(FakeEnvironmentTest, TheDescriptorLimitLeavesExactlyWhatWasAsked) {
  // A free number below the highest descriptor counts, too.
  const int low = NewSocket();
  const int high = NewSocket();
  ASSERT_THAT(sys().Close(low), IsOk());
  env_->LimitDescriptors(2);
  EXPECT_THAT(sys().EventFd(0, 0), IsOkAndHolds(low));
  EXPECT_THAT(sys().EventFd(0, 0), IsOkAndHolds(high + 1));
  EXPECT_THAT(sys().EventFd(0, 0), IsErrno(EMFILE));
  env_->LimitDescriptors(0);
  EXPECT_THAT(sys().EventFd(0, 0), IsErrno(EMFILE));
  env_->LimitDescriptors(std::nullopt);
  EXPECT_THAT(sys().EventFd(0, 0), IsOk());
}

// --- Privileges --------------------------------------------------------------

TEST_F(FakeEnvironmentTest, PrivilegedPortsCanBeTakenAway) {
  const ip::Endpoint privileged{ip::kLocalV4, 80};
  EXPECT_THAT(BindTo(privileged), IsOk());
  env_->DropPrivilegedPorts();
  EXPECT_THAT(BindTo(privileged), IsErrno(EACCES));
  EXPECT_THAT(BindTo({ip::kLocalV4, 1024}), IsOk());
}

TEST_F(FakeEnvironmentTest, TheOtherUserIsAnother) {
  // SO_REUSEPORT requires the same effective user.
  const auto ours =
      loopback::ListenAnywhere(sys(), AF_INET, {.reuse_port = true});
  ASSERT_THAT(ours, IsOk());
  const auto listen = [&] {
    return loopback::ListenOn(sys(), ours->endpoint(), {.reuse_port = true});
  };
  env_->AsOtherUser([&] { EXPECT_THAT(listen(), IsErrno(EADDRINUSE)); });
  EXPECT_THAT(listen(), IsOk());
}

TEST_F(FakeEnvironmentTest, TheOtherUserHasNoRights) {
  const ip::Endpoint privileged{ip::kLocalV4, 80};
  env_->AsOtherUser([&] { EXPECT_THAT(BindTo(privileged), IsErrno(EACCES)); });
  EXPECT_THAT(BindTo(privileged), IsOk());
  env_->DropPrivilegedPorts();
  env_->AsOtherUser([] {});
  EXPECT_THAT(BindTo(privileged), IsErrno(EACCES))
      << "what was dropped is gone";
}

// --- The network -------------------------------------------------------------

TEST_F(FakeEnvironmentTest, SysctlsAreThoseOfTheCase) {
  env_->SetSysctl("net.ipv4.ip_local_port_range", "40000 40000");
  const auto listener = loopback::ListenAnywhere(sys(), AF_INET);
  ASSERT_THAT(listener, IsOk());
  EXPECT_EQ(listener->endpoint().port, 40000);
}

TEST_F(FakeEnvironmentTest, Ipv6CanBeSwitchedOffAndOnAgain) {
  env_->SetSysctl("net.ipv6.conf.all.disable_ipv6", "1");
  EXPECT_NE(env_->Lacks(Need::kIpv6), std::nullopt);
  env_->SetSysctl("net.ipv6.conf.all.disable_ipv6", "0");
  EXPECT_EQ(env_->Lacks(Need::kIpv6), std::nullopt);
}

TEST_F(FakeEnvironmentTest, WhatIsNoSysctlIsAHarnessError) {
  EXPECT_THROW(env_->SetSysctl("net.ipv4.no_such_thing", "1"), HarnessError);
  EXPECT_THROW(env_->SetSysctl("net.ipv4.tcp_syn_retries", "many"),
               HarnessError);
}

TEST_F(FakeEnvironmentTest, TheLoopbackInterfaceGoesDown) {
  const ip::Endpoint v4{ip::kLocalV4, 1};
  const ip::Endpoint v6{ip::kLocalV6, 1};
  EXPECT_THAT(ConnectTo(v6), IsErrno(ECONNREFUSED));
  env_->SetLoopbackUp(false);
  EXPECT_THAT(ConnectTo(v6), IsErrno(EADDRNOTAVAIL));
  EXPECT_THAT(ConnectTo(v4), IsErrno(ETIMEDOUT));
}

// ip-route(8): unreachable, prohibit, blackhole.
TEST_F(FakeEnvironmentTest, RoutesFailAsAsked) {
  for (const int error : {EHOSTUNREACH, EACCES, EINVAL}) {
    const auto env = MakeFakeEnvironment({});
    const auto connect = [&] {
      return loopback::ConnectTo(env->syscalls(), {kForeign, 1});
    };
    EXPECT_THAT(connect(), IsErrno(ENETUNREACH));
    env->AddFailingRoute(kForeign, error);
    EXPECT_THAT(connect(), IsErrno(error));
  }
}

TEST_F(FakeEnvironmentTest, AnErrnoThatNoRouteHasIsAHarnessError) {
  EXPECT_THROW(env_->AddFailingRoute(kForeign, EPIPE), HarnessError);
}

// --- Tasks -------------------------------------------------------------------

TEST_F(FakeEnvironmentTest, ATaskRunsBesideTheCase) {
  const auto listener = loopback::ListenAnywhere(sys(), AF_INET);
  ASSERT_THAT(listener, IsOk());
  const auto task =
      env_->Start([&] { EXPECT_THAT(listener->Accept(), IsOk()); });
  EXPECT_TRUE(task->AwaitBlocked());
  EXPECT_THAT(ConnectTo(listener->endpoint()), IsOk());
  task->Join();
}

TEST_F(FakeEnvironmentTest, ATaskThatHasEndedIsNotBlocked) {
  const auto task = env_->Start([] {});
  task->Join();
  EXPECT_FALSE(task->AwaitBlocked());
  task->Interrupt();
}

TEST_F(FakeEnvironmentTest, ABlockedTaskIsInterruptedAgainAndAgain) {
  int interruptions = 0;
  const auto task = env_->Start([&] {
    while (interruptions < 3) {
      if (sys().Poll(nullptr, 0, -1).error() == EINTR) ++interruptions;
    }
  });
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(task->AwaitBlocked());
    task->Interrupt();
  }
  task->Join();
  EXPECT_EQ(interruptions, 3);
}

TEST_F(FakeEnvironmentTest, AForkedProcessIsKilledWhileItsCallIsBlocked) {
  const auto listener = loopback::ListenAnywhere(sys(), AF_INET);
  ASSERT_THAT(listener, IsOk());
  SysResult answer;
  const auto child =
      env_->Fork([&, fd = listener->socket().fd()](Syscalls& process) {
        answer = process.Accept4(fd, nullptr, nullptr, 0);
      });
  EXPECT_TRUE(child->AwaitBlocked());
  child->Kill();
  EXPECT_FALSE(child->AwaitBlocked());
  EXPECT_THAT(answer, IsErrno(EINTR));
  EXPECT_THAT(ConnectTo(listener->endpoint()), IsOk());
}

TEST_F(FakeEnvironmentTest, TimeIsVirtual) {
  timespec now = {};
  ASSERT_THAT(sys().ClockGetTime(CLOCK_MONOTONIC, &now), IsOk());
  const time_t before = now.tv_sec;
  // A year of virtual time passes while the case waits for the task.
  constexpr timespec kYear = {.tv_sec = 31'536'000, .tv_nsec = 0};
  const auto task = env_->Start(
      [&] { EXPECT_THAT(sys().NanoSleep(&kYear, nullptr), IsOk()); });
  task->Join();
  ASSERT_THAT(sys().ClockGetTime(CLOCK_MONOTONIC, &now), IsOk());
  EXPECT_EQ(now.tv_sec - before, kYear.tv_sec);
}

TEST_F(FakeEnvironmentTest, ATaskThatWaitsForNothingIsToldSo) {
  SysResult answer;
  auto task = env_->Start([&] { answer = sys().Poll(nullptr, 0, -1); });
  EXPECT_TRUE(task->AwaitBlocked());
  task.reset();
  EXPECT_THAT(answer, IsErrno(EDEADLK));
}

}  // namespace
}  // namespace net::conformance
