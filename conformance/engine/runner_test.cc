#include "conformance/engine/runner.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/harness_error.h"
#include "conformance/targets/run_on_linux.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

// Tests of the runner: the processes of trials, their ends and their reports.

namespace net::conformance {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(DefaultJobs, AreTwiceTheProcessorsAndEnoughToWait) {
  EXPECT_EQ(DefaultJobs(0), 8);
  EXPECT_EQ(DefaultJobs(1), 8);
  EXPECT_EQ(DefaultJobs(2), 16);
  EXPECT_EQ(DefaultJobs(8), 16);
  EXPECT_EQ(DefaultJobs(9), 18);
  EXPECT_EQ(DefaultJobs(64), 128);
  EXPECT_EQ(DefaultJobs(), DefaultJobs(std::thread::hardware_concurrency()));
}

TEST(RunnerTest, AHangIsATimeout) {
  const Verdict verdict = VerdictOf(
      [](Context&) {
        std::cout << "going to wait" << std::endl;
        while (true) pause();
      },
      {.timeout = absl::Seconds(5)});
  EXPECT_EQ(verdict.outcome, Outcome::kTimeout);
  EXPECT_THAT(verdict.message,
              AllOf(HasSubstr("5s"), HasSubstr("going to wait")));
}

TEST(RunnerTest, ATrialThatStillMakesCallsHasMoreTime) {
  const Verdict verdict = VerdictOf(
      [](Context& c) {
        for (int i = 0; i < 65; ++i) {
          EXPECT_THAT(c.sys().Poll(nullptr, 0, 100), IsOkAndHolds(0));
        }
      },
      {.timeout = absl::Seconds(6)});
  EXPECT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;
}

TEST(RunnerTest, ATrialThatMakesCallsForEverIsATimeout) {
  const Verdict verdict = VerdictOf(
      [](Context& c) {
        while (c.sys().Poll(nullptr, 0, 1).ok()) {
        }
      },
      {.timeout = absl::Seconds(2)});
  EXPECT_EQ(verdict.outcome, Outcome::kTimeout);
  EXPECT_THAT(verdict.message, HasSubstr("still made system calls"));
}

TEST(RunnerTest, WhatIsKnownToHangIsNotWaitedForLong) {
  const Case test_case =
      MakeCase([](Context& c) { c.env().Start([] { pause(); })->Join(); });
  const Target target = NetTcpOnLinux();
  RunTrials({{.test_case = &test_case, .target = &target, .may_hang = true}},
            {.timeout = absl::Hours(1),
             .timeout_of_hanging = absl::Milliseconds(100)},
            [](const Record& record) {
              EXPECT_EQ(record.verdict.outcome, Outcome::kTimeout);
              EXPECT_THAT(record.verdict.message,
                          HasSubstr("did not end within 100ms"));
            });
}

TEST(RunnerTest, AMessageOfAnySizeComesWhole) {
  const Verdict verdict = VerdictOf([](Context&) {
    ADD_FAILURE() << std::string(1 << 20, 'x') << "the end";
  });
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_GT(verdict.message.size(), 1U << 20);
  EXPECT_THAT(verdict.message, HasSubstr("the end"));
}

// Returns which subject the trial of a case with `needs` starts: the message of
// its verdict.
std::string SubjectFor(Need needs) {
  Target target = NetTcpOnLinux();
  target.start_subject = []() -> std::unique_ptr<Subject> {
    throw HarnessError("plain");
  };
  target.start_trapped_subject =
      [](bool traps_close) -> std::unique_ptr<Subject> {
    throw HarnessError(traps_close ? "trapped with close" : "trapped");
  };
  Case one = MakeCase([](Context&) {});
  one.needs = needs;
  return RunOne(one, target).verdict.message;
}

TEST(RunnerTest, ACaseThatNeedsFaultsRunsWithATrappedSubject) {
  EXPECT_EQ(SubjectFor(Need::kNone), "plain");
  EXPECT_EQ(SubjectFor(Need::kFaults), "trapped");
  EXPECT_EQ(SubjectFor(Need::kFaults | Need::kFaultsOfClose),
            "trapped with close");
}

TEST(RunnerTest, ACrashedOrLateTrialDoesNotDisturbTheOthers) {
  const Target target = NetTcpOnLinux();
  const Case pass = MakeCase([](Context&) {});
  const Case crash = MakeCase([](Context&) { std::abort(); });
  const Case hang = MakeCase([](Context&) {
    while (true) pause();
  });
  std::vector<Trial> trials;
  for (int i = 0; i < 5; ++i) {
    for (const Case* test_case : {&pass, &crash, &hang}) {
      trials.push_back({.test_case = test_case,
                        .family = AddressFamily::kV4,
                        .target = &target,
                        .may_hang = test_case == &hang});
    }
  }
  std::map<const Case*, std::map<Outcome, int>> counts;
  RunTrials(trials, {.jobs = 4, .timeout_of_hanging = absl::Seconds(1)},
            [&](const Record& record) {
              ++counts[record.trial.test_case][record.verdict.outcome];
            });
  EXPECT_EQ(counts[&pass][Outcome::kPass], 5);
  EXPECT_EQ(counts[&crash][Outcome::kCrash], 5);
  EXPECT_EQ(counts[&hang][Outcome::kTimeout], 5);
}

TEST(RunnerTest, WhatATrialStartedEndsWithIt) {
  // Every process of the trial holds the other end of the pipe. So at the end
  // of file all of them are gone.
  static int pipe_fds[2];
  ASSERT_EQ(pipe2(pipe_fds, O_CLOEXEC), 0);
  const Verdict verdict = VerdictOf([](Context&) {
    if (fork() != 0) std::abort();
    while (true) pause();
  });
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  close(pipe_fds[1]);
  char byte = 0;
  EXPECT_EQ(read(pipe_fds[0], &byte, 1), 0);
  close(pipe_fds[0]);
}

TEST(RunnerTest, ADaemonOfATrialEndsWithIt) {
  // As in the test above. A daemon is killed although it has its own session
  // and process group, its parent is dead, and the trial ends by itself.
  for (void (*const end)() : {+[] { std::abort(); }, +[] {}}) {
    static void (*end_trial)();
    end_trial = end;
    static int pipe_fds[2];
    ASSERT_EQ(pipe2(pipe_fds, O_CLOEXEC), 0);
    static_cast<void>(VerdictOf([](Context&) {
      const pid_t child = fork();
      if (child == 0) {
        setsid();
        if (fork() != 0) _exit(0);
        while (true) pause();
      }
      waitpid(child, nullptr, 0);
      end_trial();
    }));
    close(pipe_fds[1]);
    char byte = 0;
    EXPECT_EQ(read(pipe_fds[0], &byte, 1), 0);
    close(pipe_fds[0]);
  }
}

// Writes to every pipe of this process, including the one to the runner.
void WriteToPipes(absl::string_view text) {
  for (int fd = STDERR_FILENO + 1; fd < 64; ++fd) {
    struct stat file = {};
    if (fstat(fd, &file) != 0 || !S_ISFIFO(file.st_mode)) continue;
    [[maybe_unused]] const ssize_t written =
        write(fd, text.data(), text.size());
  }
}

TEST(RunnerTest, AReportThatIsNoneCostsItsOwnTrial) {
  const Case forges[] = {
      MakeCase([](Context&) {
        WriteToPipes(absl::string_view("{\"outcome\":\"pass\"}\0", 19));
        _exit(0);
      }),
      MakeCase([](Context&) {
        WriteToPipes(absl::string_view("{\"outcome\":[7]}\0", 16));
        _exit(0);
      }),
      // Written before the trial's own report.
      MakeCase([](Context&) { WriteToPipes("{}"); }),
      MakeCase([](Context&) { WriteToPipes(absl::string_view("\0", 1)); }),
  };
  const Case pass = MakeCase([](Context&) {});
  const Target target = NetTcpOnLinux();
  for (const Case& forge : forges) {
    std::map<const Case*, Verdict> verdicts;
    RunTrials({{.test_case = &forge, .target = &target},
               {.test_case = &pass, .target = &target}},
              {.jobs = 2}, [&](const Record& record) {
                verdicts[record.trial.test_case] = record.verdict;
              });
    EXPECT_EQ(verdicts[&forge].outcome, Outcome::kCrash);
    EXPECT_THAT(verdicts[&forge].message,
                HasSubstr("status 0 with an invalid report: "));
    EXPECT_EQ(verdicts[&pass].outcome, Outcome::kPass);
  }
}

TEST(RunnerTest, ATrialThatCannotBeStartedIsAHarnessError) {
  // The runner itself starts the subject.
  Target target = NetTcpOnLinux();
  target.start_subject = []() -> std::unique_ptr<Subject> {
    throw HarnessError("no more processes");
  };
  const Verdict verdict = RunOne(MakeCase([](Context&) {}), target).verdict;
  EXPECT_EQ(verdict.outcome, Outcome::kHarnessError);
  EXPECT_EQ(verdict.message, "no more processes");
}

}  // namespace
}  // namespace net::conformance
