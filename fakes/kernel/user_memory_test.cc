#include "fakes/kernel/user_memory.h"

#include <cstddef>
#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace net::fake {
namespace {

// NOLINTNEXTLINE(performance-no-int-to-ptr): an invalid pointer on purpose.
const void* At(uintptr_t a) { return reinterpret_cast<const void*>(a); }

TEST(UserMemory, APlainVariableIsThere) {
  const int here = 0;
  EXPECT_TRUE(IsUserAddress(&here, sizeof(here)));
}

TEST(UserMemory, TheLowestAddressesAreNobodys) {
  EXPECT_FALSE(IsUserAddress(nullptr));
  EXPECT_FALSE(IsUserAddress(At(kFirstUserAddress - 1)));
  EXPECT_TRUE(IsUserAddress(At(kFirstUserAddress)));
}

TEST(UserMemory, TheKernelsAddressesAreNotThePrograms) {
  EXPECT_TRUE(IsUserAddress(At(kEndOfUserAddresses - 1)));
  EXPECT_FALSE(IsUserAddress(At(kEndOfUserAddresses)));
  EXPECT_FALSE(IsUserAddress(At(std::numeric_limits<uintptr_t>::max())));
}

TEST(UserMemory, TheWholeRangeCounts) {
  EXPECT_TRUE(IsUserAddress(At(kEndOfUserAddresses - 8), 8));
  EXPECT_FALSE(IsUserAddress(At(kEndOfUserAddresses - 8), 9));
  EXPECT_FALSE(
      IsUserAddress(At(kFirstUserAddress), std::numeric_limits<size_t>::max()));
}

TEST(UserMemory, NothingIsEverywhere) {
  EXPECT_TRUE(IsUserAddress(nullptr, 0));
  EXPECT_TRUE(CopyIn(nullptr, nullptr, 0));
  EXPECT_TRUE(CopyOut(nullptr, nullptr, 0));
}

TEST(UserMemory, ABufferIsInUserSpaceIfItEndsThere) {
  EXPECT_TRUE(IsInUserSpace(nullptr, 8));
  EXPECT_TRUE(IsInUserSpace(At(kEndOfUserAddresses - 8), 8));
  EXPECT_TRUE(IsInUserSpace(At(kEndOfUserAddresses), 0));
  EXPECT_FALSE(IsInUserSpace(At(kEndOfUserAddresses - 8), 9));
  EXPECT_FALSE(IsInUserSpace(At(kEndOfUserAddresses + 1), 0));
  EXPECT_FALSE(IsInUserSpace(At(1), std::numeric_limits<size_t>::max()));
}

TEST(UserMemory, CopiesInAndOut) {
  const int value = 4711;
  int in = 0;
  EXPECT_TRUE(CopyIn(&in, &value, sizeof(value)));
  EXPECT_EQ(in, 4711);
  int out = 0;
  EXPECT_TRUE(CopyOut(&out, &in, sizeof(in)));
  EXPECT_EQ(out, 4711);
}

TEST(UserMemory, ABadAddressIsNotTouched) {
  int value = 4711;
  EXPECT_FALSE(CopyIn(&value, nullptr, sizeof(value)));
  EXPECT_EQ(value, 4711);
  EXPECT_FALSE(CopyOut(nullptr, &value, sizeof(value)));
}

}  // namespace
}  // namespace net::fake
