#include "conformance/environments/linux/linux_network.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <optional>
#include <string>

#include "conformance/engine/outcome.h"
#include "conformance/suite/case.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/targets/run_on_linux.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// What a process does that is allowed to make namespaces, but has no
// capabilities in them. seccomp(2) takes them away here: each system call that
// would need one fails with EPERM.

namespace net::conformance {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// Makes a system call fail with EPERM where (argument & mask) == value, in this
// process and those that it forks.
void Forbid(uint32_t number, uint32_t argument, uint32_t mask, uint32_t value) {
  const auto offset = static_cast<uint32_t>(offsetof(seccomp_data, args) +
                                            argument * sizeof(uint64_t));
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter = {.len = std::size(program), .filter = program};
  ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

// The loopback interface cannot be taken up.
void ForbidInterfaceFlags() { Forbid(SYS_ioctl, 1, ~0U, SIOCSIFFLAGS); }
// The maps of the user namespace cannot be written: nothing can.
void ForbidWriting() { Forbid(SYS_openat, 2, O_ACCMODE, O_WRONLY); }

// What `body` returns in a child process.
std::string InChild(const std::function<std::string()>& body) {
  std::array<int, 2> pipe_fds = {};
  EXPECT_EQ(pipe2(pipe_fds.data(), O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::string text = body();
    const bool is_written = write(pipe_fds[1], text.data(), text.size()) ==
                            static_cast<ssize_t>(text.size());
    _exit(is_written && !testing::Test::HasFailure() ? 0 : 1);
  }
  close(pipe_fds[1]);
  std::array<char, 4096> text = {};
  std::string all;
  ssize_t size = 0;
  while ((size = read(pipe_fds[0], text.data(), text.size())) > 0) {
    all.append(text.data(), static_cast<size_t>(size));
  }
  close(pipe_fds[0]);
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return all;
}

ino_t OwnNamespace(const char* kind) {
  struct stat link = {};
  EXPECT_EQ(stat((std::string("/proc/self/ns/") + kind).c_str(), &link), 0);
  return link.st_ino;
}

// Why there is no network of its own; says so if the process was moved.
std::string WhyNotAndNotMoved() {
  const ino_t network = OwnNamespace("net");
  const ino_t user = OwnNamespace("user");
  const std::optional<std::string> why = EnterOwnNetwork();
  if (!why.has_value()) return "it was moved";
  const bool is_moved =
      network != OwnNamespace("net") || user != OwnNamespace("user");
  return is_moved ? "it was moved, though " + *why : *why;
}

// Any user but root.
bool BecomeOther() {
  return setgid(65534) == 0 && setuid(65534) == 0 &&
         prctl(PR_SET_DUMPABLE, 1) == 0;
}

TEST(OwnNetworkTest, IsEnteredOrNotAtAll) {
  const std::string answer = InChild([] {
    const ino_t before = OwnNamespace("net");
    const std::optional<std::string> why = EnterOwnNetwork();
    EXPECT_NE(why.has_value(), before != OwnNamespace("net"));
    return why.value_or("");
  });
  if (!answer.empty()) GTEST_SKIP() << answer;
}

TEST(OwnNetworkTest, WithoutTheRightToConfigureItIsNotEntered) {
  EXPECT_THAT(InChild([] {
                ForbidInterfaceFlags();
                return WhyNotAndNotMoved();
              }),
              AllOf(StartsWith("no network namespace of its own: "),
                    HasSubstr("EPERM")));
}

TEST(OwnNetworkTest, AUserNamespaceWithoutCapabilitiesIsNotEntered) {
  for (const auto forbid : {&ForbidInterfaceFlags, &ForbidWriting}) {
    const std::string why = InChild([forbid]() -> std::string {
      if (!BecomeOther()) return "skip";
      forbid();
      return WhyNotAndNotMoved();
    });
    if (why == "skip") GTEST_SKIP() << "there is no other user";
    EXPECT_THAT(why, AllOf(StartsWith("no network namespace of its own: "),
                           HasSubstr("EPERM")));
  }
}

// What a whole run makes of it: a precondition where a case needs a network of
// its own, and nothing where it does not.
TEST(OwnNetworkTest, WithoutItCasesRunOrLackAPrecondition) {
  const std::string outcomes = InChild([] {
    ForbidInterfaceFlags();
    Case test_case = MakeCase([](Context& c) { EXPECT_TRUE(c.Listen().ok()); });
    std::string all;
    for (const Need need : {Need::kNone, Need::kOwnNetwork}) {
      test_case.needs = need;
      const Verdict verdict = RunOne(test_case, NetTcpOnLinux()).verdict;
      all += std::string(OutcomeName(verdict.outcome)) + " ";
    }
    return all;
  });
  EXPECT_EQ(outcomes, "pass precondition ");
}

}  // namespace
}  // namespace net::conformance
