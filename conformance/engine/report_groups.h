#ifndef CONFORMANCE_ENGINE_REPORT_GROUPS_H_
#define CONFORMANCE_ENGINE_REPORT_GROUPS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"

// Keeps reports short: groups trials that ended alike, and cuts messages to the
// part that matters.

namespace net::conformance {

// Trials with the same ending (EndingName()), for the same reason.
struct Group {
  std::string reason;     // the first line of the message or leak
  bool is_first = false;  // of its ending
  std::vector<const Record*> records = {};

  // "unsupported"; "pass, leak".
  std::string Ending() const;
  // The cases, each once: with the axis ("listen.plain v4") where there is but
  // one trial of it.
  std::vector<std::string> Names() const;
  // The columns with the numbers of their trials: "python 12".
  std::vector<std::string> Columns() const;
};

// The trials that ended as expected but did not only pass, by ending and
// reason; of each ending the largest group first.
std::vector<Group> GroupByReason(absl::Span<const Record> records);

// The failures, those with the same message in one group, in the order of
// their first ones. Messages that differ only in addresses, ports, process ids
// and the numbers of leaked descriptors count as the same.
std::vector<Group> GroupFailures(absl::Span<const Record> records);

// How many trials ended so.
size_t CountOf(absl::Span<const Record> records, Outcome outcome);
size_t CountOf(absl::Span<const Record> records, Leak leak);
// How many are in the groups of this ending.
size_t CountOf(absl::Span<const Group> groups, absl::string_view ending);

// A message without the middle of what is long in it: of the session with a
// driver the last messages, of the rest the first lines.
std::string ShortMessage(absl::string_view message);

std::string FirstLine(absl::string_view message);

// At most `size` bytes, with "..." where something was cut; UTF-8 remains
// UTF-8.
std::string CutText(absl::string_view text, size_t size);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_REPORT_GROUPS_H_
