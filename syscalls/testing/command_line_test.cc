#include "syscalls/testing/command_line.h"

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

ABSL_FLAG(bool, test_bool, false, "");
ABSL_FLAG(int, test_int, 0, "");
ABSL_FLAG(std::vector<std::string>, test_list, {}, "");

namespace net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

absl::Status Parse(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return ParseFlags(arguments);
}

std::string MistakeIn(std::vector<std::string> words) {
  return std::string(Parse(std::move(words)).message());
}

TEST(FlagsTest, ValuesComeAfterAnEqualsSignOrAsTheNextWord) {
  EXPECT_TRUE(Parse({"--test_int=3", "--test_list", "a,b"}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_test_int), 3);
  EXPECT_THAT(absl::GetFlag(FLAGS_test_list), ElementsAre("a", "b"));
}

TEST(FlagsTest, BooleansNeedNoValue) {
  EXPECT_TRUE(Parse({"--test_bool", "--test_int=5"}).ok());
  EXPECT_TRUE(absl::GetFlag(FLAGS_test_bool));
  EXPECT_TRUE(Parse({"--notest_bool"}).ok());
  EXPECT_FALSE(absl::GetFlag(FLAGS_test_bool));
  EXPECT_TRUE(Parse({"--test_bool=true"}).ok());
  EXPECT_TRUE(absl::GetFlag(FLAGS_test_bool));
}

TEST(FlagsTest, NoWordsAreNoMistake) { EXPECT_TRUE(Parse({}).ok()); }

TEST(FlagsTest, EveryMistakeNamesTheWord) {
  EXPECT_THAT(MistakeIn({"--nonsense"}), HasSubstr("--nonsense"));
  EXPECT_THAT(MistakeIn({"--nonsense=1"}), HasSubstr("--nonsense=1"));
  EXPECT_THAT(MistakeIn({"word"}), HasSubstr("word"));
  EXPECT_THAT(MistakeIn({"--"}), HasSubstr("'--'"));
  EXPECT_THAT(MistakeIn({"-h"}), HasSubstr("-h"));
  EXPECT_THAT(MistakeIn({"--test_int=many"}), HasSubstr("--test_int=many"));
  EXPECT_THAT(MistakeIn({"--test_int"}), HasSubstr("needs a value"));
  EXPECT_THAT(MistakeIn({"--notest_int"}), HasSubstr("--notest_int"));
  EXPECT_THAT(MistakeIn({"--notest_bool=1"}), HasSubstr("--notest_bool=1"));
}

TEST(FlagsTest, AMisspeltFlagGetsTheNearest) {
  EXPECT_THAT(MistakeIn({"--test-itn=3"}),
              HasSubstr("there is no flag '--test-itn=3'; did you mean "
                        "'--test-int'?"));
  EXPECT_THAT(MistakeIn({"--nonsense"}), Not(HasSubstr("did you mean")));
}

TEST(FlagsTest, ARenamedFlagIsAnErrorThatNamesTheNewOne) {
  std::string word = "--test_old=3";
  std::vector<char*> arguments = {word.data()};
  const absl::Status status =
      ParseFlags(arguments, {{.before = "test-old", .now = "test-new"}});
  EXPECT_EQ(status.message(), "--test-old is now --test-new");
}

TEST(ShellWordTest, QuotesWhatTheShellWouldTakeApart) {
  EXPECT_EQ(ShellWord("--cases=listen.plain"), "--cases=listen.plain");
  EXPECT_EQ(ShellWord("--cases=listen.*"), "'--cases=listen.*'");
  EXPECT_EQ(ShellWord("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellWord(""), "''");
}

TEST(FromCallersFolderTest, ARelativePathIsRelativeToTheFolderOfBazelRun) {
  ASSERT_EQ(unsetenv("BUILD_WORKING_DIRECTORY"), 0);
  EXPECT_EQ(FromCallersFolder("records"), "records");
  ASSERT_EQ(setenv("BUILD_WORKING_DIRECTORY", "/home/caller", 1), 0);
  EXPECT_EQ(FromCallersFolder("records"), "/home/caller/records");
  EXPECT_EQ(FromCallersFolder("/tmp/records"), "/tmp/records");
}

}  // namespace
}  // namespace net
