#include "syscalls/testing/nearest.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(EditDistanceTest, CountsInsertionsDeletionsSubstitutionsAndSwaps) {
  EXPECT_EQ(EditDistance("listen", "listen"), 0);
  EXPECT_EQ(EditDistance("lisen", "listen"), 1);
  EXPECT_EQ(EditDistance("listten", "listen"), 1);
  EXPECT_EQ(EditDistance("lissen", "listen"), 1);
  EXPECT_EQ(EditDistance("lisetn", "listen"), 1);
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("abc", ""), 3);
  EXPECT_EQ(EditDistance("", ""), 0);
}

TEST(NearestTest, NearestComesFirstAndHidesDistantNames) {
  const std::vector<std::string> words = {"accept.plain", "listen.plain",
                                          "listen.planes"};
  EXPECT_THAT(Nearest("listen.plian", words), ElementsAre("listen.plain"));
  EXPECT_THAT(Nearest("listen.plane", words),
              ElementsAre("listen.planes", "listen.plain"));
}

TEST(NearestTest, APartOfAWordIsNear) {
  EXPECT_THAT(Nearest("backlog", {"listen.backlog.default", "accept.plain"}),
              ElementsAre("listen.backlog.default"));
}

TEST(NearestTest, AtMostThree) {
  EXPECT_THAT(Nearest("worda", {"word1", "word2", "word3", "word4"}),
              ElementsAre("word1", "word2", "word3"));
}

TEST(NearestTest, NothingIsNearToSomethingElse) {
  EXPECT_THAT(Nearest("nobody", {"net_tcp", "asio", "go"}), IsEmpty());
  EXPECT_THAT(Nearest("", {"net_tcp", "go"}), IsEmpty());
}

TEST(DidYouMeanTest, IsAQuestionOrNothing) {
  EXPECT_EQ(DidYouMean("asoi", {"asio", "libuv"}), "; did you mean 'asio'?");
  EXPECT_EQ(DidYouMean("worda", {"word1", "word2"}),
            "; did you mean 'word1' or 'word2'?");
  EXPECT_EQ(DidYouMean("asoi", {"libuv"}), "");
}

}  // namespace
}  // namespace net
