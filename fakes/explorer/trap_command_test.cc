// The explorer prints each finding as a command for a program. Here such
// commands are run on programs that have the scenarios' bugs.

#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/scenario_kit.h"
#include "fakes/trap/probe.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using kit::CloseIt;
using kit::ToStatus;
using testing::HasSubstr;

// timeout(1)'s status, which trap --timeout has, too.
constexpr int kTimedOut = 124;

absl::Status Leak(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  const SysResult bound = kit::BindTo(sys, made.fd(), 0);
  if (!bound.ok()) return ToStatus(bound, "bind");  // The bug.
  return CloseIt(sys, made.fd());
}

absl::Status Mask(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  const SysResult bound = kit::BindTo(sys, made.fd(), 0);
  const absl::Status closed = CloseIt(sys, made.fd());
  if (!closed.ok()) return closed;  // The bug.
  return ToStatus(bound, "bind");
}

absl::Status Swallow(Syscalls& sys) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return ToStatus(made, "socket");
  static_cast<void>(kit::TurnOn(sys, made.fd(), SO_REUSEADDR));  // The bug.
  return CloseIt(sys, made.fd());
}

absl::Status Interrupt(Syscalls& sys) {
  kit::Pair pair;
  absl::Status status = kit::MakePair(sys, &pair);
  if (!status.ok()) return status;
  status = ToStatus(
      kit::RetryOnEintr([&] { return kit::SendOnce(sys, pair.client, "x"); }),
      "send");
  char byte = 0;
  if (status.ok()) {  // The bug.
    status = ToStatus(kit::RecvOnce(sys, pair.server, &byte, 1), "recv");
  }
  return kit::FirstError(status, kit::ClosePair(sys, pair));
}

absl::Status Spin(Syscalls& sys) {
  int listener = -1;
  uint16_t port = 0;
  absl::Status status = kit::MakeListener(sys, &listener, &port);
  if (!status.ok()) return status;
  const SysResult client = kit::NewSocket(sys);
  status = ToStatus(client, "socket");
  if (client.ok()) {
    status = ToStatus(kit::ConnectPatiently(sys, client.fd(), port), "connect");
  }
  SysResult server;
  if (status.ok()) {
    do {
      server = kit::AcceptFrom(sys, listener);
    } while (server.error() == EINTR || server.error() == EMFILE);  // The bug.
    status = ToStatus(server, "accept");
  }
  if (server.ok()) status = CloseIt(sys, server.fd());
  if (client.ok()) {
    status = kit::FirstError(status, CloseIt(sys, client.fd()));
  }
  return kit::FirstError(status, CloseIt(sys, listener));
}

absl::Status SendPart(Syscalls& sys) {
  constexpr absl::string_view kMessage = "message";
  kit::Pair pair;
  absl::Status status = kit::MakePair(sys, &pair);
  if (!status.ok()) return status;
  status = ToStatus(kit::RetryOnEintr([&] {  // The bug.
                      return kit::SendOnce(sys, pair.client, kMessage);
                    }),
                    "send");
  status = kit::FirstError(status, CloseIt(sys, pair.client));
  size_t size = 0;
  SysResult received;
  do {
    char byte = 0;
    received = kit::RetryOnEintr(
        [&] { return kit::RecvOnce(sys, pair.server, &byte, 1); });
    if (received.ok()) size += static_cast<size_t>(received.value());
  } while (received.ok() && received.value() > 0);
  status = kit::FirstError(status, ToStatus(received, "recv"));
  if (status.ok() && size != kMessage.size()) {
    status = absl::DataLossError("a shorter message");
  }
  return kit::FirstError(status, CloseIt(sys, pair.server));
}

struct Ended {
  int status = 0;
  std::string output;

  friend bool operator==(const Ended&, const Ended&) = default;
  friend std::ostream& operator<<(std::ostream& os, const Ended& ended) {
    return os << "status " << ended.status << " and \"" << ended.output << '"';
  }
};

// Runs a shell command.
Ended RunShell(const std::string& command) {
  FILE* const pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) return {.status = -1};
  Ended ended;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
    ended.output += static_cast<char>(c);
  }
  const int status = pclose(pipe);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

std::string Here(absl::string_view file) {
  return std::filesystem::absolute(std::string(file)).string();
}

// A program that does not end without the fault is killed after this time, and
// the test fails. One that is to be killed takes this time.
constexpr char kTimeout[] = "60s";
constexpr char kShortTimeout[] = "2s";

struct Bug {
  std::string program;  // The argument of `planted`.
  Scenario scenario;
  FindingKind kind;
  std::string plan;
  std::string output;  // Without the fault.
  Ended with_fault;
  ExploreOptions options;

  friend void PrintTo(const Bug& bug, std::ostream* os) { *os << bug.program; }
};

class TrapCommandTest : public testing::TestWithParam<Bug> {};

TEST_P(TrapCommandTest, ShowsTheFindingToAProgram) {
  if (const absl::Status works = trap::CheckSeccomp(); !works.ok()) {
    GTEST_SKIP() << works;
  }
  const Bug& bug = GetParam();
  const std::string program =
      absl::StrCat(Here("fakes/explorer/planted"), " ", bug.program);
  EXPECT_EQ(RunShell(program),
            (Ended{.status = 0, .output = absl::StrCat(bug.output, "\n")}));

  const ExploreResult result = ExploreFaults(bug.options, bug.scenario);
  ASSERT_EQ(result.findings.size(), 1u) << result;
  const ExploreFinding& finding = result.findings[0];
  EXPECT_EQ(finding.kind, bug.kind) << result;
  EXPECT_EQ(finding.plan.ToString(), bug.plan);
  const std::string printed = TrapCommand(finding.plan);
  EXPECT_THAT(result.ToString(), HasSubstr(printed));

  const bool hangs = bug.with_fault.status == kTimedOut;
  const std::string command = absl::StrReplaceAll(
      printed, {{"bazel run //fakes:trap --",
                 absl::StrCat(Here("fakes/trap/trap"),
                              " --timeout=", hangs ? kShortTimeout : kTimeout)},
                {"PROGRAM", program}});
  EXPECT_EQ(RunShell(command), bug.with_fault) << command;
}

INSTANTIATE_TEST_SUITE_P(
    Planted, TrapCommandTest,
    testing::Values(
        Bug{.program = "leak",
            .scenario = Leak,
            .kind = FindingKind::kLeak,
            .plan = "bind=EADDRINUSE",
            .output = "0 descriptors leaked, OK",
            .with_fault = {.output = "1 descriptors leaked, EADDRINUSE\n"}},
        Bug{.program = "mask",
            .scenario = Mask,
            .kind = FindingKind::kMasked,
            .plan = "bind=EADDRINUSE; close=EIO",
            .output = "OK",
            .with_fault = {.output = "EIO\n"}},
        Bug{.program = "swallow",
            .scenario = Swallow,
            .kind = FindingKind::kSwallowed,
            .plan = "setsockopt=ENOPROTOOPT",
            .output = "SO_REUSEADDR is 1, OK",
            .with_fault = {.output = "SO_REUSEADDR is 0, OK\n"}},
        Bug{.program = "interrupt",
            .scenario = Interrupt,
            .kind = FindingKind::kNotRetried,
            .plan = "recv=EINTR",
            .output = "OK",
            .with_fault = {.output = "EINTR\n"}},
        Bug{.program = "spin",
            .scenario = Spin,
            .kind = FindingKind::kRetryStorm,
            .plan = "accept4=EMFILE",
            .output = "OK",
            .with_fault = {.status = kTimedOut},
            .options = {.declarations = {Retries(Call::kAccept4, EMFILE)}}},
        Bug{.program = "part",
            .scenario = SendPart,
            .kind = FindingKind::kShortCount,
            .plan = "send=short(1)",
            .output = "message",
            .with_fault = {.output = "m\n"}}),
    [](const testing::TestParamInfo<Bug>& bug) { return bug.param.program; });

}  // namespace
}  // namespace net
