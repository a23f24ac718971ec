#ifndef FAKES_DIFFERENTIAL_WORKERS_H_
#define FAKES_DIFFERENTIAL_WORKERS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/histogram.h"
#include "fakes/differential/worlds.h"

namespace net::differential {

// What several processes found together.
struct Report {
  int64_t programs = 0;
  int64_t unstable = 0;
  Histogram histogram;
  // FindingText() of each finding; and what ended a worker before its time,
  // with the seed of the program that it was running.
  std::vector<std::string> findings;
};

struct WorkersOptions {
  int jobs = 2;
  Plan plan;  // each worker takes its share of the programs
  std::function<std::unique_ptr<Worlds>()> make_oracle;
  std::function<std::unique_ptr<Worlds>()> make_subject;
  // A worker that is as long with one program is killed, and that is a finding.
  // (Making a finding small counts, too.)
  absl::Duration patience = absl::Minutes(2);
};

// Runs a plan in several processes, which a subject that crashes or hangs
// cannot take along. `progress` is told about once a second how many programs
// have been run. Errors are those of this machine: no worlds, no processes.
absl::StatusOr<Report> RunWorkers(const WorkersOptions& options,
                                  absl::FunctionRef<void(int64_t)> progress);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_WORKERS_H_
