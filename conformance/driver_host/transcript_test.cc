#include "conformance/driver_host/transcript.h"

#include <csignal>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/wait_status.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(TranscriptTest, HasALineForEachMessage) {
  Transcript transcript;
  EXPECT_EQ(transcript.Text(), "");
  transcript.Add(/*sent=*/true, "hello");
  transcript.Add(/*sent=*/false, "ok");
  EXPECT_EQ(transcript.Text(), "> hello\n< ok");
  EXPECT_EQ(transcript.Count(), 2U);
  transcript.Clear();
  EXPECT_EQ(transcript.Text(), "");
  EXPECT_EQ(transcript.Count(), 0U);
}

TEST(TranscriptTest, ShowsAnIncompleteMessageUntilTheNextIsThere) {
  Transcript transcript;
  transcript.Add(/*sent=*/true, "hello");
  transcript.SetIncomplete("the frame announces 133 bytes, 128 arrived");
  EXPECT_EQ(transcript.Text(),
            "> hello\n(the frame announces 133 bytes, 128 arrived)");
  transcript.Add(/*sent=*/false, "ok");
  EXPECT_EQ(transcript.Text(), "> hello\n< ok");
}

TEST(TranscriptTest, KeepsTheLastLinesAndTheBeginningOfEach) {
  Transcript transcript;
  for (int i = 0; i < 100; ++i) {
    transcript.Add(/*sent=*/true, absl::StrCat("line ", i, " "));
  }
  EXPECT_THAT(transcript.Text(), StartsWith("> line 60 \n"));
  EXPECT_THAT(transcript.Text(), EndsWith("\n> line 99 "));
  transcript.Add(/*sent=*/false, std::string(100'000, 'x'));
  EXPECT_THAT(transcript.Text(), Not(HasSubstr(std::string(241, 'x'))));
  EXPECT_THAT(transcript.Text(), EndsWith("xxx..."));
}

TEST(TranscriptTest, OutlivesTheProcessThatWroteIt) {
  Transcript transcript;
  auto child = sandbox::WatchedChild::Start([&](int) {
    transcript.Add(/*sent=*/true, "last words");
    std::raise(SIGKILL);
  });
  ASSERT_THAT(child, IsOk());
  EXPECT_EQ(sandbox::DescribeWaitStatus(child->Reap()),
            "killed by SIGKILL (Killed)");
  EXPECT_EQ(transcript.Text(), "> last words");
}

}  // namespace
}  // namespace net::conformance
