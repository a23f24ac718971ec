// Provokes every pair of syscalls/testdata/errno_table.tsv that can be provoked
// over loopback, on the machine where it runs, and checks what the failing call
// left behind. A failure names the pair in which this kernel differs from the
// table.

#include <unistd.h>

#include <cerrno>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fakes/call.h"
#include "fakes/errno_table.h"
#include "fakes/faults/errno_probes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sandbox/capabilities.h"
#include "syscalls/sandbox/network_namespace.h"
#include "syscalls/sandbox/routes.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/testing/matchers.h"

namespace net {

void PrintTo(const ErrnoRow& row, std::ostream* os) {
  *os << row.call << " " << ErrnoSymbol(row.error);
}

namespace {

// A hanging probe ends by SIGALRM.
constexpr unsigned kMostSeconds = 120;

using CallAndErrno = std::pair<Call, int>;

const std::map<CallAndErrno, ErrnoProbe>& Probes() {
  static const auto& probes = *[] {
    auto* const all = new std::map<CallAndErrno, ErrnoProbe>;
    for (const auto& some :
         {DescriptorProbes(), SocketProbes(), OptionProbes(), BindProbes(),
          AcceptProbes(), ConnectProbes(), NameProbes(), DataProbes(),
          FastOpenProbes(), PollProbes(), EpollProbes(), FileProbes(),
          SpliceProbes()}) {
      for (const ErrnoProbe& it : some) (*all)[{it.call, it.error}] = it;
    }
    return all;
  }();
  return probes;
}

// Enters a network of its own, where two addresses have failing routes: see
// ConnectProbes().
absl::Status EnterNetwork() {
  absl::Status status = sandbox::EnterOwnNetwork();
  if (status.ok()) {
    status = sandbox::AddFailingRoute(*ip::Addr::Parse("192.0.2.13"), EACCES);
  }
  if (status.ok()) {
    status =
        sandbox::AddFailingRoute(*ip::Addr::Parse("192.0.2.113"), EHOSTUNREACH);
  }
  return status;
}

// Runs a probe in a child process, without capabilities if the pair is
// one for any user.
absl::StatusOr<Provoked> Provoke(const ErrnoProbe& probe, bool is_unprivileged,
                                 bool has_network) {
  const absl::StatusOr<std::string> report =
      sandbox::RunInChild([&]() -> std::string {
        alarm(kMostSeconds);
        absl::Status status = has_network ? EnterNetwork() : absl::OkStatus();
        if (status.ok() && is_unprivileged)
          status = sandbox::DropCapabilities();
        if (!status.ok()) return absl::StrCat(status.ToString(), "\n\n");
        const Provoked provoked = probe.run();
        return absl::StrCat(provoked.error, "\n", provoked.before, "\n",
                            provoked.after);
      });
  if (!report.ok()) return report.status();
  const std::vector<std::string> lines = absl::StrSplit(*report, '\n');
  Provoked provoked = {.before = lines.at(1), .after = lines.at(2)};
  if (!absl::SimpleAtoi(lines.at(0), &provoked.error)) {
    return absl::InternalError(lines.at(0));
  }
  return provoked;
}

class ErrnoProvenance : public testing::TestWithParam<ErrnoRow> {};

TEST_P(ErrnoProvenance, IsProvokedAndLeavesBehindWhatTheTableSays) {
  const ErrnoRow& row = GetParam();
  const auto it = Probes().find({row.call, row.error});
  ASSERT_TRUE(it != Probes().end())
      << "No probe is written for this pair of class U or R.";
  const absl::Status own_network = sandbox::CheckOwnNetwork();
  if (row.provocation == Provocation::kRoot && !own_network.ok()) {
    GTEST_SKIP() << own_network.message();
  }
  const absl::StatusOr<Provoked> provoked =
      Provoke(it->second, row.provocation == Provocation::kUnprivileged,
              own_network.ok());
  ASSERT_THAT(provoked, IsOk());
  EXPECT_EQ(ErrnoSymbol(provoked->error), ErrnoSymbol(row.error))
      << "This kernel returns another errno (0: success).";
  EXPECT_EQ(provoked->before != provoked->after, row.takes_effect)
      << "This kernel's effect is not that of the table, whose source is: "
      << row.source << "\nbefore: " << provoked->before
      << "\nafter:  " << provoked->after;
}

std::vector<ErrnoRow> ProvokedRows() {
  std::vector<ErrnoRow> rows;
  for (const ErrnoRow& row : ErrnoTable()) {
    if (row.provocation != Provocation::kInjection) rows.push_back(row);
  }
  return rows;
}

std::string NameOf(const testing::TestParamInfo<ErrnoRow>& row) {
  return absl::StrCat(CallName(row.param.call), "_",
                      ErrnoSymbol(row.param.error));
}

INSTANTIATE_TEST_SUITE_P(Linux, ErrnoProvenance,
                         testing::ValuesIn(ProvokedRows()), NameOf);

TEST(ErrnoTable, SaysWhyAPairCannotBeProvoked) {
  for (const ErrnoRow& row : ErrnoTable()) {
    if (row.provocation != Provocation::kInjection) continue;
    EXPECT_NE(row.note, "") << testing::PrintToString(row);
  }
}

TEST(ErrnoProbes, AreForPairsOfTheTable) {
  std::map<CallAndErrno, bool> rows;
  for (const ErrnoRow& row : ProvokedRows()) rows[{row.call, row.error}] = true;
  for (const auto& [pair, probe] : Probes()) {
    EXPECT_THAT(rows, testing::Contains(testing::Key(pair))) << probe;
  }
}

}  // namespace
}  // namespace net
