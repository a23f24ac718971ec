// The flags of accepted sockets. They come from the call, never from the
// listener.

#include <poll.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "conformance/cases/connected.h"
#include "conformance/cases/helpers.h"
#include "conformance/cases/pending.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::RawSocket;
using testing::Eq;

// Connects to `listener`, accepts with `options`, and passes a witness of the
// accepted socket to `check`.
void InspectNext(Context& c, const Sock& listener, const AcceptOptions& options,
                 absl::FunctionRef<void(const Witness&)> check) {
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept(options));
  ASSERT_OK_AND_ASSIGN(const Witness witness, server.Inspect());
  check(witness);
}

// The same for a new listener.
void InspectAccepted(Context& c, const AcceptOptions& options,
                     absl::FunctionRef<void(const Witness&)> check) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  InspectNext(c, listener, options, check);
}

void BlockingByDefault(Context& c) {
  InspectAccepted(c, {},
                  [&](const Witness& witness) { ExpectBlocking(c, witness); });
}

void CloseOnExecByDefault(Context& c) {
  InspectAccepted(c, {}, [](const Witness& witness) {
    EXPECT_THAT(witness.CloseOnExec(), IsOkAndHolds(true));
  });
}

void Nonblock(Context& c) {
  InspectAccepted(c, {.nonblock = true}, [](const Witness& witness) {
    EXPECT_THAT(witness.Nonblocking(), IsOkAndHolds(true));
  });
}

void NoCloseOnExec(Context& c) {
  InspectAccepted(c, {.no_cloexec = true}, [](const Witness& witness) {
    EXPECT_THAT(witness.CloseOnExec(), IsOkAndHolds(false));
  });
}

void Both(Context& c) {
  const AcceptOptions both = {.nonblock = true, .no_cloexec = true};
  InspectAccepted(c, both, [](const Witness& witness) {
    EXPECT_THAT(witness.Nonblocking(), IsOkAndHolds(true));
    EXPECT_THAT(witness.CloseOnExec(), IsOkAndHolds(false));
  });
}

void OfTheCallAlone(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  const AcceptOptions both = {.nonblock = true, .no_cloexec = true};
  const auto expect_set = [](const Witness& witness) {
    EXPECT_THAT(witness.Nonblocking(), IsOkAndHolds(true));
    EXPECT_THAT(witness.CloseOnExec(), IsOkAndHolds(false));
  };
  const auto expect_unset = [&c](const Witness& witness) {
    ExpectBlocking(c, witness);
    EXPECT_THAT(witness.CloseOnExec(), IsOkAndHolds(true));
  };
  InspectNext(c, listener, both, expect_set);
  InspectNext(c, listener, {}, expect_unset);
  InspectNext(c, listener, both, expect_set);
}

void LeavesTheListenersFlags(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const Witness witness, listener.Inspect());
  ASSERT_OK_AND_ASSIGN(const bool nonblocking, witness.Nonblocking());
  ASSERT_OK_AND_ASSIGN(const bool close_on_exec, witness.CloseOnExec());
  InspectNext(c, listener, {.nonblock = true, .no_cloexec = true},
              [](const Witness&) {});
  EXPECT_THAT(witness.Nonblocking(), IsOkAndHolds(nonblocking));
  EXPECT_THAT(witness.CloseOnExec(), IsOkAndHolds(close_on_exec));
}

void DoesNotInheritNonblock(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({.nonblock = true}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_THAT(WaitFor(c, listener, POLLIN), IsOk());
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const Witness witness, server.Inspect());
  ExpectBlocking(c, witness);
}

void DoesNotInheritNoCloseOnExec(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({.no_cloexec = true}));
  InspectNext(c, listener, {}, [](const Witness& witness) {
    EXPECT_THAT(witness.CloseOnExec(), IsOkAndHolds(true));
  });
}

void AcceptedOfNonblockingWaits(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({.nonblock = true}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_THAT(WaitFor(c, listener, POLLIN), IsOk());
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  Pending<std::string> receiving(c, [&] { return server.RecvExactly(5); });
  ASSERT_TRUE(receiving.AwaitBlocked());
  ASSERT_THAT(client.Send("hello"), IsOk());
  EXPECT_THAT(receiving.Join(), IsOkAndHolds(Eq("hello")));
}

void NonblockingWouldBlock(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept({.nonblock = true}));
  std::array<char, 1> buffer;
  EXPECT_THAT(server.Recv(absl::MakeSpan(buffer)), Fails(EAGAIN));
}

}  // namespace

const std::vector<Case>& AcceptFlagsCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "accept.flags.blocking_by_default",
       .requirement = "The accepted descriptor should be blocking, unless "
                      "NONBLOCK is given.",
       .source = "contract: flags",
       .level = Level::kShould,
       .run = &BlockingByDefault},
      {.id = "accept.flags.close_on_exec_by_default",
       .requirement = "The accepted descriptor should be close-on-exec, unless "
                      "NO_CLOEXEC is given.",
       .source = "contract: flags",
       .level = Level::kShould,
       .run = &CloseOnExecByDefault},
      {.id = "accept.flags.nonblock",
       .requirement =
           "The accepted descriptor must be non-blocking if NONBLOCK is given.",
       .source = "accept(2), SOCK_NONBLOCK; contract: flags",
       .run = &Nonblock},
      {.id = "accept.flags.nonblock.would_block",
       .requirement = "Recv on a socket accepted with NONBLOCK must fail with "
                      "EAGAIN while there is no data.",
       .source = "accept(2), SOCK_NONBLOCK; recv(2), EAGAIN",
       .run = &NonblockingWouldBlock},
      {.id = "accept.flags.no_cloexec",
       .requirement = "The accepted descriptor must not be close-on-exec if "
                      "NO_CLOEXEC is given.",
       .source = "accept(2), SOCK_CLOEXEC; contract: flags",
       .run = &NoCloseOnExec},
      {.id = "accept.flags.both",
       .requirement =
           "NONBLOCK and NO_CLOEXEC must both take effect if both are given.",
       .source = "accept(2), DESCRIPTION (bitwise ORed)",
       .run = &Both},
      {.id = "accept.flags.of_the_call_alone",
       .requirement = "The flags of one Accept should not affect the next "
                      "Accept on the same listener.",
       .source = "accept(2), DESCRIPTION; contract: flags",
       .level = Level::kShould,
       .run = &OfTheCallAlone},
      {.id = "accept.flags.not_on_the_listener",
       .requirement =
           "The flags of an Accept must not change the flags of the listener.",
       .source = "accept(2), DESCRIPTION",
       .run = &LeavesTheListenersFlags},
      {.id = "accept.inherits.not_nonblock",
       .requirement = "A socket accepted by a non-blocking listener should be "
                      "blocking, unless NONBLOCK is given to Accept.",
       .source = "accept(2), NOTES; contract: NONBLOCK listener",
       .level = Level::kShould,
       .run = &DoesNotInheritNonblock},
      {.id = "accept.inherits.not_nonblock.waits",
       .requirement = "Recv on a socket accepted by a non-blocking listener "
                      "must block until there is data.",
       .source = "accept(2), NOTES; contract: NONBLOCK listener",
       .run = &AcceptedOfNonblockingWaits},
      {.id = "accept.inherits.not_no_cloexec",
       .requirement = "A socket accepted by a listener without close-on-exec "
                      "should be close-on-exec.",
       .source = "contract: flags",
       .level = Level::kShould,
       .run = &DoesNotInheritNoCloseOnExec},
  };
  return cases;
}

}  // namespace net::conformance
