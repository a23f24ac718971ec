#ifndef CONFORMANCE_ONE_FILE_RECORDED_H_
#define CONFORMANCE_ONE_FILE_RECORDED_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/suite/case.h"

namespace net::conformance {

// The outcomes of a run, as a list to compare other runs with. As text:
//
//   on Linux 6.18.44 x86_64, uid 0
//   kernel.accept.flags v4,v6 pass
//   kernel.bind.second v4 variation
//
// The first line names the machine of the run. Each other line has a case, its
// address families, and the outcome. Lines that begin with # are comments.
class RecordedOutcomes {
 public:
  // Parses the text. An error names the line.
  static absl::StatusOr<RecordedOutcomes> Parse(absl::string_view text);
  static RecordedOutcomes Of(absl::Span<const Record> records, std::string on);

  std::string Text() const;

  // "Linux 6.18.44 x86_64, uid 0"
  const std::string& on() const { return on_; }
  // Returns nullopt if the run had no such trial.
  std::optional<Outcome> Find(absl::string_view id, AddressFamily family) const;
  size_t size() const { return outcomes_.size(); }

 private:
  std::string on_;
  std::map<std::pair<std::string, AddressFamily>, Outcome> outcomes_;
};

// The differences between the records of a run and recorded outcomes.
struct Comparison {
  size_t same = 0;
  size_t preconditions = 0;  // trials that could not run here, but did there
  size_t not_recorded = 0;   // trials that are not on the list
  std::vector<const Record*> different;
};
Comparison Compare(absl::Span<const Record> records,
                   const RecordedOutcomes& recorded);

// Returns whether kernels may differ in this way: the outcome is `variation`,
// or `expected-fail` on an older Linux.
bool IsAllowed(const Record& different);

}  // namespace net::conformance

#endif  // CONFORMANCE_ONE_FILE_RECORDED_H_
