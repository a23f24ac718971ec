#include "fakes/faults/effect.h"

#include <cerrno>

#include "fakes/call.h"
#include "fakes/errno_table.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net {

void PrintTo(Effect effect, std::ostream* os) {
  constexpr const char* kNames[] = {"default", "before", "after", "partial"};
  *os << kNames[static_cast<int>(effect)];
}

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DefaultEffect, IsThatOfTheTable) {
  for (const ErrnoRow& row : ErrnoTable()) {
    EXPECT_EQ(DefaultEffect(IdOf(row.call), row.error),
              row.takes_effect ? Effect::kAfter : Effect::kBefore)
        << row.call << " " << row.error;
    EXPECT_FALSE(row.source.empty());
  }
}

// The examples of the documentation.
TEST(DefaultEffect, IsWhatLinuxLeavesBehind) {
  EXPECT_EQ(DefaultEffect(SyscallId::kClose, EIO), Effect::kAfter);
  EXPECT_EQ(DefaultEffect(SyscallId::kClose, EINTR), Effect::kAfter);
  EXPECT_EQ(DefaultEffect(SyscallId::kClose, EBADF), Effect::kBefore);
  EXPECT_EQ(DefaultEffect(SyscallId::kConnect, EINTR), Effect::kAfter);
  EXPECT_EQ(DefaultEffect(SyscallId::kConnect, ECONNREFUSED), Effect::kBefore);
  EXPECT_EQ(DefaultEffect(SyscallId::kAccept4, EMFILE), Effect::kBefore);
  EXPECT_EQ(DefaultEffect(SyscallId::kAccept4, EFAULT), Effect::kAfter);
  EXPECT_EQ(DefaultEffect(SyscallId::kSend, EPIPE), Effect::kBefore);
  EXPECT_EQ(DefaultEffect(SyscallId::kShutdown, ENOTCONN), Effect::kAfter);
}

TEST(DefaultEffect, OfACallWithoutRowsIsThatOfTheFamily) {
  EXPECT_EQ(DefaultEffect(SyscallId::kAccept, EFAULT), Effect::kAfter);
  EXPECT_EQ(DefaultEffect(SyscallId::kAccept, EMFILE), Effect::kBefore);
  EXPECT_EQ(DefaultEffect(SyscallId::kWriteV, EPIPE), Effect::kBefore);
}

TEST(DefaultEffect, OfAPairThatTheTableDoesNotHave) {
  EXPECT_EQ(DefaultEffect(SyscallId::kClose, EXDEV), Effect::kAfter);
  EXPECT_EQ(DefaultEffect(SyscallId::kBind, EXDEV), Effect::kBefore);
  EXPECT_EQ(DefaultEffect(SyscallId::kNanoSleep, EINTR), Effect::kBefore);
}

TEST(ErrnosOf, ACallWithoutRowsHasThoseOfTheFamily) {
  EXPECT_THAT(ErrnosOf(SyscallId::kClose), ElementsAre(EBADF, EINTR, EIO));
  EXPECT_EQ(ErrnosOf(SyscallId::kRecvMsg), ErrnosOf(Call::kRecv));
  EXPECT_EQ(ErrnosOf(SyscallId::kAccept), ErrnosOf(Call::kAccept4));
  EXPECT_EQ(ErrnosOf(SyscallId::kSelect), ErrnosOf(Call::kPoll));
  EXPECT_EQ(ErrnosOf(SyscallId::kEpollPWait), ErrnosOf(Call::kEpollWait));
  EXPECT_EQ(ErrnosOf(Call::kEpollPWait2), ErrnosOf(Call::kEpollWait));
  EXPECT_THAT(ErrnosOf(SyscallId::kClockGetTime), IsEmpty());
}

}  // namespace
}  // namespace net
