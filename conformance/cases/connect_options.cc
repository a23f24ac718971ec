// The options of Connect, as the witness reads them.

#include <sys/socket.h>

#include <vector>

#include "absl/functional/function_ref.h"
#include "conformance/cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

using testing::Ne;

// Connects by `connect`, and passes a witness of the socket to `check`.
void InspectConnection(
    Context& c,
    absl::FunctionRef<Result<Sock>(const ip::Endpoint& remote)> connect,
    absl::FunctionRef<void(const Witness&)> check) {
  ASSERT_OK_AND_ASSIGN(const loopback::Listener listener,
                       loopback::ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client, connect(listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const Witness witness, client.Inspect());
  check(witness);
}

void InspectConnection(Context& c, const ConnectOptions& options,
                       absl::FunctionRef<void(const Witness&)> check) {
  InspectConnection(
      c, [&](const ip::Endpoint& remote) { return c.Connect(remote, options); },
      check);
}

// Expects the effect of each option that is set, and no keep-alive otherwise.
void ExpectOptions(Context& c, const Witness& witness,
                   const ConnectOptions& options) {
  if (options.keepalive) {
    EXPECT_THAT(witness.Option(SOL_SOCKET, SO_KEEPALIVE), IsOkAndHolds(Ne(0)))
        << "SO_KEEPALIVE";
  } else {
    ExpectNoKeepAlive(c, witness);
  }
  if (options.nonblock) {
    EXPECT_THAT(witness.Nonblocking(), IsOkAndHolds(true)) << "O_NONBLOCK";
  }
  if (options.no_cloexec) {
    EXPECT_THAT(witness.CloseOnExec(), IsOkAndHolds(false)) << "FD_CLOEXEC";
  }
}

void KeepAliveOn(Context& c) {
  InspectConnection(c, {.keepalive = true}, [](const Witness& witness) {
    EXPECT_THAT(witness.Option(SOL_SOCKET, SO_KEEPALIVE), IsOkAndHolds(Ne(0)));
  });
}

void KeepAliveOff(Context& c) {
  InspectConnection(
      c, {}, [&](const Witness& witness) { ExpectNoKeepAlive(c, witness); });
}

void CloseOnExec(Context& c) {
  InspectConnection(c, {}, [](const Witness& witness) {
    EXPECT_THAT(witness.CloseOnExec(), IsOkAndHolds(true));
  });
}

void NoCloseOnExec(Context& c) {
  InspectConnection(c, {.no_cloexec = true}, [](const Witness& witness) {
    EXPECT_THAT(witness.CloseOnExec(), IsOkAndHolds(false));
  });
}

void Blocking(Context& c) {
  InspectConnection(
      c, {}, [&](const Witness& witness) { ExpectBlocking(c, witness); });
}

void Nonblocking(Context& c) {
  InspectConnection(c, {.nonblock = true}, [](const Witness& witness) {
    EXPECT_THAT(witness.Nonblocking(), IsOkAndHolds(true));
  });
}

void EveryCombination(Context& c) {
  for (const bool nonblock : {false, true}) {
    for (const bool no_cloexec : {false, true}) {
      for (const bool keepalive : {false, true}) {
        SCOPED_TRACE(testing::Message()
                     << "nonblock " << nonblock << ", no_cloexec " << no_cloexec
                     << ", keepalive " << keepalive);
        const ConnectOptions options = {.nonblock = nonblock,
                                        .no_cloexec = no_cloexec,
                                        .keepalive = keepalive};
        InspectConnection(c, options, [&](const Witness& witness) {
          ExpectOptions(c, witness, options);
        });
      }
    }
  }
}

void EachTwice(Context& c) {
  for (const ConnectOptions& options :
       {ConnectOptions{.nonblock = true}, ConnectOptions{.no_cloexec = true},
        ConnectOptions{.keepalive = true},
        ConnectOptions{
            .nonblock = true, .no_cloexec = true, .keepalive = true}}) {
    SCOPED_TRACE(testing::Message()
                 << "twice: nonblock " << options.nonblock << ", no_cloexec "
                 << options.no_cloexec << ", keepalive " << options.keepalive);
    InspectConnection(
        c,
        [&](const ip::Endpoint& remote) {
          return c.ConnectWithList(remote, {.options = options, .times = 2});
        },
        [&](const Witness& witness) { ExpectOptions(c, witness, options); });
  }
}

}  // namespace

const std::vector<Case>& ConnectOptionsCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "connect.keepalive.on",
       .requirement = "SO_KEEPALIVE must be set if the option is given.",
       .source = "socket(7), SO_KEEPALIVE",
       .run = &KeepAliveOn},
      {.id = "connect.keepalive.default_off",
       .requirement =
           "SO_KEEPALIVE should not be set, unless the option is given.",
       .source = "RFC 9293, section 3.8.4 (MUST-25); socket(7), SO_KEEPALIVE",
       .level = Level::kShould,
       .run = &KeepAliveOff},
      {.id = "connect.flags.close_on_exec_by_default",
       .requirement = "The descriptor should be close-on-exec, unless "
                      "NO_CLOEXEC is given.",
       .source = "contract: flags",
       .level = Level::kShould,
       .run = &CloseOnExec},
      {.id = "connect.flags.no_cloexec",
       .requirement =
           "The descriptor must not be close-on-exec if NO_CLOEXEC is given.",
       .source = "contract: flags",
       .run = &NoCloseOnExec},
      {.id = "connect.flags.blocking_by_default",
       .requirement =
           "The descriptor should be blocking, unless NONBLOCK is given.",
       .source = "contract: flags",
       .level = Level::kShould,
       .run = &Blocking},
      {.id = "connect.flags.nonblock",
       .requirement =
           "The descriptor must be non-blocking if NONBLOCK is given.",
       .source = "contract: flags; socket(2), SOCK_NONBLOCK",
       .run = &Nonblocking},
      {.id = "connect.options.every_combination",
       .requirement =
           "Each option must take effect in every combination of options, and "
           "SO_KEEPALIVE should be set only if its option is given.",
       .source = "contract: flags",
       .run = &EveryCombination},
      {.id = "connect.options.each_twice",
       .requirement = "A Connect option that is given twice must have the same "
                      "effect as one that is given once.",
       .source = "contract: flags",
       .needs = Need::kOptionLists,
       .run = &EachTwice},
  };
  return cases;
}

}  // namespace net::conformance
