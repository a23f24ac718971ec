#include "conformance/environments/linux/linux_environment.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conformance/engine/outcome.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/targets/run_on_linux.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sandbox/forbidden_calls.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

// Tests each action of the environment. Each runs as a case of its own, because
// it changes the process that it runs in.

namespace net::conformance {
namespace {

using testing::Contains;
using testing::Not;

// Runs a case that needs something. Skips the test where that is lacking.
#define EXPECT_PASSES(needs_, ...)                                      \
  do {                                                                  \
    Case test_case = MakeCase(__VA_ARGS__);                             \
    test_case.needs = needs_;                                           \
    const Verdict verdict = RunOne(test_case, NetTcpOnLinux()).verdict; \
    if (verdict.outcome == Outcome::kPrecondition) {                    \
      GTEST_SKIP() << verdict.message;                                  \
    }                                                                   \
    EXPECT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;      \
  } while (false)

SysResult BindTo(Syscalls& sys, const ip::Endpoint& local) {
  const SysResult made =
      sys.Socket(local.addr.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!made.ok()) return made;
  const ip::SockAddr address(local);
  const SysResult bound = sys.Bind(made.fd(), address.get(), address.size());
  static_cast<void>(sys.Close(made.fd()));
  return bound;
}

SysResult ConnectTo(Syscalls& sys, const ip::Endpoint& remote) {
  const SysResult made =
      sys.Socket(remote.addr.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!made.ok()) return made;
  const ip::SockAddr address(remote);
  const SysResult result =
      sys.Connect(made.fd(), address.get(), address.size());
  static_cast<void>(sys.Close(made.fd()));
  return result;
}

std::vector<int> NumbersOf(const std::vector<Environment::Descriptor>& list) {
  std::vector<int> numbers;
  for (const auto& descriptor : list) numbers.push_back(descriptor.id.fd);
  return numbers;
}

TEST(LinuxEnvironmentTest, TheLedgerListsWhatIsOpen) {
  EXPECT_PASSES(Need::kNone, [](Context& c) {
    const SysResult made = c.sys().Socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_THAT(made, IsOk());
    EXPECT_THAT(NumbersOf(c.env().OpenDescriptors()), Contains(made.fd()));
    ASSERT_THAT(c.sys().Close(made.fd()), IsOk());
    EXPECT_THAT(NumbersOf(c.env().OpenDescriptors()), Not(Contains(made.fd())));
  });
}

TEST(LinuxEnvironmentTest, AnExecedProgramHasWhatIsNotCloseOnExec) {
  EXPECT_PASSES(Need::kExec, [](Context& c) {
    const SysResult kept = c.sys().Socket(AF_INET, SOCK_STREAM, 0);
    const SysResult gone =
        c.sys().Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_TRUE(kept.ok() && gone.ok());
    const auto after = c.env().DescriptorsAfterExec();
    EXPECT_TRUE(HasOwnFd(after, kept.fd()));
    EXPECT_FALSE(HasOwnFd(after, gone.fd()));
    ASSERT_THAT(c.sys().Close(kept.fd()), IsOk());
    ASSERT_THAT(c.sys().Close(gone.fd()), IsOk());
  });
}

TEST(LinuxEnvironmentTest, AForkedProcessSharesTheOpenFiles) {
  EXPECT_PASSES(Need::kFork, [](Context& c) {
    const SysResult counter = c.sys().EventFd(0, 0);
    ASSERT_THAT(counter, IsOk());
    const auto child = c.env().Fork([fd = counter.fd()](Syscalls& sys) {
      const uint64_t three = 3;
      static_cast<void>(sys.Write(fd, &three, sizeof(three)));
    });
    child->Join();
    EXPECT_FALSE(child->AwaitBlocked());
    uint64_t count = 0;
    EXPECT_THAT(c.sys().Read(counter.fd(), &count, sizeof(count)), IsOk());
    EXPECT_EQ(count, 3U);
    ASSERT_THAT(c.sys().Close(counter.fd()), IsOk());
  });
}

TEST(LinuxEnvironmentTest, TheDescriptorLimitLeavesExactlyWhatWasAsked) {
  EXPECT_PASSES(Need::kNone, [](Context& c) {
    // A free number below the highest descriptor counts, too.
    const SysResult low = c.sys().EventFd(0, 0);
    const SysResult high = c.sys().EventFd(0, 0);
    ASSERT_TRUE(low.ok() && high.ok());
    ASSERT_THAT(c.sys().Close(low.fd()), IsOk());
    c.env().LimitDescriptors(2);
    const SysResult first = c.sys().EventFd(0, 0);
    const SysResult second = c.sys().EventFd(0, 0);
    EXPECT_THAT(c.sys().EventFd(0, 0), IsErrno(EMFILE));
    c.env().LimitDescriptors(0);
    EXPECT_THAT(c.sys().EventFd(0, 0), IsErrno(EMFILE));
    c.env().LimitDescriptors(std::nullopt);
    const SysResult third = c.sys().EventFd(0, 0);
    for (const SysResult open : {high, first, second, third}) {
      ASSERT_THAT(open, IsOk());
      EXPECT_THAT(c.sys().Close(open.fd()), IsOk());
    }
  });
}

TEST(LinuxEnvironmentTest, PrivilegedPortsCanBeTakenAway) {
  EXPECT_PASSES(Need::kOwnNetwork, [](Context& c) {
    const ip::Endpoint privileged{ip::kLocalV4, 80};
    EXPECT_THAT(BindTo(c.sys(), privileged), IsOk());
    c.env().DropPrivilegedPorts();
    EXPECT_THAT(BindTo(c.sys(), privileged), IsErrno(EACCES));
  });
}

TEST(LinuxEnvironmentTest, TheOtherUserIsAnother) {
  EXPECT_PASSES(Need::kOtherUser | Need::kOwnNetwork, [](Context& c) {
    // SO_REUSEPORT requires the same effective user.
    const auto ours =
        loopback::ListenAnywhere(c.sys(), AF_INET, {.reuse_port = true});
    ASSERT_TRUE(ours.ok());
    const auto listen = [&] {
      return loopback::ListenOn(c.sys(), ours->endpoint(),
                                {.reuse_port = true});
    };
    c.env().AsOtherUser([&] { EXPECT_THAT(listen(), IsErrno(EADDRINUSE)); });
    EXPECT_TRUE(listen().ok());
  });
}

TEST(LinuxEnvironmentTest, SysctlsAreThoseOfTheCase) {
  EXPECT_PASSES(Need::kOwnNetwork, [](Context& c) {
    c.env().SetSysctl("net.ipv4.ip_local_port_range", "40000 40000");
    const auto listener = loopback::ListenAnywhere(c.sys(), AF_INET);
    ASSERT_TRUE(listener.ok());
    EXPECT_EQ(listener->endpoint().port, 40000);
  });
}

// An older kernel may lack it.
TEST(LinuxEnvironmentTest, AMissingSysctlIsAPrecondition) {
  const Verdict verdict = VerdictOf(
      [](Context& c) { c.env().SetSysctl("net.ipv4.no_such_thing", "1"); });
  EXPECT_EQ(verdict.outcome, Outcome::kPrecondition);
  EXPECT_THAT(verdict.message, testing::HasSubstr("no_such_thing"));
}

TEST(LinuxEnvironmentTest, TheLoopbackInterfaceGoesDown) {
  // The interface takes ::1 with it. 127.0.0.1 and its route stay: a connect to
  // it would wait for an answer to segments that are lost.
  EXPECT_PASSES(Need::kOwnNetwork | Need::kIpv6, [](Context& c) {
    const ip::Endpoint target{ip::kLocalV6, 1};
    EXPECT_THAT(ConnectTo(c.sys(), target), IsErrno(ECONNREFUSED));
    c.env().SetLoopbackUp(false);
    EXPECT_THAT(ConnectTo(c.sys(), target), IsErrno(EADDRNOTAVAIL));
  });
}

TEST(LinuxEnvironmentTest, RoutesFailAsAsked) {
  EXPECT_PASSES(Need::kOwnNetwork, [](Context& c) {
    const ip::Endpoint target{c.Foreign(), 1};
    EXPECT_THAT(ConnectTo(c.sys(), target), IsErrno(ENETUNREACH));
    c.env().AddFailingRoute(target.addr, EHOSTUNREACH);
    EXPECT_THAT(ConnectTo(c.sys(), target), IsErrno(EHOSTUNREACH));
  });
}

TEST(LinuxEnvironmentTest, AnErrnoThatNoRouteHasIsAHarnessError) {
  EXPECT_EQ(VerdictOf([](Context& c) {
              c.env().AddFailingRoute(c.Foreign(), EPIPE);
            }).outcome,
            Outcome::kHarnessError);
}

// A process whose network namespaces come without capabilities.
TEST(LinuxEnvironmentTest, WithoutAnOwnNetworkCasesRunOrLackAPrecondition) {
  EXPECT_THAT(sandbox::RunInChild([] {
                EXPECT_THAT(sandbox::ForbidInterfaceFlags(), IsOk());
                Case test_case =
                    MakeCase([](Context& c) { EXPECT_TRUE(c.Listen().ok()); });
                std::string all;
                for (const Need need : {Need::kNone, Need::kOwnNetwork}) {
                  test_case.needs = need;
                  const Verdict verdict =
                      RunOne(test_case, NetTcpOnLinux()).verdict;
                  all += std::string(OutcomeName(verdict.outcome)) + " ";
                }
                return all;
              }),
              IsOkAndHolds("pass precondition "));
}

TEST(LinuxEnvironmentTest, CasesShareNoPorts) {
  // Each of them would be the only listener on 40001.
  for (int i = 0; i < 2; ++i) {
    EXPECT_PASSES(Need::kOwnNetwork, [](Context& c) {
      EXPECT_TRUE(loopback::ListenOn(c.sys(), {ip::kLocalV4, 40001}).ok());
    });
  }
}

TEST(LinuxEnvironmentTest, ATaskThatRunsIsNotBlocked) {
  EXPECT_PASSES(Need::kNone, [](Context& c) {
    const auto task = c.env().Start([] {});
    task->Join();
    EXPECT_FALSE(task->AwaitBlocked());
    task->Interrupt();
  });
}

TEST(LinuxEnvironmentTest, ABlockedTaskIsInterruptedAgainAndAgain) {
  EXPECT_PASSES(Need::kNone, [](Context& c) {
    int interruptions = 0;
    const auto task = c.env().Start([&] {
      while (interruptions < 3) {
        if (c.sys().Poll(nullptr, 0, -1).error() == EINTR) ++interruptions;
      }
    });
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(task->AwaitBlocked());
      task->Interrupt();
    }
    task->Join();
    EXPECT_EQ(interruptions, 3);
  });
}

}  // namespace
}  // namespace net::conformance
