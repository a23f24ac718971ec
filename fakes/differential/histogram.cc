#include "fakes/differential/histogram.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"
#include "fakes/errno_table.h"
#include "syscalls/errors/errno_symbol.h"

namespace net::differential {
namespace {

// Indexed by TCP_INFO's state; 0 is no TCP socket.
constexpr absl::string_view kStates[] = {
    "-",          "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
    "FIN_WAIT1",  "FIN_WAIT2",   "TIME_WAIT", "CLOSED",
    "CLOSE_WAIT", "LAST_ACK",    "LISTEN",    "CLOSING",
};
constexpr int kStateCount = static_cast<int>(std::size(kStates));

std::optional<int> StateFromName(absl::string_view name) {
  const auto found = std::find(std::begin(kStates), std::end(kStates), name);
  if (found == std::end(kStates)) return std::nullopt;
  return static_cast<int>(found - std::begin(kStates));
}

constexpr Call kRequiredCalls[] = {
    Call::kBind,       Call::kListen,      Call::kAccept4,
    Call::kConnect,    Call::kShutdown,    Call::kSend,
    Call::kRecv,       Call::kGetSockName, Call::kGetPeerName,
    Call::kSetSockOpt, Call::kGetSockOpt,
};

// Errnos that send(2) has only with MSG_FASTOPEN, which the programs do not
// use.
constexpr int kFastOpenErrors[] = {EALREADY, EINVAL, EISCONN, EOPNOTSUPP};

bool IsOfFastOpen(const ErrnoRow& row) {
  return row.call == Call::kSend &&
         std::find(std::begin(kFastOpenErrors), std::end(kFastOpenErrors),
                   row.error) != std::end(kFastOpenErrors);
}

bool IsRequired(const ErrnoRow& row) {
  return !IsOfFastOpen(row) && row.provocation == Provocation::kUnprivileged &&
         row.error != EINTR && row.error != ETIMEDOUT &&
         std::find(std::begin(kRequiredCalls), std::end(kRequiredCalls),
                   row.call) != std::end(kRequiredCalls);
}

}  // namespace

void Histogram::Add(const Program& program, const Trace& trace) {
  for (size_t i = 0; i < trace.size(); ++i) {
    if (trace[i].skipped) continue;
    const int state = trace[i].tcp_state < kStateCount ? trace[i].tcp_state : 0;
    ++counts_[{program[i].call, trace[i].result.error(), state}];
  }
}

void Histogram::Add(const Histogram& other) {
  for (const auto& [key, count] : other.counts_) counts_[key] += count;
}

int64_t Histogram::Count(Call call, int error) const {
  int64_t sum = 0;
  for (const auto& [key, count] : counts_) {
    if (std::get<0>(key) == call && std::get<1>(key) == error) sum += count;
  }
  return sum;
}

std::string Histogram::ToText() const {
  std::string text;
  for (const auto& [key, count] : counts_) {
    const auto& [call, error, state] = key;
    absl::StrAppend(&text, CallName(call), " ", ErrnoSymbol(error), " ",
                    kStates[state], " ", count, "\n");
  }
  return text;
}

absl::Status Histogram::Parse(absl::string_view text) {
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    if (words.size() != 4) {
      return absl::InvalidArgumentError(
          absl::StrCat("not a line of four words: ", line));
    }
    const std::optional<Call> call = CallFromName(words[0]);
    const std::optional<int> error =
        words[1] == "0" ? std::optional<int>(0) : ErrnoFromSymbol(words[1]);
    const std::optional<int> state = StateFromName(words[2]);
    int64_t count = 0;
    if (!call || !error || !state || !absl::SimpleAtoi(words[3], &count)) {
      return absl::InvalidArgumentError(absl::StrCat("not a count: ", line));
    }
    counts_[{*call, *error, *state}] += count;
  }
  return absl::OkStatus();
}

std::vector<RequiredRow> RequiredRows(const Histogram& histogram) {
  std::vector<RequiredRow> rows;
  for (const ErrnoRow& row : ErrnoTable()) {
    if (!IsRequired(row)) continue;
    rows.push_back({row.call, row.error, histogram.Count(row.call, row.error)});
  }
  return rows;
}

}  // namespace net::differential
