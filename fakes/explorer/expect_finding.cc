#include "fakes/explorer/expect_finding.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/has_no_findings.h"
#include "fakes/explorer/scenario.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net {
namespace {

using testing::Contains;
using testing::ElementsAre;

std::string TextOf(FindingKind kind, absl::string_view plan) {
  return absl::StrCat(KindText(kind), " with '", plan, "'");
}

std::vector<std::string> TextsOf(const ExploreResult& result) {
  std::vector<std::string> texts;
  for (const ExploreFinding& finding : result.findings) {
    texts.push_back(TextOf(finding.kind, finding.plan.ToString()));
  }
  return texts;
}

ExploreOptions WithoutPruning(ExploreOptions options) {
  options.prune = false;
  return options;
}

}  // namespace

void ExpectFinding(const ExploreOptions& options, const Scenario& scenario,
                   FindingKind kind, absl::string_view plan) {
  const ExploreResult pruned = ExploreFaults(options, scenario);
  EXPECT_THAT(TextsOf(pruned), ElementsAre(TextOf(kind, plan))) << pruned;

  const ExploreResult whole = ExploreFaults(WithoutPruning(options), scenario);
  EXPECT_THAT(TextsOf(whole), ElementsAre(TextOf(kind, plan))) << whole;
  EXPECT_EQ(pruned.counts.plans, whole.counts.plans);
  EXPECT_EQ(whole.counts.runs, whole.counts.plans);
  EXPECT_LE(pruned.counts.runs, whole.counts.runs);

  if (plan.empty()) return;
  const ExploreResult alone = RunFaultPlan(plan, options, scenario);
  EXPECT_THAT(TextsOf(alone), Contains(TextOf(kind, plan))) << alone;
}

void ExpectFinding(const Scenario& scenario, FindingKind kind,
                   absl::string_view plan) {
  ExpectFinding(ExploreOptions(), scenario, kind, plan);
}

void ExpectNoFinding(const ExploreOptions& options, const Scenario& scenario) {
  const ExploreResult pruned = ExploreFaults(options, scenario);
  EXPECT_THAT(pruned, HasNoFindings());
  const ExploreResult whole = ExploreFaults(WithoutPruning(options), scenario);
  EXPECT_THAT(whole, HasNoFindings());
  EXPECT_EQ(pruned.counts.plans, whole.counts.plans);
  EXPECT_EQ(whole.counts.runs, whole.counts.plans);
}

}  // namespace net
