// Harmless differences between drivers change no outcome.

#include <string>
#include <vector>

#include "conformance/driver_host/variants.h"
#include "conformance/engine/outcome.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

void ExpectHarmless(const std::string& difference,
                    const std::vector<std::string>& globs) {
  int judged = 0;
  for (const auto& [id, verdict] : JudgeVariant(difference, globs)) {
    EXPECT_TRUE(IsExpected(verdict.outcome))
        << difference << ": " << id << ": " << OutcomeName(verdict.outcome)
        << ": " << verdict.message;
    if (verdict.outcome == Outcome::kPass) ++judged;
  }
  EXPECT_GT(judged, 0);
}

TEST(HarmlessTest, ShortSends) { ExpectHarmless("short_sending", {"data.*"}); }

TEST(HarmlessTest, ShortSendsOfADriverThatHoldsOneOperation) {
  ExpectHarmless("one short_sending", {"data.*"});
}

TEST(HarmlessTest, ShortReceives) {
  ExpectHarmless("short_receiving", {"data.*", "accept.*", "connect.*"});
}

TEST(HarmlessTest, HighDescriptors) { ExpectHarmless("high", {}); }

TEST(HarmlessTest, AnExtraGetsocknameForEachCall) {
  ExpectHarmless("asking", {});
}

TEST(HarmlessTest, TwentyMoreMillisecondsForEachCall) {
  ExpectHarmless("slow", {"accept.*", "close.*", "connect.interrupted.*",
                          "connect.nonblock.*", "data.recv.*", "data.send.*",
                          "data.shutdown.*", "peeraddr.*"});
}

TEST(HarmlessTest, ListenTwice) {
  ExpectHarmless("listening_twice", {"listen.*", "accept.*", "close.*"});
}

}  // namespace
}  // namespace net::conformance
