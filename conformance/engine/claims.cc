#include "conformance/engine/claims.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

std::vector<std::string> FalseClaims(absl::Span<const Record> records) {
  // For each target and feature that it was seen to support, a trial that shows
  // it.
  std::map<std::pair<const Target*, std::string>, const Record*> proofs;
  for (const Record& record : records) {
    for (const std::string& feature : record.verdict.proven) {
      proofs.emplace(std::pair(record.trial.target, feature), &record);
    }
  }
  std::vector<std::string> lines;
  for (const Record& record : records) {
    const std::vector<std::string>& claimed = record.verdict.claimed;
    const auto is_proven = [&](const std::string& feature) {
      return proofs.contains({record.trial.target, feature});
    };
    if (claimed.empty() ||
        !std::all_of(claimed.begin(), claimed.end(), is_proven)) {
      continue;
    }
    const Record& proof = *proofs[{record.trial.target, claimed.back()}];
    lines.push_back(absl::StrCat(
        TrialName(record.trial), ": a false claim of `unsupported` (",
        record.verdict.message, "): ", absl::StrJoin(claimed, ", "),
        " worked in another case, for instance ", TrialName(proof.trial)));
  }
  return lines;
}

}  // namespace net::conformance
