#ifndef CONFORMANCE_ENGINE_REPORT_GROUPS_H_
#define CONFORMANCE_ENGINE_REPORT_GROUPS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"

// Shortens reports: groups trials with equal endings, and cuts messages to
// their most important parts.

namespace net::conformance {

// Trials with the same ending (EndingName()) and the same reason.
struct Group {
  std::string reason;     // first line of the message, or of the leak
  bool is_first = false;  // first group of its ending
  std::vector<const Record*> records = {};

  // Returns "unsupported" or "pass, leak", for instance.
  std::string Ending() const;
  // Returns the cases, each once. If only one of a case's trials is in the
  // group, the name includes the address family: "listen.plain v4".
  std::vector<std::string> Names() const;
  // Returns the targets, each with its number of trials: "python 12".
  std::vector<std::string> Targets() const;
};

// Groups the trials that ended as expected, except those that passed without a
// leak, by ending and reason. Within an ending the largest group comes first.
std::vector<Group> GroupByReason(absl::Span<const Record> records);

// Groups the failures by message, in order of first appearance. Messages that
// differ only in addresses, ports, process ids and numbers of leaked
// descriptors count as equal.
std::vector<Group> GroupFailures(absl::Span<const Record> records);

// Count the trials with an outcome or a leak.
size_t CountOf(absl::Span<const Record> records, Outcome outcome);
size_t CountOf(absl::Span<const Record> records, Leak leak);
// Counts the trials in the groups of an ending.
size_t CountOf(absl::Span<const Group> groups, absl::string_view ending);

// Shortens a message: keeps the first lines of the findings, the last messages
// of the session with a driver, and the last lines of the driver's output.
std::string ShortMessage(absl::string_view message);

// The line before the system calls of a trial (Verdict::calls).
inline constexpr absl::string_view kCallsHeading = "the last system calls:";

std::string FirstLine(absl::string_view message);

// Cuts text to at most `size` bytes, "..." included. Never cuts within a UTF-8
// character.
std::string CutText(absl::string_view text, size_t size);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_REPORT_GROUPS_H_
