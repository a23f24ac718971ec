// Tests of misbehaving drivers: each gets its outcome and message, and the next
// case runs.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "conformance/driver_host/rogues.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/harness_error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/proc.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

void Listens(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
}
constexpr Case kListens = {.id = "driver.listens",
                           .requirement = "It must listen.",
                           .source = "the test",
                           .run = &Listens};
void DoesNothing(Context& c) { static_cast<void>(c); }
constexpr Case kDoesNothing = {.id = "driver.does_nothing",
                               .requirement = "It must do nothing.",
                               .source = "the test",
                               .run = &DoesNothing};

// Takes 6.5 s, and sends a command each tenth of a second.
void ListensForLong(Context& c) {
  for (int i = 0; i < 65; ++i) {
    ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
    EXPECT_THAT(c.sys().Poll(nullptr, 0, 100), IsOkAndHolds(0));
  }
}
constexpr Case kListensForLong = {.id = "driver.listens_for_long",
                                  .requirement = "It must listen.",
                                  .source = "the test",
                                  .run = &ListensForLong};

// Fails with a message that has the number of descriptors of the trial's
// process.
void CountsDescriptors(Context&) {
  ADD_FAILURE() << sandbox::ListNumbers("/proc/self/fd")->size()
                << " descriptors";
}
constexpr Case kCountsDescriptors = {.id = "driver.counts_descriptors",
                                     .requirement = "It must count.",
                                     .source = "the test",
                                     .run = &CountsDescriptors};

// Returns the verdict on a driver with this fault, in a case that listens. The
// next case must pass, so no run is lost.
Verdict VerdictOn(const std::string& command,
                  absl::Duration timeout = kRogueTimeout) {
  const Target target = MakeTarget(command);
  const std::vector<Record> records =
      RecordsOf({{.test_case = &kListens, .target = &target},
                 {.test_case = &kDoesNothing, .target = &target}},
                {.timeout = timeout});
  EXPECT_EQ(records.back().verdict.outcome, Outcome::kPass)
      << records.back().verdict.message;
  return records.front().verdict;
}

const RogueDriver kRogueDrivers[] = {
    {"WithoutFaultPasses", "none", {}, Outcome::kPass},
    {"Dies",
     "dies",
     {"the driver ended", "SIGSEGV", "> {\"address\":\"127.0.0.1\""}},
    {"Exits", "exits", {"exited with status 3", "something is missing"}},
    {"EndsInTheMiddleOfAFrame", "half", {"in the middle of a frame"}},
    {"PrintsOnTheChannel", "prints", {"broke the protocol", "Hello, world!"}},
    {"AnswersTwice", "twice", {"it answered 3 a second time"}},
    {"RepeatsAnAnswerAfterTheCase", "repeats", {"it answered 3 a second time"}},
    {"WithAHugeFrame", "huge", {"a frame of 99999999 bytes"}},
    {"AnswersOkAndError", "both", {"exactly one of"}},
    {"IsAtFaultItself", "internal", {"KeyError: 7"}},
    {"LiesAboutItsPort",
     "lies",
     {"reports port", "but its socket listens on"},
     Outcome::kFail},
};

class EachRogue : public testing::TestWithParam<RogueDriver> {};

TEST_P(EachRogue, HasItsOutcomeAndMessage) {
  ExpectVerdict(VerdictOn(Rogue(GetParam().fault)), GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, EachRogue, testing::ValuesIn(kRogueDrivers),
                         [](const auto& rogue) { return rogue.param.name; });

// hello names a living process that is not the driver's.
TEST(RogueTest, AProcessThatIsNotTheDriversIsLeftAlone) {
  // Beyond the numbers that the driver's own processes have in their namespace.
  pid_t bystander = 0;
  while (bystander < 100) {
    if (bystander != 0) {
      kill(bystander, SIGKILL);
      waitpid(bystander, nullptr, 0);
    }
    bystander = fork();
    if (bystander == 0) {
      while (true) pause();
    }
  }
  for (const char* signal : {"", ",\"signal\":\"SIGUSR1\""}) {
    const Verdict verdict = VerdictBesideOthers(
        Rogue(absl::StrCat("hello.pid=", bystander, signal)));
    EXPECT_EQ(verdict.outcome, Outcome::kCrash);
    EXPECT_THAT(verdict.message, HasSubstr(kNotItsOwn));
  }
  EXPECT_EQ(waitpid(bystander, nullptr, WNOHANG), 0) << "it was killed";
  kill(bystander, SIGKILL);
  waitpid(bystander, nullptr, 0);
}

TEST(RogueTest, AWrapperThatDoesNotExecIsFineIfThePidIsRight) {
  const Verdict verdict =
      VerdictBesideOthers(absl::StrCat("sh -c \"", Rogue("none"), "; true\""));
  EXPECT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;
}

// The wrapper holds the channel, too, so only its lack of sockets gives it
// away.
TEST(RogueTest, AWrapperThatIsNamedInsteadOfTheDriver) {
  const auto wrapped = [](const char* fault) {
    return VerdictBesideOthers(
        absl::StrCat("sh -c \"", Rogue(fault), "; true\""));
  };
  const Verdict verdict = wrapped("hello.pid=PARENT");
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message,
              AllOf(HasSubstr("(sh), which the driver's hello names, is not "
                              "open; process"),
                    HasSubstr("(python3) has sockets of TCP")));
}

TEST(RogueTest, AFrameThatIsLongerThanItIs) {
  const Verdict verdict = VerdictBesideOthers(Rogue("longer"), kRogueTimeout);
  EXPECT_EQ(verdict.outcome, Outcome::kTimeout);
  EXPECT_THAT(
      verdict.message,
      AllOf(HasSubstr("the session:\n> {"),
            testing::ContainsRegex(
                "\\(the frame announces [0-9]+ bytes, [0-9]+ arrived\\)")));
}

TEST(RogueTest, ADaemonOfTheDriverEndsWithIt) {
  const std::string fifo = absl::StrCat(testing::TempDir(), "/daemon");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const int fd = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  const Verdict verdict =
      VerdictOn(absl::StrCat(Rogue("daemon"), " '", fifo, "'"));
  EXPECT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;
  ASSERT_EQ(fcntl(fd, F_SETFL, 0), 0);
  // Reads the daemon's byte, unless it was killed before it wrote one; then end
  // of file, which shows that no process has the other end open.
  char byte = 0;
  while (read(fd, &byte, 1) == 1) {
  }
  close(fd);
  unlink(fifo.c_str());
}

TEST(RogueTest, ADriverThatEndsAtOnceRaisesNoSigpipe) {
  for (const char* command : {"true", "cat /dev/null"}) {
    const Target target = MakeTarget(command);
    const Verdict verdict =
        RecordsOf({{.test_case = &kListens, .target = &target}}, {})[0].verdict;
    EXPECT_EQ(verdict.outcome, Outcome::kCrash);
    EXPECT_THAT(verdict.message,
                AllOf(HasSubstr("the driver exited with status 0"),
                      HasSubstr("the session:\n> {\"command\":\"hello\""),
                      Not(HasSubstr("SIGPIPE"))));
  }
}

TEST(RogueTest, ADriverThatSendsCommandsBack) {
  const Target target = MakeTarget("cat <&3 >&4");
  const Verdict verdict =
      RecordsOf({{.test_case = &kListens, .target = &target}}, {})[0].verdict;
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, AllOf(HasSubstr("exactly one of"),
                                     HasSubstr("< {\"command\":\"hello\"")));
}

TEST(RogueTest, ADriverThatReadsNoMoreCommands) {
  const Verdict verdict = VerdictOn(Rogue("deaf"));
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message,
              AllOf(HasSubstr("no longer reads commands: EPIPE"),
                    HasSubstr("the session:\n> {"), Not(HasSubstr("SIGPIPE"))));
}

TEST(RogueTest, ADriverThatPrintsWithoutEndIsATimeout) {
  const Verdict verdict =
      VerdictBesideOthers(Rogue("floods_without_end"), kRogueTimeout);
  EXPECT_EQ(verdict.outcome, Outcome::kTimeout);
}

TEST(RogueTest, ADriverThatStillAnswersHasMoreTime) {
  const Target target = MakeTarget(Rogue("none"));
  const std::vector<Record> records =
      RecordsOf({{.test_case = &kListensForLong, .target = &target}},
                {.timeout = absl::Seconds(6)});
  EXPECT_EQ(records.front().verdict.outcome, Outcome::kPass)
      << records.front().verdict.message;
}

TEST(RogueTest, ADriverThatCannotBeStartedCostsItsOwnTrial) {
  const Target missing = {.name = "missing",
                          .start_subject = []() -> std::unique_ptr<Subject> {
                            throw HarnessError("no more processes");
                          }};
  const Target honest = MakeTarget(Rogue("none"));
  const std::vector<Record> records =
      RecordsOf({{.test_case = &kListens, .target = &missing},
                 {.test_case = &kListens, .target = &honest}},
                {});
  EXPECT_EQ(records[0].verdict.outcome, Outcome::kHarnessError);
  EXPECT_EQ(records[0].verdict.message, "no more processes");
  EXPECT_EQ(records[1].verdict.outcome, Outcome::kPass);
}

TEST(RogueTest, ATrialHasNoDescriptorsOfOtherTrials) {
  const Target target = MakeTarget(Rogue("none"));
  const Target hanging = MakeTarget(Rogue("hangs"));
  const std::string alone =
      RecordsOf({{.test_case = &kCountsDescriptors, .target = &target}}, {})[0]
          .verdict.message;
  ASSERT_THAT(alone, HasSubstr(" descriptors"));
  // Two that run, and an idle one.
  for (const Record& record :
       RecordsOf({{.test_case = &kDoesNothing, .target = &target},
                  {.test_case = &kListens, .target = &hanging},
                  {.test_case = &kListens, .target = &hanging},
                  {.test_case = &kCountsDescriptors, .target = &target},
                  {.test_case = &kCountsDescriptors, .target = &target}},
                 {.jobs = 4, .timeout = kRogueTimeout})) {
    if (record.trial.test_case != &kCountsDescriptors) continue;
    EXPECT_EQ(record.verdict.message.substr(0, alone.find("descriptors")),
              alone.substr(0, alone.find("descriptors")));
  }
}

TEST(RogueTest, ADriverThatHangs) {
  const Target target = MakeTarget(Rogue("hangs"));
  std::vector<Record> records;
  RunTrials({{.test_case = &kListens, .target = &target},
             {.test_case = &kDoesNothing, .target = &target}},
            {.timeout = kRogueTimeout},
            [&](const Record& record) { records.push_back(record); });
  EXPECT_EQ(records[0].verdict.outcome, Outcome::kTimeout);
  EXPECT_THAT(records[0].verdict.message,
              AllOf(HasSubstr("python3: sleeps"), HasSubstr("syscall ")));
  EXPECT_EQ(records[1].verdict.outcome, Outcome::kPass);
}

TEST(RogueTest, ADriverThatFloodsItsOutputLosesTheBeginningOfIt) {
  const Verdict verdict = VerdictOn(Rogue("floods"));
  EXPECT_EQ(verdict.outcome, Outcome::kCrash);
  EXPECT_THAT(verdict.message, HasSubstr("the last line"));
  EXPECT_LT(verdict.message.size(), 16384);
}

TEST(RogueTest, ADriverThatLeaks) {
  const Verdict verdict = VerdictOn(Rogue("leaks"));
  EXPECT_EQ(verdict.outcome, Outcome::kPass);
  EXPECT_EQ(verdict.leak, Leak::kLeak);
  EXPECT_THAT(verdict.leaked, AllOf(HasSubstr("left open: descriptor"),
                                    HasSubstr("listening of the driver")));
}

TEST(RogueTest, ADriverThatSaysThatSocketsWereOpen) {
  const Verdict verdict = VerdictOn(Rogue("none"));
  EXPECT_EQ(verdict.outcome, Outcome::kPass);
  const Target target = MakeTarget(Rogue("forgets"));
  RunTrials(
      {{.test_case = &kListens, .target = &target}}, {},
      [](const Record& record) {
        EXPECT_EQ(record.verdict.outcome, Outcome::kPass);
        EXPECT_EQ(record.verdict.leak, Leak::kLeak);
        EXPECT_THAT(
            record.verdict.leaked,
            HasSubstr(
                "left open in the driver: socket 99, made by no command"));
      });
}

TEST(RogueTest, ADriverThatClaimsEverythingUnsupported) {
  const Verdict verdict = VerdictOn(Rogue("unsupported"));
  EXPECT_EQ(verdict.outcome, Outcome::kUnsupported);
  EXPECT_EQ(verdict.claimed, std::vector<std::string>{"listen"});
}

TEST(RogueTest, ACommandThatCannotBeRun) {
  const Target target = MakeTarget("/nonexistent/driver");
  RunTrials({{.test_case = &kListens, .target = &target}}, {},
            [](const Record& record) {
              EXPECT_EQ(record.verdict.outcome, Outcome::kCrash);
              EXPECT_THAT(record.verdict.message,
                          AllOf(HasSubstr("exited with status 127"),
                                HasSubstr("/nonexistent/driver"),
                                HasSubstr("not found")));
            });
}

}  // namespace
}  // namespace net::conformance
