#include "conformance/loopback/fixture.h"

#include <sys/socket.h>

#include <cerrno>

#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::loopback {
namespace {

// A kernel that was built without the family.
class NoFamilyKernel : public Syscalls {
 public:
  SysResult Socket(int, int, int) override {
    return SysResult::Error(EAFNOSUPPORT);
  }
};

// A kernel that has the family, but not its loopback address.
class NoAddressKernel : public Syscalls {
 public:
  SysResult Socket(int, int, int) override { return SysResult::Ok(3); }
  SysResult Bind(int, const sockaddr*, socklen_t) override {
    return SysResult::Error(EADDRNOTAVAIL);
  }
  SysResult Close(int) override { return SysResult::Ok(); }
};

template <typename Kernel>
class FixtureOver : public LoopbackTest {
 protected:
  Syscalls& sys() override { return kernel_; }

 private:
  Kernel kernel_;
};

using WithoutFamilyTest = FixtureOver<NoFamilyKernel>;
INSTANTIATE_TEST_SUITE_P(BothFamilies, WithoutFamilyTest, BothFamilies(),
                         FamilyName);
TEST_P(WithoutFamilyTest, IsSkipped) { FAIL() << "the test was not skipped"; }

using WithoutAddressTest = FixtureOver<NoAddressKernel>;
INSTANTIATE_TEST_SUITE_P(BothFamilies, WithoutAddressTest, BothFamilies(),
                         FamilyName);
TEST_P(WithoutAddressTest, IsSkipped) { FAIL() << "the test was not skipped"; }

// Every machine has 127.0.0.1, so this test must run. A fixture that skipped
// every test would pass the other tests.
class Ipv4Test : public LoopbackTest {
 protected:
  static void TearDownTestSuite() { EXPECT_TRUE(ran_); }
  static bool ran_;
};
bool Ipv4Test::ran_ = false;
INSTANTIATE_TEST_SUITE_P(Ipv4, Ipv4Test, testing::Values(AF_INET), FamilyName);
TEST_P(Ipv4Test, Runs) {
  EXPECT_EQ(family(), AF_INET);
  ran_ = true;
}

}  // namespace
}  // namespace net::loopback
