#include "conformance/engine/runner.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/trial.h"
#include "conformance/environments/linux/linux_environment.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/harness_error.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/precondition.h"
#include "conformance/targets/net_tcp.h"
#include "conformance/targets/run_on_linux.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/mutex.h"
#include "syscalls/syscalls.h"

// Tests of the engine: mistakes of implementations and cases, and the resulting
// records.

namespace net::conformance {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// net_tcp, but PeerAddr() calls a function of the test.
class Rogue : public Implementation {
 public:
  using Behaviour = Result<std::optional<ip::Endpoint>> (*)();

  Rogue(Syscalls& sys, Behaviour behaviour)
      : honest_(MakeNetTcp(sys)), behaviour_(behaviour) {}

  Result<Handle> Listen(const ip::Endpoint& local,
                        const ListenOptions& options) override {
    return honest_->Listen(local, options);
  }
  Result<Handle> Connect(const ip::Endpoint& remote,
                         const ConnectOptions& options) override {
    return honest_->Connect(remote, options);
  }
  Result<Handle> Accept(Handle listener,
                        const AcceptOptions& options) override {
    return honest_->Accept(listener, options);
  }
  Result<std::optional<ip::Endpoint>> PeerAddr(Handle) override {
    return behaviour_();
  }
  Result<ip::Endpoint> LocalAddr(Handle socket) override {
    return honest_->LocalAddr(socket);
  }
  Result<size_t> Send(Handle socket, absl::string_view data) override {
    return honest_->Send(socket, data);
  }
  Result<size_t> Recv(Handle socket, absl::Span<char> buffer) override {
    return honest_->Recv(socket, buffer);
  }
  Result<Done> Shutdown(Handle socket, int how) override {
    return honest_->Shutdown(socket, how);
  }
  Result<Done> PendingError(Handle socket) override {
    return honest_->PendingError(socket);
  }
  Result<Done> Close(Handle socket) override { return honest_->Close(socket); }

 private:
  const std::unique_ptr<Implementation> honest_;
  const Behaviour behaviour_;
};

// Returns the verdict on a case that asks a listener for its peer.
Verdict VerdictOn(Rogue::Behaviour behaviour) {
  Target target = NetTcpOnLinux();
  target.make_implementation = [behaviour](Syscalls& sys) {
    return std::make_unique<Rogue>(sys, behaviour);
  };
  const Case test_case = MakeCase([](Context& c) {
    ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
    ASSERT_OK_AND_ASSIGN(const auto peer, listener.PeerAddr());
    EXPECT_EQ(peer, std::nullopt);
  });
  return RunOne(test_case, target).verdict;
}

TEST(RunnerTest, PassesAHonestImplementation) {
  EXPECT_EQ(VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
              return std::optional<ip::Endpoint>();
            }).outcome,
            Outcome::kPass);
}

TEST(RunnerTest, AnAnswerThatIsWrongFailsWithExpectedAndActual) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
        return std::optional<ip::Endpoint>({ip::kLocalV4, 4711});
      });
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message,
              AllOf(HasSubstr("runner_test.cc:"), HasSubstr("127.0.0.1:4711")));
}

TEST(RunnerTest, AnErrorFailsWithItsErrno) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
        return Error{ErrorKind::kInvalid, EINVAL, "made up"};
      });
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message,
              AllOf(HasSubstr("EINVAL"), HasSubstr("made up")));
}

TEST(RunnerTest, AClaimIsUnsupportedWithItsReason) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
        return Unsupported{"no such thing here"};
      });
  EXPECT_EQ(verdict.outcome, Outcome::kUnsupported);
  EXPECT_EQ(verdict.message, "no such thing here");
}

TEST(RunnerTest, AThrowIsACrash) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
        throw std::runtime_error("thrown on purpose");
      });
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, HasSubstr("thrown on purpose"));
}

TEST(RunnerTest, AThrowOfAnythingIsACrash) {
  EXPECT_EQ(VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
              throw 7;
            }).outcome,
            Outcome::kCrash);
}

TEST(RunnerTest, AnAbortIsACrashThatNamesTheSignal) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
        std::cerr << "last words" << std::endl;
        std::abort();
      });
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message,
              AllOf(HasSubstr("SIGABRT"), HasSubstr("last words")));
}

TEST(RunnerTest, AnExitIsACrashWhateverItsStatus) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> { _exit(0); });
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, HasSubstr("status 0 before its verdict"));
}

TEST(RunnerTest, SigpipeIsNotIgnored) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
        std::raise(SIGPIPE);
        return std::optional<ip::Endpoint>();
      });
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, HasSubstr("SIGPIPE"));
}

TEST(RunnerTest, AHangIsATimeout) {
  const Verdict verdict = VerdictOf(
      [](Context&) {
        std::cout << "going to wait" << std::endl;
        while (true) pause();
      },
      {.timeout = absl::Milliseconds(500)});
  EXPECT_EQ(verdict.outcome, Outcome::kTimeout);
  EXPECT_THAT(verdict.message,
              AllOf(HasSubstr("500ms"), HasSubstr("going to wait")));
}

TEST(RunnerTest, ADescriptorLeftOpenIsALeakWithWhatItIs) {
  const Verdict verdict = VerdictOf([](Context& c) {
    const SysResult made = c.sys().Socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_TRUE(made.ok());
    ASSERT_TRUE(c.sys().Listen(made.fd(), 1).ok());
  });
  EXPECT_EQ(verdict.outcome, Outcome::kPass);
  EXPECT_EQ(verdict.leak, Leak::kLeak);
  EXPECT_THAT(verdict.leaked,
              AllOf(HasSubstr("left open"), HasSubstr("0.0.0.0:"),
                    HasSubstr("listening")));
}

TEST(RunnerTest, ADescriptorThatWasClosedByMistakeIsALeak) {
  const Verdict verdict =
      VerdictOf([](Context& c) { ASSERT_TRUE(c.sys().Close(0).ok()); });
  EXPECT_EQ(verdict.outcome, Outcome::kPass);
  EXPECT_EQ(verdict.leak, Leak::kLeak);
  EXPECT_THAT(verdict.leaked, HasSubstr("closed, but not opened by the case"));
}

TEST(RunnerTest, ADescriptorOfAnotherSocketIsAnotherOne) {
  const Verdict verdict = VerdictOf([](Context& c) {
    ASSERT_TRUE(c.sys().Close(0).ok());
    ASSERT_EQ(c.sys().Socket(AF_INET, SOCK_STREAM, 0), SysResult::Ok(0));
  });
  EXPECT_THAT(
      verdict.leaked,
      AllOf(HasSubstr("left open: descriptor 0, socket"),
            HasSubstr("closed, but not opened by the case: descriptor 0")));
}

TEST(RunnerTest, ALeakLeavesTheVerdictOfTheCaseAsItIs) {
  const auto verdict_with_leak = [](void (*run)(Context&)) {
    const Verdict verdict = VerdictOf(run);
    EXPECT_EQ(verdict.leak, Leak::kLeak);
    EXPECT_THAT(verdict.leaked, HasSubstr("left open: descriptor"));
    EXPECT_THAT(verdict.message, Not(HasSubstr("left open")));
    return verdict;
  };
  const Verdict failed = verdict_with_leak([](Context& c) {
    EXPECT_TRUE(c.sys().Socket(AF_INET, SOCK_STREAM, 0).ok());
    ADD_FAILURE() << "of the case";
  });
  EXPECT_EQ(failed.outcome, Outcome::kFail);
  EXPECT_THAT(failed.message, HasSubstr("of the case"));
  EXPECT_EQ(verdict_with_leak([](Context& c) {
              EXPECT_TRUE(c.sys().Socket(AF_INET, SOCK_STREAM, 0).ok());
              c.Variation("other_way");
            }).outcome,
            Outcome::kVariation);
  EXPECT_EQ(verdict_with_leak([](Context& c) {
              EXPECT_TRUE(c.sys().Socket(AF_INET, SOCK_STREAM, 0).ok());
              c.Call({"listen"}, []() -> Result<Done> {
                 return Unsupported{"claimed"};
               }).unsupported();
            }).outcome,
            Outcome::kUnsupported);
}

TEST(RunnerTest, ATrialWithoutALeakHasNone) {
  const Verdict verdict = VerdictOf([](Context&) { ADD_FAILURE(); });
  EXPECT_EQ(verdict.leak, Leak::kNone);
  EXPECT_EQ(verdict.leaked, "");
}

TEST(RunnerTest, AFailureInATaskFailsTheCase) {
  const Verdict verdict = VerdictOf([](Context& c) {
    c.env().Start([] { ADD_FAILURE() << "in a task"; })->Join();
  });
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message, HasSubstr("in a task"));
}

TEST(RunnerTest, AFailureThatLeavesATaskBlockedIsAFailure) {
  const Verdict verdict = VerdictOf([](Context& c) {
    ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
    const auto task =
        c.env().Start([&] { EXPECT_FALSE(listener.Accept().ok()); });
    ASSERT_TRUE(task->AwaitBlocked());
    FAIL() << "early end";
  });
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message, HasSubstr("early end"));
}

TEST(RunnerTest, AClaimAfterAFailureDoesNotHideIt) {
  const Verdict verdict = VerdictOf([](Context& c) {
    ADD_FAILURE() << "before the claim";
    // The implementation under test claims `unsupported` for both uses of this
    // flag.
    c.Call({"listen"}, []() -> Result<Done> {
       return Unsupported{"claimed"};
     }).unsupported();
  });
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message, HasSubstr("before the claim"));
}

TEST(RunnerTest, AVerdictTellsWhatWasProvenAndWhatIsClaimed) {
  const Verdict verdict = VerdictOf([](Context& c) {
    ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({.reuseaddr = true}));
    c.Call({"listen", "listen.teleport"}, []() -> Result<Done> {
       return Unsupported{"no such option"};
     }).unsupported();
  });
  EXPECT_EQ(verdict.outcome, Outcome::kUnsupported);
  EXPECT_THAT(verdict.proven,
              ElementsAre("listen", "listen.reuseaddr", "listener.close"));
  EXPECT_THAT(verdict.claimed, ElementsAre("listen", "listen.teleport"));
}

TEST(RunnerTest, APreconditionThatTheCaseMeetsIsItsOutcome) {
  const Verdict verdict = VerdictOf([](Context& c) {
    ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
    NotePrecondition("the moon is not full");
    FAIL() << "for that reason";
  });
  EXPECT_EQ(verdict.outcome, Outcome::kPrecondition);
  EXPECT_EQ(verdict.message, "the moon is not full");
}

TEST(RunnerTest, APreconditionAfterAFailureDoesNotHideIt) {
  const Verdict verdict = VerdictOf([](Context&) {
    ADD_FAILURE() << "before it";
    NotePrecondition("the moon is not full");
  });
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message, HasSubstr("before it"));
}

TEST(RunnerTest, ATaskThatWaitsForALockIsNotBlockedByASocket) {
  const Verdict verdict = VerdictOf([](Context& c) {
    Mutex mutex;
    mutex.lock();
    const auto task = c.env().Start([&] { const MutexLock lock(mutex); });
    EXPECT_TRUE(task->AwaitBlocked());
    mutex.unlock();
  });
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(
      verdict.message,
      ContainsRegex("thread [0-9]+ sleeps in futex, which is not a call "
                    "on a socket"));
}

TEST(RunnerTest, AFailureNamesTheErrorOfTheCallBefore) {
  const auto fails_with = [](void (*run)(Context&)) {
    return VerdictOf(run).error;
  };
  EXPECT_EQ(fails_with([](Context& c) {
              EXPECT_TRUE(c.Connect({c.Foreign(), 0}, {.nonblock = true}).ok());
              EXPECT_TRUE(c.Listen({c.Foreign(), 0}).ok());
            }),
            "ENETUNREACH");
  EXPECT_EQ(fails_with([](Context& c) {
              EXPECT_FALSE(c.Listen().ok());
              EXPECT_TRUE(c.Listen({c.Foreign(), 0}).ok());
            }),
            "");
}

TEST(RunnerTest, AVariationOfTheReferenceIsAFailure) {
  Target reference = NetTcpOnLinux();
  reference.is_reference = true;
  const Verdict verdict =
      RunOne(MakeCase([](Context& c) { c.Variation("other_way"); }), reference)
          .verdict;
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message, HasSubstr("other_way"));
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

TEST(RunnerTest, AVariationIsNamedUnlessTheCaseFails) {
  EXPECT_EQ(VerdictOf([](Context& c) { c.Variation("other_way"); }).outcome,
            Outcome::kVariation);
  EXPECT_EQ(VerdictOf([](Context& c) {
              c.Variation("other_way");
              ADD_FAILURE();
            }).outcome,
            Outcome::kFail);
}

TEST(RunnerTest, AMessageOfAnySizeComesWhole) {
  const Verdict verdict = VerdictOf([](Context&) {
    ADD_FAILURE() << std::string(1 << 20, 'x') << "the end";
  });
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_GT(verdict.message.size(), 1U << 20);
  EXPECT_THAT(verdict.message, HasSubstr("the end"));
}

TEST(RunnerTest, AnOptionListThatIsNoNeedOfTheCaseIsAHarnessError) {
  const Verdict verdict = VerdictOf([](Context& c) {
    static_cast<void>(c.ListenWithList({.options = {.reuseaddr = true}}));
  });
  EXPECT_EQ(verdict.outcome, Outcome::kHarnessError);
  EXPECT_THAT(verdict.message, HasSubstr("Need::kOptionLists"));
}

TEST(RunnerTest, FaultsThatAreNoNeedOfTheCaseAreAHarnessError) {
  const Verdict verdict =
      VerdictOf([](Context& c) { static_cast<void>(c.InjectFaults()); });
  EXPECT_EQ(verdict.outcome, Outcome::kHarnessError);
  EXPECT_THAT(verdict.message, HasSubstr("Need::kFaults"));
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

TEST(RunnerTest, AnEnvironmentThatFailsIsAHarnessError) {
  const Verdict verdict =
      VerdictOf([](Context&) { throw HarnessError("no such sysctl"); });
  EXPECT_EQ(verdict.outcome, Outcome::kHarnessError);
  EXPECT_EQ(verdict.message, "no such sysctl");
  Target target = NetTcpOnLinux();
  target.make_environment =
      [](const std::function<void()>&) -> std::unique_ptr<Environment> {
    throw HarnessError("no environment");
  };
  EXPECT_EQ(RunOne(MakeCase([](Context&) {}), target).verdict.outcome,
            Outcome::kHarnessError);
}

TEST(RunnerTest, WhatACaseNeedsAndDoesNotGetIsAPrecondition) {
  Target target = NetTcpOnLinux();
  target.make_environment = [](std::function<void()> abandon) {
    return MakeLinuxEnvironment({.disable_ipv6 = true}, std::move(abandon));
  };
  Case test_case = MakeCase([](Context&) { FAIL() << "must not be run"; });
  test_case.needs = Need::kIpv6;
  const Record record = RunOne(test_case, target);
  EXPECT_EQ(record.verdict.outcome, Outcome::kPrecondition);
  EXPECT_THAT(record.verdict.message,
              AllOf(HasSubstr("IPv6"), HasSubstr("EADDRNOTAVAIL")));
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
                        .target = &target});
    }
  }
  std::map<const Case*, std::map<Outcome, int>> counts;
  RunTrials(trials, {.jobs = 4, .timeout = absl::Seconds(1)},
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

TEST(RunnerTest, TasksThatWaitAreSeenAndInterrupted) {
  const Verdict verdict = VerdictOf([](Context& c) {
    SysResult result = SysResult::Ok();
    const auto task = c.env().Start(
        [&] { result = c.sys().Poll(nullptr, 0, /*timeout_ms=*/-1); });
    ASSERT_TRUE(task->AwaitBlocked());
    task->Interrupt();
    task->Join();
    EXPECT_THAT(result, IsErrno(EINTR));
    EXPECT_FALSE(task->AwaitBlocked());
  });
  EXPECT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;
}

}  // namespace
}  // namespace net::conformance
