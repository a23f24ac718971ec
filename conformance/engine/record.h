#ifndef CONFORMANCE_ENGINE_RECORD_H_
#define CONFORMANCE_ENGINE_RECORD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// The result of a trial that has ended.
struct Record {
  Trial trial;
  Verdict verdict;
  int64_t milliseconds = 0;
  std::string version;  // of the implementation; "" for this tree's own
  Rerun rerun = Rerun::kNone;
};

// Returns a JSON object on one line, without a newline. Its fields are `case`,
// `axis`, `implementation`, `outcome`, `leak` (see Leak), `level`, `ms`,
// `requirement`, `source`, `message`, `error`, `leaked`, `calls` (the last
// system calls of a trial that ended unexpectedly, see Verdict), `version`,
// `rerun` (RerunName()).
std::string RecordToJson(const Record& record);

// Returns the first line of a file of records: {"environment": {...}} with the
// versions of the suite and the kernel, the machine, the effective user, and
// the sysctls that outcomes may depend on.
std::string EnvironmentToJson();

// Sorts records into the order of their trials in `order`, so that a report
// does not depend on which trial ended first.
void SortRecords(absl::Span<const Trial> order, std::vector<Record>& records);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_RECORD_H_
