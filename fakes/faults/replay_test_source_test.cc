#include "fakes/faults/replay_test_source.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/trace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Trace TraceOf(absl::string_view lines) {
  absl::StatusOr<Trace> trace = ParseTrace(absl::StrCat(kTraceHeader, lines));
  EXPECT_TRUE(trace.ok()) << trace.status();
  return trace.value_or(Trace());
}

TEST(ReplayTestSource, NamesTheTestAndItsSource) {
  const Trace trace = TraceOf("close(3) = 0\nclose(4) = -1 EIO\n");
  EXPECT_THAT(
      ReplayTestSource(trace, {.suite = "S", .test = "T", .source = "x.trace"}),
      IsOkAndHolds(AllOf(HasSubstr("TEST(S, T) {"),
                         HasSubstr("kernel's side of x.trace:"),
                         HasSubstr("R\"trace(trace 1\nclose(3) = 0\n"
                                   "close(4) = -1 EIO\n)trace\""))));
}

TEST(ReplayTestSource, HasOnlyTheLinesThatWereChosen) {
  const Trace trace = TraceOf("close(3) = 0\nclose(4) = 0\nclose(5) = 0\n");
  EXPECT_THAT(ReplayTestSource(trace, {.first = 3, .last = 3}),
              IsOkAndHolds(AllOf(HasSubstr("trace 1\nclose(4) = 0\n)"))));
  EXPECT_EQ(ReplayTestSource(trace, {.first = 7}).status(),
            absl::InvalidArgumentError("no calls between the lines"));
}

TEST(ReplayTestSource, HasAtMost60Lines) {
  std::string lines;
  for (int i = 0; i < 35; ++i) absl::StrAppend(&lines, "close(", i, ") = 0\n");
  const absl::StatusOr<std::string> source =
      ReplayTestSource(TraceOf(lines), {});
  ASSERT_THAT(source, IsOk());
  EXPECT_EQ(std::count(source->begin(), source->end(), '\n'), 60);
  lines += "close(99) = 0\n";
  EXPECT_EQ(ReplayTestSource(TraceOf(lines), {}).status(),
            absl::InvalidArgumentError(
                "36 calls are too many for a test of 60 lines, which has room "
                "for 35; choose some by their lines"));
}

TEST(ReplayTestSource, RefusesANameThatIsNoIdentifier) {
  EXPECT_EQ(
      ReplayTestSource(TraceOf("close(3) = 0\n"), {.test = "a b"}).status(),
      absl::InvalidArgumentError("'a b' is not the name of a test"));
}

}  // namespace
}  // namespace net
