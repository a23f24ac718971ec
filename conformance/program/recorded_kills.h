#ifndef CONFORMANCE_PROGRAM_RECORDED_KILLS_H_
#define CONFORMANCE_PROGRAM_RECORDED_KILLS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "conformance/explain/killed_mutants.h"

namespace net::conformance {

// Returns the bugs of conformance/mutants, each with the cases that find it:
// those of the museum and those in the source of net::tcp. Fails with NOT_FOUND
// if the program was moved away from its files.
absl::StatusOr<std::vector<KilledMutant>> ReadRecordedKills();

}  // namespace net::conformance

#endif  // CONFORMANCE_PROGRAM_RECORDED_KILLS_H_
