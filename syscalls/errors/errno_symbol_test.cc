#include "syscalls/errors/errno_symbol.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace net {
namespace {

TEST(ErrnoSymbolTest, IsSpeltAsInTheManPages) {
  EXPECT_EQ(ErrnoSymbol(ECONNREFUSED), "ECONNREFUSED");
  EXPECT_EQ(ErrnoSymbol(EPERM), "EPERM");
  EXPECT_EQ(ErrnoSymbol(EHWPOISON), "EHWPOISON");
  EXPECT_EQ(ErrnoSymbol(0), "0");
}

TEST(ErrnoSymbolTest, OfTwoNamesTakesTheFirst) {
  EXPECT_EQ(ErrnoSymbol(EWOULDBLOCK), "EAGAIN");
  EXPECT_EQ(ErrnoSymbol(ENOTSUP), "EOPNOTSUPP");
  EXPECT_EQ(ErrnoSymbol(EDEADLOCK), "EDEADLK");
}

TEST(ErrnoSymbolTest, NumbersWithoutNameAreNumbers) {
  EXPECT_EQ(ErrnoSymbol(4711), "E4711");
  EXPECT_EQ(ErrnoSymbol(-1), "E-1");
}

TEST(ErrnoSymbolTest, EveryErrnoReadsBack) {
  std::set<std::string> symbols;
  for (int error = 1; error < 4096; ++error) {
    if (strerrorname_np(error) == nullptr) continue;
    const std::string symbol = ErrnoSymbol(error);
    EXPECT_EQ(ErrnoFromSymbol(symbol), error) << symbol;
    EXPECT_TRUE(symbols.insert(symbol).second) << symbol << " twice";
  }
  // Linux has 131 on x86-64. Every architecture has more than 100.
  EXPECT_GT(symbols.size(), 100u);
}

TEST(ErrnoSymbolTest, SecondNamesAreRead) {
  EXPECT_EQ(ErrnoFromSymbol("EWOULDBLOCK"), EAGAIN);
  EXPECT_EQ(ErrnoFromSymbol("ENOTSUP"), EOPNOTSUPP);
}

TEST(ErrnoSymbolTest, OtherTextIsNoErrno) {
  for (const absl::string_view text :
       {"", "0", "E", "EPER", "EPERMX", "eperm", " EPERM", "E4711", "13"}) {
    EXPECT_EQ(ErrnoFromSymbol(text), std::nullopt) << text;
  }
  EXPECT_EQ(ErrnoFromSymbol(absl::string_view("EPERM\0", 6)), std::nullopt);
}

}  // namespace
}  // namespace net
