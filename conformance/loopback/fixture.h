#ifndef CONFORMANCE_LOOPBACK_FIXTURE_H_
#define CONFORMANCE_LOOPBACK_FIXTURE_H_

#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "conformance/loopback/loopback.h"
#include "gtest/gtest.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error.h"
#include "syscalls/syscalls_fwd.h"

namespace net::loopback {

// A GoogleTest fixture that runs each test over IPv4 and over IPv6:
//
//   using ServerTest = net::loopback::LoopbackTest;
//   INSTANTIATE_TEST_SUITE_P(BothFamilies, ServerTest,
//                            net::loopback::BothFamilies(),
//                            net::loopback::FamilyName);
//
//   TEST_P(ServerTest, SurvivesAReset) {
//     auto pair = net::loopback::ConnectedPair(sys(), family());
//     ASSERT_THAT(pair, net::IsOk());
//     ...
//
// A test is skipped, with the reason, if the machine does not have the loopback
// address.
class LoopbackTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    const auto socket = NewSocket(sys(), family());
    const int error = socket.ok()
                          ? ErrnoOf(Bind(*socket, {LoopbackAddr(family()), 0}))
                          : ErrnoOf(socket);
    if (error == EAFNOSUPPORT || error == EADDRNOTAVAIL) {
      GTEST_SKIP() << "this machine has no " << LoopbackAddr(family()) << ": "
                   << ErrnoSymbol(error);
    }
  }

  // The kernel on which the tests run. Override it to use another kernel.
  virtual Syscalls& sys() { return DefaultSyscalls(); }

  // AF_INET or AF_INET6.
  int family() const { return GetParam(); }
};

// Return the parameters of LoopbackTest, and their names: "V4" and "V6".
inline auto BothFamilies() { return testing::Values(AF_INET, AF_INET6); }
inline std::string FamilyName(const testing::TestParamInfo<int>& info) {
  return info.param == AF_INET ? "V4" : "V6";
}

}  // namespace net::loopback

#endif  // CONFORMANCE_LOOPBACK_FIXTURE_H_
