#include "fakes/call.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>

#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace net {
namespace {

TEST(Call, AllAreListedInOrder) {
  const absl::Span<const Call> calls = AllCalls();
  ASSERT_EQ(calls.size(), kCallCount);
  for (size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(static_cast<size_t>(calls[i]), i);
  }
}

TEST(Call, IsNamedAsItsManPage) {
  EXPECT_EQ(CallName(Call::kAccept4), "accept4");
  EXPECT_EQ(CallName(Call::kGetSockName), "getsockname");
  EXPECT_EQ(CallName(Call::kEpollCreate1), "epoll_create1");
  EXPECT_EQ(CallName(Call::kNanoSleep), "nanosleep");
}

TEST(Call, NamesAreReadBack) {
  std::set<std::string> names;
  for (const Call call : AllCalls()) {
    EXPECT_EQ(CallFromName(CallName(call)), call);
    EXPECT_TRUE(names.insert(std::string(CallName(call))).second) << call;
  }
}

TEST(Call, OtherNamesAreNone) {
  EXPECT_EQ(CallFromName(""), std::nullopt);
  EXPECT_EQ(CallFromName("getpid"), std::nullopt);
  EXPECT_EQ(CallFromName("Accept4"), std::nullopt);
  EXPECT_EQ(CallFromName("?"), std::nullopt);
}

TEST(Call, PrintsItsName) {
  EXPECT_EQ(testing::PrintToString(Call::kClose), "close");
}

}  // namespace
}  // namespace net
