#ifndef FAKES_DIFFERENTIAL_WORKERS_H_
#define FAKES_DIFFERENTIAL_WORKERS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/histogram.h"

namespace net::differential {

// The results of one process, or of several together.
struct Report {
  int64_t programs = 0;
  int64_t unstable = 0;
  // Of programs with threads (threads/thread_campaign.h).
  int64_t blocked = 0;
  int64_t schedules = 0;
  int64_t unexhausted = 0;
  // Of timed programs (timed/timed_campaign.h).
  int64_t delayed = 0;
  Histogram histogram;
  // FindingText() of each finding. If a worker ended early, also its exit
  // status and the seed of the program that it was running.
  std::vector<std::string> findings;
};

// Runs a part of a campaign in the process of a worker. Calls `before_each`
// with the seed of each program.
using CampaignPart = std::function<absl::StatusOr<Report>(
    const CampaignOptions& options,
    absl::FunctionRef<void(uint64_t)> before_each)>;

struct WorkersOptions {
  int jobs = 2;
  CampaignOptions campaign;  // Each worker runs a part of the programs.
  CampaignPart run;
  // A worker that spends this long on one program, including the shrinking of a
  // finding, is killed. That is a finding.
  absl::Duration program_timeout = absl::Minutes(2);
};

// Runs a campaign in several processes, so that a candidate that crashes or
// hangs ends only one of them. Calls `progress` about once a second with the
// number of programs run so far. Returns an error if this machine cannot make
// worlds or processes.
absl::StatusOr<Report> RunWorkers(const WorkersOptions& options,
                                  absl::FunctionRef<void(int64_t)> progress);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_WORKERS_H_
