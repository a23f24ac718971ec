#include "conformance/engine/trial.h"

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/environments/linux/linux_environment.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/harness_error.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/implementation_decorator.h"
#include "conformance/suite/precondition.h"
#include "conformance/targets/net_tcp.h"
#include "conformance/targets/run_on_linux.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/mutex.h"
#include "syscalls/syscalls.h"

// Tests of a trial's verdict: mistakes of implementations and of cases, leaks,
// claims and preconditions.

namespace net::conformance {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// net_tcp, but PeerAddr() calls a function of the test.
class Rogue : public ImplementationDecorator {
 public:
  using Behaviour = Result<std::optional<ip::Endpoint>> (*)();

  Rogue(Syscalls& sys, Behaviour behaviour)
      : honest_(MakeNetTcp(sys)), behaviour_(behaviour) {}

  Result<std::optional<ip::Endpoint>> PeerAddr(Handle) override {
    return behaviour_();
  }

 private:
  Implementation& target() const override { return *honest_; }

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

TEST(TrialTest, PassesAHonestImplementation) {
  EXPECT_EQ(VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
              return std::optional<ip::Endpoint>();
            }).outcome,
            Outcome::kPass);
}

TEST(TrialTest, AnAnswerThatIsWrongFailsWithExpectedAndActual) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
        return std::optional<ip::Endpoint>({ip::kLocalV4, 4711});
      });
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message,
              AllOf(HasSubstr("trial_test.cc:"), HasSubstr("127.0.0.1:4711")));
}

TEST(TrialTest, AnErrorFailsWithItsErrno) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
        return Error{ErrorKind::kInvalid, EINVAL, "made up"};
      });
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message,
              AllOf(HasSubstr("EINVAL"), HasSubstr("made up")));
}

TEST(TrialTest, AClaimIsUnsupportedWithItsReason) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
        return Unsupported{"no such thing here"};
      });
  EXPECT_EQ(verdict.outcome, Outcome::kUnsupported);
  EXPECT_EQ(verdict.message, "no such thing here");
}

TEST(TrialTest, AThrowIsACrash) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
        throw std::runtime_error("thrown on purpose");
      });
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, HasSubstr("thrown on purpose"));
}

TEST(TrialTest, AThrowOfAnythingIsACrash) {
  EXPECT_EQ(VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
              throw 7;
            }).outcome,
            Outcome::kCrash);
}

TEST(TrialTest, AnAbortIsACrashThatNamesTheSignal) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
        std::cerr << "last words" << std::endl;
        std::abort();
      });
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message,
              AllOf(HasSubstr("SIGABRT"), HasSubstr("last words")));
}

TEST(TrialTest, AnExitIsACrashWhateverItsStatus) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> { _exit(0); });
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, HasSubstr("status 0 before its verdict"));
}

TEST(TrialTest, SigpipeIsNotIgnored) {
  const Verdict verdict =
      VerdictOn([]() -> Result<std::optional<ip::Endpoint>> {
        std::raise(SIGPIPE);
        return std::optional<ip::Endpoint>();
      });
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, HasSubstr("SIGPIPE"));
}

TEST(TrialTest, ADescriptorLeftOpenIsALeakWithWhatItIs) {
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

TEST(TrialTest, ADescriptorThatWasClosedByMistakeIsALeak) {
  const Verdict verdict =
      VerdictOf([](Context& c) { ASSERT_TRUE(c.sys().Close(0).ok()); });
  EXPECT_EQ(verdict.outcome, Outcome::kPass);
  EXPECT_EQ(verdict.leak, Leak::kLeak);
  EXPECT_THAT(verdict.leaked, HasSubstr("closed, but not opened by the case"));
}

TEST(TrialTest, ADescriptorOfAnotherSocketIsAnotherOne) {
  const Verdict verdict = VerdictOf([](Context& c) {
    ASSERT_TRUE(c.sys().Close(0).ok());
    ASSERT_EQ(c.sys().Socket(AF_INET, SOCK_STREAM, 0), SysResult::Ok(0));
  });
  EXPECT_THAT(
      verdict.leaked,
      AllOf(HasSubstr("left open: descriptor 0, socket"),
            HasSubstr("closed, but not opened by the case: descriptor 0")));
}

TEST(TrialTest, ALeakLeavesTheVerdictOfTheCaseAsItIs) {
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

TEST(TrialTest, ATrialWithoutALeakHasNone) {
  const Verdict verdict = VerdictOf([](Context&) { ADD_FAILURE(); });
  EXPECT_EQ(verdict.leak, Leak::kNone);
  EXPECT_EQ(verdict.leaked, "");
}

TEST(TrialTest, AFailureInATaskFailsTheCase) {
  const Verdict verdict = VerdictOf([](Context& c) {
    c.env().Start([] { ADD_FAILURE() << "in a task"; })->Join();
  });
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message, HasSubstr("in a task"));
}

TEST(TrialTest, AFailureThatLeavesATaskBlockedIsAFailure) {
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

TEST(TrialTest, AClaimAfterAFailureDoesNotHideIt) {
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

TEST(TrialTest, AVerdictTellsWhatWasProvenAndWhatIsClaimed) {
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

TEST(TrialTest, APreconditionThatTheCaseMeetsIsItsOutcome) {
  const Verdict verdict = VerdictOf([](Context& c) {
    ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
    NotePrecondition("the moon is not full");
    FAIL() << "for that reason";
  });
  EXPECT_EQ(verdict.outcome, Outcome::kPrecondition);
  EXPECT_EQ(verdict.message, "the moon is not full");
}

TEST(TrialTest, APreconditionAfterAFailureDoesNotHideIt) {
  const Verdict verdict = VerdictOf([](Context&) {
    ADD_FAILURE() << "before it";
    NotePrecondition("the moon is not full");
  });
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message, HasSubstr("before it"));
}

TEST(TrialTest, ATaskThatWaitsForALockIsNotBlockedByASocket) {
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

TEST(TrialTest, AFailureNamesTheErrorOfTheCallBefore) {
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

TEST(TrialTest, AVariationOfTheReferenceIsAFailure) {
  Target reference = NetTcpOnLinux();
  reference.is_reference = true;
  const Verdict verdict =
      RunOne(MakeCase([](Context& c) { c.Variation("other_way"); }), reference)
          .verdict;
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message, HasSubstr("other_way"));
}

TEST(TrialTest, AVariationIsNamedUnlessTheCaseFails) {
  EXPECT_EQ(VerdictOf([](Context& c) { c.Variation("other_way"); }).outcome,
            Outcome::kVariation);
  EXPECT_EQ(VerdictOf([](Context& c) {
              c.Variation("other_way");
              ADD_FAILURE();
            }).outcome,
            Outcome::kFail);
}

TEST(TrialTest, AnOptionListThatIsNoNeedOfTheCaseIsAHarnessError) {
  const Verdict verdict = VerdictOf([](Context& c) {
    static_cast<void>(c.ListenWithList({.options = {.reuseaddr = true}}));
  });
  EXPECT_EQ(verdict.outcome, Outcome::kHarnessError);
  EXPECT_THAT(verdict.message, HasSubstr("Need::kOptionLists"));
}

TEST(TrialTest, FaultsThatAreNoNeedOfTheCaseAreAHarnessError) {
  const Verdict verdict =
      VerdictOf([](Context& c) { static_cast<void>(c.InjectFaults()); });
  EXPECT_EQ(verdict.outcome, Outcome::kHarnessError);
  EXPECT_THAT(verdict.message, HasSubstr("Need::kFaults"));
}

TEST(TrialTest, AnEnvironmentThatFailsIsAHarnessError) {
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

TEST(TrialTest, WhatACaseNeedsAndDoesNotGetIsAPrecondition) {
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

TEST(TrialTest, TasksThatWaitAreSeenAndInterrupted) {
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
