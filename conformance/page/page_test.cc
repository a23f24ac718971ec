#include "conformance/page/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"
#include "conformance/page/badge.h"
#include "conformance/page/case_list.h"
#include "conformance/page/records_file.h"
#include "conformance/suite/case.h"
#include "nlohmann/json.hpp"

namespace net::conformance {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Text that ends a script or an attribute if it is not escaped.
constexpr absl::string_view kHostile =
    "</script><script>alert(1)</script>\"'<!--\xE2\x80\xA8{{style}}";

// Returns the text between the first `begin` and the next `end`.
std::string Between(absl::string_view text, absl::string_view begin,
                    absl::string_view end) {
  const size_t start = text.find(begin) + begin.size();
  return std::string(text.substr(start, text.find(end, start) - start));
}

std::string Gunzip(const std::string& compressed) {
  constexpr int kGzipWindowBits = 15 + 16;
  z_stream stream = {};
  EXPECT_EQ(inflateInit2(&stream, kGzipWindowBits), Z_OK);
  std::string input = compressed;
  std::string text(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

// The elements with the records and with the programs.
constexpr absl::string_view kBegin =
    "<script id=\"records\" type=\"application/gzip;base64\">";
constexpr absl::string_view kBeginOfPrograms =
    "<script id=\"programs\" type=\"application/gzip;base64\">";
constexpr absl::string_view kEnd = "</script>";

std::string WithoutEmbedded(const std::string& page) {
  return absl::StrReplaceAll(page,
                             {{Between(page, kBegin, kEnd), ""},
                              {Between(page, kBeginOfPrograms, kEnd), ""}});
}

// Returns what is embedded in a page after `begin`.
nlohmann::json EmbeddedIn(absl::string_view page,
                          absl::string_view begin = kBegin) {
  std::string compressed;
  EXPECT_TRUE(absl::Base64Unescape(Between(page, begin, kEnd), &compressed));
  return nlohmann::json::parse(Gunzip(compressed));
}

// Returns the records of an embedded table.
std::vector<nlohmann::json> RecordsIn(const nlohmann::json& embedded) {
  std::vector<nlohmann::json> records;
  for (const nlohmann::json& indices : embedded.at("records")) {
    nlohmann::json record;
    for (size_t i = 0; i < indices.size(); ++i) {
      record[embedded.at("fields").at(i).get<std::string>()] =
          embedded.at("values").at(indices.at(i).get<size_t>());
    }
    records.push_back(record);
  }
  return records;
}

class PageTest : public testing::Test {
 protected:
  Record MakeRecord(const Case& test_case, AddressFamily family,
                    Outcome outcome, absl::string_view message = "") {
    return {.trial = {.test_case = &test_case,
                      .family = family,
                      .target = &target_},
            .verdict = {.outcome = outcome, .message = std::string(message)}};
  }

  const Case first_ = {.id = "listen.first",
                       .requirement = "Listen must succeed.",
                       .source = "listen(2)"};
  const Case second_ = {.id = "accept.second",
                        .requirement = "Accept must succeed.",
                        .source = "accept(2)"};
  const Target target_ = {.name = "mine"};
};

TEST_F(PageTest, HasEveryRecordUnchanged) {
  const std::string lines = absl::StrCat(
      EnvironmentToJson(), "\n",
      RecordToJson(
          MakeRecord(first_, AddressFamily::kV4, Outcome::kFail, kHostile)),
      "\n",
      RecordToJson(MakeRecord(second_, AddressFamily::kV6, Outcome::kPass)),
      "\n");
  const auto run = ParseRecords("records.jsonl", lines);
  ASSERT_TRUE(run.ok());
  const nlohmann::json embedded = EmbeddedIn(MakePage(
      *run, {}, {.date = "2026-11-29 18:57 UTC", .command = "run --"}));
  EXPECT_EQ(embedded.at("page").at("date"), "2026-11-29 18:57 UTC");
  EXPECT_EQ(embedded.at("page").at("command"), "run --");
  EXPECT_EQ(embedded.at("environment"), run->environment);
  EXPECT_EQ(run->records.size(), 2U);
  EXPECT_EQ(RecordsIn(embedded), run->records);
}

TEST_F(PageTest, HasTheProgramOfEachCaseOrTheReason) {
  const nlohmann::json embedded = EmbeddedIn(
      MakePage({},
               {{"listen.first", "int main(void) {}\n"},
                {"accept.second", absl::UnimplementedError("it is long")}},
               {}),
      kBeginOfPrograms);
  EXPECT_EQ(embedded.at("programs"),
            nlohmann::json({{"listen.first", "int main(void) {}\n"}}));
  EXPECT_EQ(embedded.at("reasons"),
            nlohmann::json({{"accept.second", "it is long"}}));
}

TEST_F(PageTest, HasNoTextOfARecordAsMarkup) {
  const std::string empty = MakePage({}, {}, {});
  const std::string page = MakePage(
      {.environment = {{kHostile, kHostile}},
       .records = {nlohmann::json::parse(RecordToJson(
           MakeRecord(first_, AddressFamily::kV4, Outcome::kFail, kHostile)))}},
      {{std::string(kHostile), std::string(kHostile)},
       {"none", absl::UnimplementedError(kHostile)}},
      {.date = std::string(kHostile), .command = std::string(kHostile)});
  EXPECT_THAT(page, Not(HasSubstr("alert(1)")));
  EXPECT_EQ(WithoutEmbedded(page), WithoutEmbedded(empty));
}

TEST_F(PageTest, IsOneFileThatLoadsNothing) {
  const std::string page = MakePage({}, {}, {});
  EXPECT_TRUE(absl::StartsWith(page, "<!doctype html>"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, HasSubstr("async function readRecords"));
  EXPECT_THAT(page, HasSubstr(":root {"));
  EXPECT_THAT(page, Not(HasSubstr("{{")));
}

TEST_F(PageTest, HashesTheListOfCasesAndNotTheirOrderOrOutcome) {
  const std::vector<Record> records = {
      MakeRecord(first_, AddressFamily::kV4, Outcome::kPass),
      MakeRecord(second_, AddressFamily::kV4, Outcome::kPass)};
  const std::vector<Record> others = {
      MakeRecord(second_, AddressFamily::kV4, Outcome::kFail),
      MakeRecord(first_, AddressFamily::kV4, Outcome::kPass),
      MakeRecord(first_, AddressFamily::kV4, Outcome::kPass)};
  EXPECT_EQ(CaseListOf(records).cases, 2U);
  // python3 -c 'import zlib; print(hex(zlib.crc32(b"accept.second v4 Accept
  // must succeed.\nlisten.first v4 Listen must succeed.\n")))'
  EXPECT_EQ(CaseListOf(records).hash, "abbb7684");
  EXPECT_EQ(CaseListOf(others).hash, CaseListOf(records).hash);
}

TEST_F(PageTest, ListOfOtherFamiliesOrRequirementsHasAnotherHash) {
  Case changed = first_;
  changed.requirement = "Listen should succeed.";
  const auto hash_of = [&](const Case& test_case, AddressFamily family) {
    return CaseListOf({MakeRecord(test_case, family, Outcome::kPass)}).hash;
  };
  const std::string hash = hash_of(first_, AddressFamily::kV4);
  EXPECT_NE(hash_of(first_, AddressFamily::kV6), hash);
  EXPECT_NE(hash_of(changed, AddressFamily::kV4), hash);
}

TEST_F(PageTest, BadgeLinksItsCountsToTheLists) {
  const std::vector<Record> records = {
      MakeRecord(first_, AddressFamily::kV4, Outcome::kPass),
      MakeRecord(first_, AddressFamily::kV6, Outcome::kExpectedFail),
      MakeRecord(second_, AddressFamily::kV4, Outcome::kFail)};
  const std::string badge = MakeBadge(records, "../a \"<b>\".html", "list <1>");
  EXPECT_THAT(badge, HasSubstr("1/3 unexpected"));
  EXPECT_THAT(badge, HasSubstr("1/3 pass"));
  EXPECT_THAT(badge, HasSubstr("href=\"../a%20%22%3Cb%3E%22.html#failures\""));
  EXPECT_THAT(badge, HasSubstr("list &lt;1&gt;"));
}

}  // namespace
}  // namespace net::conformance
