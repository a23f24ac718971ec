#include "fakes/errno_table.h"

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/call.h"
#include "syscalls/errors/errno_symbol.h"

namespace net {
// The text of the file, in a source that the build generates from it.
extern const char kErrnoTableText[];

namespace {

constexpr absl::string_view kHeader =
    "syscall\terrno\tin_manpage_6.03\tclass\tprobe\tnote\teffect\tsource";
constexpr size_t kFields = 8;

std::optional<Provocation> ProvocationOfClass(absl::string_view name) {
  if (name == "U") return Provocation::kUnprivileged;
  if (name == "R") return Provocation::kRoot;
  if (name == "I") return Provocation::kInjection;
  return std::nullopt;
}

std::optional<bool> TakesEffect(absl::string_view effect) {
  if (effect == "before") return false;
  if (effect == "after") return true;
  return std::nullopt;
}

// Returns the call whose rows are those of `call`.
Call CallWithRowsOf(Call call) {
  switch (call) {
    case Call::kAccept:
      return Call::kAccept4;
    case Call::kRecvFrom:
    case Call::kRecvMsg:
    case Call::kRecvMMsg:
    case Call::kRead:
    case Call::kReadV:
      return Call::kRecv;
    case Call::kSendTo:
    case Call::kSendMsg:
    case Call::kSendMMsg:
    case Call::kWrite:
    case Call::kWriteV:
      return Call::kSend;
    case Call::kPPoll:
    case Call::kSelect:
    case Call::kPSelect6:
      return Call::kPoll;
    case Call::kEpollPWait:
    case Call::kEpollPWait2:
      return Call::kEpollWait;
    default:
      return call;
  }
}

}  // namespace

absl::StatusOr<std::vector<ErrnoRow>> ParseErrnoTable(absl::string_view text) {
  std::vector<ErrnoRow> rows;
  bool has_header = false;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (!has_header) {
      if (line != kHeader) break;
      has_header = true;
      continue;
    }
    const std::vector<absl::string_view> fields = absl::StrSplit(line, '\t');
    if (fields.size() != kFields) {
      return absl::InvalidArgumentError(
          absl::StrCat("not ", kFields, " fields: ", line));
    }
    if (fields[3] == "N") continue;
    const std::optional<Call> call = CallFromName(fields[0]);
    const std::optional<int> error = ErrnoFromSymbol(fields[1]);
    const std::optional<Provocation> provocation =
        ProvocationOfClass(fields[3]);
    const std::optional<bool> takes_effect = TakesEffect(fields[6]);
    if (!call.has_value() || !error.has_value() || !provocation.has_value() ||
        !takes_effect.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown call, errno, class or effect: ", line));
    }
    if (fields[7].empty()) {
      return absl::InvalidArgumentError(absl::StrCat("no source: ", line));
    }
    rows.push_back(
        {*call, *error, *provocation, *takes_effect, fields[7], fields[5]});
  }
  if (rows.empty()) {
    return absl::InvalidArgumentError("no header line, or no rows");
  }
  return rows;
}

absl::Span<const ErrnoRow> ErrnoTable() {
  // Never destroyed, because parametrised tests are created at start-up and
  // destroyed at exit.
  static const std::vector<ErrnoRow>& rows =
      *new std::vector<ErrnoRow>(ParseErrnoTable(kErrnoTableText).value());
  return rows;
}

std::vector<int> ErrnosOf(Call call) {
  const Call served_by = CallWithRowsOf(call);
  std::vector<int> errors;
  for (const ErrnoRow& row : ErrnoTable()) {
    if (row.call == served_by) errors.push_back(row.error);
  }
  return errors;
}

}  // namespace net
