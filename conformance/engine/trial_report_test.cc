#include "conformance/engine/trial_report.h"

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/trial.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace net::conformance {
namespace {

using testing::HasSubstr;

TrialReport SampleReport() {
  return {.verdict = {.outcome = Outcome::kFail,
                      .message = "expected\n actual \xff",
                      .error = "EACCES",
                      .leaked = "left open: descriptor 7",
                      .proven = {"listen"},
                      .claimed = {"connect", "accept"}},
          .reusable = true,
          .version = "3.11.2"};
}

TEST(TrialReportTest, ComesBackAsItWasSent) {
  const absl::StatusOr<TrialReport> report =
      DecodeReport(EncodeReport(SampleReport()));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->verdict.outcome, Outcome::kFail);
  // JSON is UTF-8.
  EXPECT_EQ(report->verdict.message, "expected\n actual \uFFFD");
  EXPECT_EQ(report->verdict.error, "EACCES");
  EXPECT_EQ(report->verdict.leaked, "left open: descriptor 7");
  EXPECT_EQ(report->verdict.leak, Leak::kLeak);
  EXPECT_EQ(report->verdict.proven, SampleReport().verdict.proven);
  EXPECT_EQ(report->verdict.claimed, SampleReport().verdict.claimed);
  EXPECT_TRUE(report->reusable);
  EXPECT_EQ(report->version, "3.11.2");
}

// The members of a good report, as JSON.
nlohmann::json SampleJson() {
  std::string text = EncodeReport(SampleReport());
  text.pop_back();
  return nlohmann::json::parse(text);
}

std::string ErrorOf(const std::string& json) {
  const auto report = DecodeReport(json + '\0');
  return report.ok() ? "" : std::string(report.status().message());
}

TEST(TrialReportTest, AMemberThatIsMissingIsAnError) {
  const nlohmann::json sample = SampleJson();
  ASSERT_EQ(ErrorOf(sample.dump()), "");
  for (const auto& member : sample.items()) {
    nlohmann::json json = sample;
    json.erase(member.key());
    EXPECT_THAT(ErrorOf(json.dump()), HasSubstr(member.key()));
  }
}

TEST(TrialReportTest, AMemberOfAnotherTypeIsAnError) {
  const nlohmann::json sample = SampleJson();
  for (const auto& member : sample.items()) {
    for (const nlohmann::json& wrong :
         {nlohmann::json(7), nlohmann::json(), nlohmann::json({{"a", 1}}),
          nlohmann::json::array({1, 2})}) {
      nlohmann::json json = sample;
      json[member.key()] = wrong;
      EXPECT_NE(ErrorOf(json.dump()), "") << json;
    }
  }
}

TEST(TrialReportTest, AnOutcomeThatThereIsNotIsAnError) {
  nlohmann::json json = SampleJson();
  json["outcome"] = "splendid";
  EXPECT_THAT(ErrorOf(json.dump()), HasSubstr("splendid"));
}

TEST(TrialReportTest, WhatIsNoJsonObjectIsAnError) {
  for (const char* text :
       {"", "null", "7", "[]", R"("outcome")", "{", "{}x", "\xff", "1e400"}) {
    EXPECT_NE(ErrorOf(text), "") << text;
  }
}

TEST(TrialReportTest, AReportThatIsNotCompleteIsAnError) {
  const std::string whole = EncodeReport(SampleReport());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(DecodeReport(absl::string_view(whole).substr(0, size)).ok());
  }
}

TEST(TrialReportTest, TwoReportsAreAnError) {
  const std::string one = EncodeReport(SampleReport());
  EXPECT_FALSE(DecodeReport(one + one).ok());
}

}  // namespace
}  // namespace net::conformance
