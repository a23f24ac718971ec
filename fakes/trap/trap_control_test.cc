// One trapped process that gets a plan after the other.

#include "fakes/trap/trap_control.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/trap/probe.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// `cycle serve` under the program trap.
class TrapControlTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const absl::Status status = trap::CheckSeccomp(); !status.ok()) {
      GTEST_SKIP() << status;
    }
  }

  void Start(bool traps_close = false) {
    std::array<int, 2> control = {};
    std::array<int, 2> commands = {};
    std::array<int, 2> results = {};
    ASSERT_EQ(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control.data()),
        0);
    ASSERT_EQ(pipe2(commands.data(), O_CLOEXEC), 0);
    ASSERT_EQ(pipe2(results.data(), O_CLOEXEC), 0);
    child_ = fork();
    ASSERT_GE(child_, 0);
    if (child_ == 0) {
      dup2(commands[0], STDIN_FILENO);
      dup2(results[1], STDOUT_FILENO);
      fcntl(control[1], F_SETFD, 0);
      const std::string fd = "--control-fd=" + std::to_string(control[1]);
      execl("fakes/trap/trap", "trap", fd.c_str(),
            traps_close ? "--trap-close" : "--notrap-close", "--",
            "fakes/trap/cycle_program", "serve", nullptr);
      _exit(99);
    }
    close(control[1]);
    close(commands[0]);
    close(results[1]);
    commands_ = commands[1];
    results_ = results[0];
    faults_.emplace(control[0]);
  }

  void TearDown() override {
    if (child_ <= 0) return;
    close(commands_);
    close(results_);
    int status = -1;
    waitpid(child_, &status, 0);
    EXPECT_EQ(status, 0);
  }

  // Runs a cycle, by this command of cycle.c. Returns its errno.
  int Cycle(char command = 'c') const {
    EXPECT_EQ(write(commands_, &command, 1), 1);
    std::string line;
    for (char c = 0; read(results_, &c, 1) == 1 && c != '\n';) line += c;
    return line.empty() ? -1 : std::stoi(line);
  }

  TrapControl& faults() { return *faults_; }
  static FaultPlan Plan(absl::string_view text) {
    return *ParseFaultPlan(text);
  }

 private:
  pid_t child_ = -1;
  int commands_ = -1;
  int results_ = -1;
  std::optional<TrapControl> faults_;
};

TEST_F(TrapControlTest, OneProcessServesManyPlans) {
  Start();
  EXPECT_EQ(Cycle(), 0);
  faults().Arm(Plan("listen=EADDRINUSE"));
  EXPECT_EQ(Cycle(), EADDRINUSE);
  EXPECT_THAT(faults().Unmatched(), IsEmpty());
  EXPECT_EQ(faults().Count("listen"), 1);
  EXPECT_EQ(faults().Count("accept"), 0);

  faults().Arm(Plan("connect#1=ECONNREFUSED; accept4#2=EMFILE"));
  EXPECT_EQ(faults().Count("listen"), 0);
  EXPECT_EQ(Cycle(), ECONNREFUSED);
  EXPECT_THAT(faults().Unmatched(), SizeIs(1));
  EXPECT_EQ(Cycle(), 0);
  EXPECT_EQ(faults().Count("accept"), 1);
  EXPECT_THAT(faults().OpenDescriptors(), IsEmpty());
  EXPECT_THAT(faults().status(), IsOk());
}

TEST_F(TrapControlTest, AReportHasTraceAndOpenDescriptors) {
  Start();
  faults().Arm(Plan("accept4=EMFILE"));
  EXPECT_EQ(Cycle(), EMFILE);
  EXPECT_THAT(faults().Trace(),
              Contains(AllOf(HasSubstr("accept4("),
                             HasSubstr("= -1 EMFILE (INJECTED)"))));
  // cycle.c leaks the listener here.
  EXPECT_THAT(faults().OpenDescriptors(), SizeIs(1));
  // A descriptor from before does not count.
  faults().Arm({});
  EXPECT_THAT(faults().OpenDescriptors(), IsEmpty());
  EXPECT_THAT(faults().Trace(), IsEmpty());
  EXPECT_EQ(faults().failure(), "");
}

TEST_F(TrapControlTest, SocketsAreCountedFromThePlanOn) {
  Start();
  EXPECT_EQ(Cycle(), 0);
  for (int i = 0; i < 2; ++i) {
    faults().Arm(Plan("bind(socket 1)=EACCES"));
    EXPECT_EQ(Cycle(), EACCES);
  }
}

TEST_F(TrapControlTest, AFaultAfterTheLastReportIsUnseen) {
  Start();
  faults().Arm(Plan("listen=EADDRINUSE"));
  EXPECT_EQ(Cycle(), EADDRINUSE);
  EXPECT_THAT(faults().Unmatched(), IsEmpty());
  faults().Arm(Plan("listen=EADDRINUSE"));
  EXPECT_EQ(faults().UnseenFaults(), 0);

  EXPECT_THAT(faults().Unmatched(), SizeIs(1));
  EXPECT_EQ(Cycle(), EADDRINUSE);
  faults().Arm(Plan("listen=EADDRINUSE"));
  EXPECT_EQ(faults().UnseenFaults(), 1);

  // Without any report.
  EXPECT_EQ(Cycle(), EADDRINUSE);
  faults().Arm({});
  EXPECT_EQ(faults().UnseenFaults(), 2);
  // A plan that applied to nothing.
  faults().Arm(Plan("shutdown=ENOTCONN"));
  faults().Arm({});
  EXPECT_EQ(faults().UnseenFaults(), 2);
}

TEST_F(TrapControlTest, StrayClosesAreCountedFromThePlanOn) {
  Start(/*traps_close=*/true);
  faults().Arm({});
  EXPECT_EQ(Cycle('s'), 0);
  EXPECT_EQ(faults().StrayCloses(), 1);
  faults().Arm({});
  EXPECT_EQ(faults().StrayCloses(), 0);
}

TEST_F(TrapControlTest, AFailureIsReported) {
  Start();
  // A lock is the process's.
  faults().Arm(Plan("fcntl=EIO after"));
  EXPECT_EQ(Cycle('l'), 0);
  EXPECT_THAT(faults().failure(), HasSubstr("fcntl"));
  faults().Arm({});
  EXPECT_EQ(faults().failure(), "");
}

TEST_F(TrapControlTest, ATraceThatIsTooLongIsCut) {
  Start();
  faults().Arm({});
  EXPECT_EQ(Cycle('t'), 0);
  EXPECT_THAT(faults().Trace(), Contains("..."));
  EXPECT_THAT(faults().status(), IsOk());
}

// Answers a request on the channel in place of the program trap.
void Answer(int channel, absl::string_view answer) {
  std::array<char, 1024> request = {};
  EXPECT_GT(recv(channel, request.data(), request.size(), 0), 0);
  EXPECT_EQ(send(channel, answer.data(), answer.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(answer.size()));
}

TEST(TrapControl, InterruptionsThatWereNotMadeAreReported) {
  std::array<int, 2> ends = {};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()),
            0);
  std::thread trap([&] {
    Answer(ends[1],
           R"({"unmatched": [], "counts": {}, "trace": [], "open": [],)"
           R"( "stray_closes": 2, "phantom_eintr": 3, "failure": ""})");
  });
  const TrapControl faults(ends[0]);
  EXPECT_EQ(faults.PhantomInterruptions(), 3);
  EXPECT_THAT(faults.status(), IsOk());
  trap.join();
  close(ends[1]);
}

TEST(TrapControl, ATrapThatHasEnded) {
  std::array<int, 2> control = {};
  ASSERT_EQ(
      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control.data()), 0);
  TrapControl faults(control[0]);
  // It ends when it has the request.
  std::thread trap([&] {
    std::array<char, 100> request = {};
    EXPECT_GT(read(control[1], request.data(), request.size()), 0);
    close(control[1]);
  });
  faults.Arm(*ParseFaultPlan("socket=EMFILE"));
  trap.join();
  EXPECT_EQ(faults.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(faults.Unmatched(), SizeIs(1));
}

TEST_F(TrapControlTest, CloseIsTrappedByRequest) {
  Start(/*traps_close=*/true);
  faults().Arm(Plan("close#1=EIO"));
  EXPECT_EQ(Cycle(), 0);  // It does not look.
  EXPECT_THAT(faults().Unmatched(), IsEmpty());
  EXPECT_EQ(faults().Count("close"), 3);
  EXPECT_EQ(faults().StrayCloses(), 0);
}

TEST_F(TrapControlTest, APlanThatNeedsAnotherCallIsRefused) {
  Start();
  faults().Arm(Plan("close=EIO"));
  EXPECT_EQ(faults().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(faults().status().message(), HasSubstr("close"));
  EXPECT_THAT(faults().Unmatched(), SizeIs(1));
  faults().ClearStatus();
  faults().Arm(Plan("socket=EMFILE"));
  EXPECT_EQ(Cycle(), EMFILE);
  EXPECT_THAT(faults().status(), IsOk());
}

}  // namespace
}  // namespace net
