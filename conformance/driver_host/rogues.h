#ifndef CONFORMANCE_DRIVER_HOST_ROGUES_H_
#define CONFORMANCE_DRIVER_HOST_ROGUES_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"

// Runs cases with testdata/rogue.py, a driver with a fault.

namespace net::conformance {

// Generous, because only a failing test takes this long.
inline constexpr absl::Duration kRogueTimeout = absl::Seconds(10);

// The message about a hello that names another's process.
inline constexpr char kNotItsOwn[] =
    "which is not one of the driver's processes";

// A driver with a fault, and the verdict on it.
struct RogueDriver {
  const char* name;                // In the name of a test.
  const char* fault;               // The argument of rogue.py.
  std::vector<std::string> words;  // Parts of the message.
  Outcome outcome = Outcome::kCrash;
};
void PrintTo(const RogueDriver& driver, std::ostream* os);

// Expects that the verdict has the driver's outcome, and its words in the
// message.
void ExpectVerdict(const Verdict& verdict, const RogueDriver& driver);

// Returns the command of a driver with a fault, an argument of rogue.py.
std::string Rogue(absl::string_view fault);

// Returns a target whose driver is started by `command`.
Target MakeTarget(const std::string& command);

// Runs the trials, and returns a record of each.
std::vector<Record> RecordsOf(const std::vector<Trial>& trials,
                              const RunnerOptions& options);

// Returns the verdict on a driver in a case that exchanges data, while another
// driver serves the same case. The other one must pass.
Verdict VerdictBesideOthers(const std::string& command,
                            absl::Duration timeout = kRogueTimeout);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_ROGUES_H_
