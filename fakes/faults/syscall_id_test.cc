#include "fakes/faults/syscall_id.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "fakes/call.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

std::vector<std::string> Selected(absl::string_view calls) {
  std::vector<std::string> names;
  const std::optional<SyscallSet> set = SelectSyscalls(calls);
  if (!set.has_value()) return {"none"};
  for (const SyscallId id : kAllSyscallIds) {
    if (set->contains(id)) names.emplace_back(SyscallName(id));
  }
  EXPECT_EQ(set->size(), names.size());
  return names;
}

TEST(SyscallId, HasEveryCall) {
  EXPECT_EQ(kSyscallIdCount, kCallCount);
  for (const Call call : AllCalls()) {
    EXPECT_EQ(SyscallName(IdOf(call)), CallName(call));
    EXPECT_EQ(CallOf(IdOf(call)), call);
  }
}

TEST(SyscallId, IsReadBackFromItsName) {
  for (size_t i = 0; i < kSyscallIdCount; ++i) {
    EXPECT_EQ(static_cast<size_t>(kAllSyscallIds[i]), i);
    EXPECT_EQ(SyscallIdFromName(SyscallName(kAllSyscallIds[i])),
              kAllSyscallIds[i]);
  }
  EXPECT_EQ(SyscallIdFromName("acept4"), std::nullopt);
  EXPECT_EQ(testing::PrintToString(SyscallId::kPSelect6), "pselect6");
}

TEST(SelectSyscalls, TakesACallAFamilyOrAll) {
  EXPECT_THAT(Selected("connect"), ElementsAre("connect"));
  EXPECT_THAT(Selected("accept"), ElementsAre("accept", "accept4"));
  EXPECT_THAT(Selected("send"),
              ElementsAre("send", "sendto", "sendmsg", "sendmmsg", "write",
                          "writev", "sendfile"));
  EXPECT_THAT(Selected("recv"), ElementsAre("recv", "recvfrom", "recvmsg",
                                            "recvmmsg", "read", "readv"));
  EXPECT_THAT(Selected("poll"),
              ElementsAre("poll", "ppoll", "select", "pselect6", "epoll_wait",
                          "epoll_pwait", "epoll_pwait2"));
  EXPECT_THAT(Selected("dup"), ElementsAre("dup", "dup3"));
  EXPECT_THAT(Selected("*"), Contains("setsockopt"));
}

TEST(SelectSyscalls, TakesTheOneCallOfAFamilysName) {
  EXPECT_THAT(Selected("recv!"), ElementsAre("recv"));
  EXPECT_THAT(Selected("accept!"), ElementsAre("accept"));
  EXPECT_THAT(Selected("listen!"), ElementsAre("none"));
}

TEST(SelectSyscalls, KnowsNoOtherText) {
  EXPECT_THAT(Selected(""), ElementsAre("none"));
  EXPECT_THAT(Selected("!"), ElementsAre("none"));
  EXPECT_THAT(Selected("Connect"), ElementsAre("none"));
}

TEST(SelectSyscalls, CallsWithoutASocketAreSelectedByNameOnly) {
  for (const SyscallId id : kAllSyscallIds) {
    const std::string name(SyscallName(id));
    if (!UsesNoSocket(id)) {
      EXPECT_THAT(Selected("*"), Contains(name));
      continue;
    }
    EXPECT_THAT(Selected("*"), Not(Contains(name)));
    EXPECT_THAT(Selected(name), ElementsAre(name));
  }
}

TEST(SyscallSelections, AreAllThatSelectSyscallsTakes) {
  for (const std::string& text : SyscallSelections()) {
    EXPECT_NE(SelectSyscalls(text), std::nullopt) << text;
  }
  EXPECT_THAT(SyscallSelections(), Contains("recv!"));
  EXPECT_THAT(SyscallSelections(), Contains("recv"));
  EXPECT_THAT(SyscallSelections(), Not(Contains("read!")));
}

TEST(FamilyOf, IsEmptyForACallThatIsAlone) {
  EXPECT_EQ(FamilyOf(SyscallId::kRead), "recv");
  EXPECT_EQ(FamilyOf(SyscallId::kConnect), "");
}

}  // namespace
}  // namespace net
