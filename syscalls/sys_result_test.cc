#include "syscalls/sys_result.h"

#include <cerrno>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <type_traits>

#include "gtest/gtest.h"

namespace net {
namespace {

std::string Print(SysResult result) {
  std::ostringstream os;
  os << result;
  return os.str();
}

TEST(SysResultTest, ASuccessHoldsItsValue) {
  const SysResult result = SysResult::Ok(7);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.value(), 7);
  EXPECT_EQ(result.fd(), 7);
  EXPECT_EQ(result.error(), 0);
}

TEST(SysResultTest, ZeroIsASuccess) {
  EXPECT_TRUE(SysResult::Ok().ok());
  EXPECT_EQ(SysResult::Ok().value(), 0);
}

TEST(SysResultTest, HoldsTheLargestCountOfBytes) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(SysResult::Ok(kMost).value(), kMost);
}

TEST(SysResultTest, AFailureHoldsItsErrno) {
  const SysResult result = SysResult::Error(ECONNREFUSED);
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.error(), ECONNREFUSED);
}

TEST(SysResultTest, NothingIsNotASuccess) {
  EXPECT_EQ(SysResult().error(), ENOSYS);
}

TEST(SysResultTest, ComparesByAnswer) {
  EXPECT_EQ(SysResult::Ok(3), SysResult::Ok(3));
  EXPECT_NE(SysResult::Ok(3), SysResult::Ok(4));
  EXPECT_NE(SysResult::Ok(EPERM), SysResult::Error(EPERM));
  EXPECT_EQ(SysResult(), SysResult::Error(ENOSYS));
}

TEST(SysResultTest, CannotBeMistakenForANumber) {
  static_assert(!std::is_convertible_v<int, SysResult>);
  static_assert(!std::is_convertible_v<int64_t, SysResult>);
  static_assert(!std::is_convertible_v<SysResult, int>);
  static_assert(!std::is_convertible_v<SysResult, bool>);
  static_assert(!std::is_constructible_v<SysResult, int>);
}

TEST(SysResultTest, IsOneWordAndConstant) {
  static_assert(sizeof(SysResult) == sizeof(int64_t));
  static_assert(std::is_trivially_copyable_v<SysResult>);
  static_assert(SysResult::Ok(1).value() == 1);
  static_assert(SysResult::Error(EIO).error() == EIO);
}

TEST(SysResultTest, PrintsAsStraceDoes) {
  EXPECT_EQ(Print(SysResult::Ok(5)), "5");
  EXPECT_EQ(Print(SysResult::Error(ECONNREFUSED)), "-1 ECONNREFUSED");
}

}  // namespace
}  // namespace net
