#include "conformance/kernel_cases/options_helpers.h"

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {

using loopback::Bind;
using loopback::ConnectTo;
using loopback::Pair;
using loopback::RawSocket;

void ExpectTakes(const RawSocket& socket, int level, int name,
                 const std::vector<int>& good, const std::vector<int>& bad) {
  for (const int value : good) {
    EXPECT_THAT(socket.SetOption(level, name, value), IsOk()) << value;
    EXPECT_THAT(socket.Option(level, name), IsOkAndHolds(value));
  }
  const auto before = socket.Option(level, name);
  for (const int value : bad) {
    EXPECT_THAT(socket.SetOption(level, name, value), IsErrno(EINVAL)) << value;
  }
  ASSERT_THAT(before, IsOk());
  EXPECT_THAT(socket.Option(level, name), IsOkAndHolds(*before));
}

void ExpectSwitch(const RawSocket& socket, int level, int name) {
  EXPECT_THAT(socket.Option(level, name), IsOkAndHolds(0));
  for (const int on : {1, 2, -7}) {
    EXPECT_THAT(socket.SetOption(level, name, on), IsOk());
    EXPECT_THAT(socket.Option(level, name), IsOkAndHolds(1));
  }
  EXPECT_THAT(socket.SetOption(level, name, 0), IsOk());
  EXPECT_THAT(socket.Option(level, name), IsOkAndHolds(0));
}

absl::StatusOr<Pair> AcceptWith(Context& c,
                                const std::vector<IntOption>& options) {
  auto listener = NewTcp(c);
  if (!listener.ok()) return listener.status();
  for (const IntOption& option : options) {
    const SysResult set =
        listener->SetOption(option.level, option.name, option.value);
    if (!set.ok()) return ErrnoError(set.error(), "setsockopt");
  }
  if (const auto bound = Bind(*listener, {c.Loopback(), 0}); !bound.ok()) {
    return bound;
  }
  if (const SysResult listens = Listen(*listener); !listens.ok()) {
    return ErrnoError(listens.error(), "listen");
  }
  const auto at = listener->LocalEndpoint();
  if (!at.ok()) return at.status();
  auto client = ConnectTo(c.sys(), *at);
  if (!client.ok()) return client.status();
  // For listeners that wait for data.
  if (const SysResult sent = client->Send("x"); !sent.ok()) {
    return ErrnoError(sent.error(), "send");
  }
  auto server = Accept(*listener);
  if (!server.ok()) return server.status();
  return Pair(*std::move(client), *std::move(server));
}

}  // namespace net::conformance
