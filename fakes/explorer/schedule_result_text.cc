// The texts of a ScheduleResult.

#include <cstdint>
#include <numeric>
#include <ostream>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "fakes/explorer/explore_schedules.h"
#include "fakes/explorer/finding_kind.h"

namespace net {
namespace {

std::string Count(int64_t count, const std::string& noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

// Returns "112 schedules with <= 2 preemptions" and what follows.
std::string CountsText(const ScheduleResult& result) {
  const int64_t exhaustive = result.counts.Total() - result.counts.random;
  std::string text;
  if (exhaustive > 0 || result.counts.random == 0) {
    text = absl::StrCat(
        Count(exhaustive, "schedule"), result.exhausted ? "" : ", of more,",
        " with <= ", result.bounds.max_preemptions, " preemptions");
  }
  if (result.counts.random > 0) {
    absl::StrAppend(&text, text.empty() ? "" : " and ",
                    Count(result.counts.random, "random schedule"),
                    " (PCT, depth ", result.bounds.pct_depth, ")");
  }
  return absl::StrCat(text, ", seed ", result.seed);
}

}  // namespace

int64_t ScheduleCounts::Total() const {
  return std::accumulate(exhaustive.begin(), exhaustive.end(), random);
}

std::string ScheduleResult::Statement() const {
  std::string text;
  if (shard.total > 1) {
    absl::StrAppend(&text, "shard ", shard.index + 1, " of ", shard.total,
                    ": ");
  }
  if (!complete) absl::StrAppend(&text, "not complete: ");
  if (!findings.empty()) {
    return absl::StrCat(text, findings.size(),
                        findings.size() == 1 ? " finding" : " findings", " in ",
                        name, "; ", CountsText(*this));
  }
  if (exhausted) {
    absl::StrAppend(&text, "no schedule with <= ", bounds.max_preemptions,
                    " preemptions makes ", name, " fail, hang or leak; ",
                    Count(counts.Total(), "schedule"), ", seed ", seed);
    return text;
  }
  return absl::StrCat(text, "no schedule that was tried makes ", name,
                      " fail, hang or leak; ", CountsText(*this));
}

std::string ScheduleResult::ReplayLine(const ScheduleFinding& finding) const {
  return absl::StrCat("net::ReplaySchedule(\"", finding.schedule, "\", ",
                      has_options ? "options, " : "", name, ")");
}

std::string ScheduleResult::ToString() const {
  std::string text = absl::StrCat(Statement(), "\n");
  int number = 0;
  for (const ScheduleFinding& finding : findings) {
    absl::StrAppend(&text, "\n", ++number, ". ", KindText(finding.kind), ": ",
                    finding.text, "\n");
    if (finding.schedule.empty()) continue;
    absl::StrAppend(&text, "   schedule: ", finding.schedule, " (",
                    Count(finding.preemptions, "preemption"), "), seed ", seed,
                    "\n   schedules that show it: ", finding.schedules, " of ",
                    counts.Total(), "\n   again: EXPECT_THAT(",
                    ReplayLine(finding), ", net::HasNoFindings());\n");
    if (finding.interleaving.empty()) continue;
    absl::StrAppend(
        &text, "   calls, in the order in which they returned:\n     ",
        absl::StrReplaceAll(
            absl::StripTrailingAsciiWhitespace(finding.interleaving),
            {{"\n", "\n     "}}),
        "\n");
  }
  return text;
}

std::ostream& operator<<(std::ostream& os, const ScheduleFinding& finding) {
  return os << finding.kind << ": " << finding.text << ", schedule "
            << finding.schedule;
}

std::ostream& operator<<(std::ostream& os, const ScheduleResult& result) {
  return os << result.ToString();
}

}  // namespace net
