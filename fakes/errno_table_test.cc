#include "fakes/errno_table.h"

#include <cerrno>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "fakes/call.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net {

void PrintTo(Provocation provocation, std::ostream* os) {
  *os << "URI"[static_cast<int>(provocation)];
}

namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// Counted by hand. Tests of error paths take their cases from the table, so a
// lost row would silently lose its tests.
TEST(ErrnoTable, HasAllRowsOfEachCall) {
  std::map<Call, int> rows;
  for (const ErrnoRow& row : ErrnoTable()) ++rows[row.call];
  EXPECT_THAT(
      rows,
      UnorderedElementsAre(
          Pair(Call::kSocket, 10), Pair(Call::kSetSockOpt, 7),
          Pair(Call::kGetSockOpt, 5), Pair(Call::kBind, 9),
          Pair(Call::kListen, 5), Pair(Call::kAccept4, 24),
          Pair(Call::kConnect, 18), Pair(Call::kGetSockName, 5),
          Pair(Call::kGetPeerName, 6), Pair(Call::kShutdown, 4),
          Pair(Call::kClose, 3), Pair(Call::kRecv, 11), Pair(Call::kSend, 15),
          Pair(Call::kSendFile, 12), Pair(Call::kSplice, 10),
          Pair(Call::kPoll, 4), Pair(Call::kFcntl, 3),
          Pair(Call::kEpollCreate1, 4), Pair(Call::kEpollCtl, 9),
          Pair(Call::kEpollWait, 4), Pair(Call::kDup, 3), Pair(Call::kDup3, 5),
          Pair(Call::kPipe2, 4), Pair(Call::kEventFd, 5),
          Pair(Call::kTimerFdCreate, 6), Pair(Call::kTimerFdSetTime, 4),
          Pair(Call::kTimerFdGetTime, 3), Pair(Call::kIoctl, 4)));
}

TEST(ErrnoTable, HasEachPairOnce) {
  std::set<std::pair<Call, int>> pairs;
  for (const ErrnoRow& row : ErrnoTable()) {
    EXPECT_TRUE(pairs.insert({row.call, row.error}).second)
        << row.call << " " << row.error;
  }
}

TEST(ErrnoTable, ReturnsTheErrnosOfACall) {
  EXPECT_THAT(ErrnosOf(Call::kClose), ElementsAre(EBADF, EINTR, EIO));
  EXPECT_THAT(ErrnosOf(Call::kConnect), Contains(ECONNREFUSED));
  EXPECT_THAT(ErrnosOf(Call::kNanoSleep), ElementsAre());
}

TEST(ErrnoTable, CallsThatDoTheSameShareRows) {
  EXPECT_EQ(ErrnosOf(Call::kAccept), ErrnosOf(Call::kAccept4));
  for (const Call call : {Call::kRecvFrom, Call::kRecvMMsg, Call::kReadV}) {
    EXPECT_EQ(ErrnosOf(call), ErrnosOf(Call::kRecv)) << call;
  }
  for (const Call call : {Call::kSendTo, Call::kSendMMsg, Call::kWriteV}) {
    EXPECT_EQ(ErrnosOf(call), ErrnosOf(Call::kSend)) << call;
  }
  for (const Call call : {Call::kSelect, Call::kPSelect6}) {
    EXPECT_EQ(ErrnosOf(call), ErrnosOf(Call::kPoll)) << call;
  }
  EXPECT_EQ(ErrnosOf(Call::kEpollPWait), ErrnosOf(Call::kEpollWait));
}

TEST(ErrnoTable, LeavesOutPairsThatAreNotForTcp) {
  EXPECT_THAT(ErrnosOf(Call::kBind), Not(Contains(ELOOP)));
}

constexpr char kHeader[] =
    "syscall\terrno\tin_manpage_6.03\tclass\tprobe\tnote\teffect\tsource\n";

TEST(ParseErrnoTable, ReadsRows) {
  const std::string text = std::string(kHeader) +
                           "bind\tEACCES\ty\tU\t19\tport<1024\tbefore\tseen\n"
                           "bind\tELOOP\ty\tN\t-\t\tbefore\tbind(2)\n"
                           "connect\tEACCES\ty\tR\t120\t\tbefore\tseen\n"
                           "close\tEIO\ty\tI\t-\t\tafter\tclose(2) NOTES\n";
  const auto rows = ParseErrnoTable(text);
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[0].call, Call::kBind);
  EXPECT_EQ((*rows)[0].error, EACCES);
  EXPECT_EQ((*rows)[0].provocation, Provocation::kUnprivileged);
  EXPECT_FALSE((*rows)[0].takes_effect);
  EXPECT_EQ((*rows)[1].provocation, Provocation::kRoot);
  EXPECT_EQ((*rows)[2].provocation, Provocation::kInjection);
  EXPECT_TRUE((*rows)[2].takes_effect);
  EXPECT_EQ((*rows)[2].source, "close(2) NOTES");
}

class MalformedTable : public testing::TestWithParam<const char*> {};

TEST_P(MalformedTable, IsRefused) {
  EXPECT_EQ(ParseErrnoTable(std::string(kHeader) + GetParam()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(
    ErrnoTable, MalformedTable,
    testing::Values("", "bind\tEACCES\n",
                    "bond\tEACCES\ty\tU\t19\t\tbefore\tseen\n",
                    "bind\tEAXES\ty\tU\t19\t\tbefore\tseen\n",
                    "bind\tEACCES\ty\tX\t19\t\tbefore\tseen\n",
                    "bind\tEACCES\ty\tU\t19\t\tduring\tseen\n",
                    "bind\tEACCES\ty\tU\t19\t\tbefore\t\n"));

TEST(ParseErrnoTable, RefusesATableWithoutAHeader) {
  EXPECT_EQ(ParseErrnoTable("").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ParseErrnoTable("bind\tEACCES\ty\tU\t19\t\tbefore\tseen\n")
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace net
