#ifndef FAKES_DIFFERENTIAL_CAMPAIGN_H_
#define FAKES_DIFFERENTIAL_CAMPAIGN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fakes/differential/differ.h"
#include "fakes/differential/histogram.h"
#include "fakes/differential/worlds.h"

namespace net::differential {

// A search for differences through many programs.
struct Plan {
  uint64_t seed = 0;
  // Which programs: those of seed + first, seed + first + stride, ...
  uint64_t first = 0;
  uint64_t stride = 1;
  // It ends with the first of these.
  int64_t programs = INT64_MAX;
  absl::Time deadline = absl::InfiniteFuture();
  size_t findings = 1;
  // How long a finding may take to be made small.
  absl::Duration shrinking = absl::Seconds(20);
};

// A program, made small, and the seed that it came from.
struct Finding {
  uint64_t seed = 0;
  Difference difference;
};

struct Outcome {
  // Without the smaller ones that shrinking tried.
  int64_t programs = 0;
  int64_t unstable = 0;  // see differ.h
  Histogram histogram;
  std::vector<Finding> findings;
};

// Searches. Of differences that look alike, in the last call and both answers,
// only the first is a finding. `before_each` is told the seed of each program.
absl::StatusOr<Outcome> Search(Worlds& oracle, Worlds& subject,
                               const Plan& plan,
                               absl::FunctionRef<void(uint64_t)> before_each);
absl::StatusOr<Outcome> Search(Worlds& oracle, Worlds& subject,
                               const Plan& plan);

// A finding as text: the seed, and the program as C++ (print_case.h).
std::string FindingText(const Finding& finding);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_CAMPAIGN_H_
