// Listening as the options say, seen by the witness.

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdint>
#include <vector>

#include "conformance/case.h"
#include "conformance/case_matchers.h"
#include "conformance/cases/cases.h"
#include "conformance/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

void DefaultBacklog(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const Witness witness, listener.Look());
  ASSERT_OK_AND_ASSIGN(const Witness::TcpInfo info, witness.Info());
  EXPECT_EQ(info.state, TCP_LISTEN);
  EXPECT_EQ(info.backlog, 10U);
}

}  // namespace

const std::vector<Case>& ListenCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "listen.backlog.default",
       .requirement = "Without the option, the backlog must be 10.",
       .source = "contract: backlog",
       .run = &DefaultBacklog},
  };
  return cases;
}

}  // namespace net::conformance
