#include "conformance/cases/connect_scene.h"

#include <utility>

#include "absl/status/statusor.h"
#include "conformance/cases/fault_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/result.h"
#include "fakes/faults/faults.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {

Result<ConnectScene> MakeConnectScene(Context& c) {
  const Result<Faults*> faults = TakeCharge(c);
  if (!faults.ok()) return faults.As<ConnectScene>();
  absl::StatusOr<loopback::Listener> listener =
      loopback::ListenAnywhere(c.sys(), c.family());
  if (!listener.ok()) return Error{.text = listener.status().ToString()};
  const ConnectOptions options = SupportedConnectOptions(c);
  return ConnectScene{*std::move(listener), *faults, options};
}

void ExpectPeerSeesTheEnd(const ConnectScene& scene) {
  if (!scene.faults->OpenDescriptors().empty()) return;
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket peer, scene.listener.Accept());
  EXPECT_THAT(loopback::RecvUntilEof(peer), IsOkAndHolds(""));
}

void ExpectEcho(const ConnectScene& scene, const Sock& client) {
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket peer, scene.listener.Accept());
  ASSERT_THAT(client.SendAll("hello"), IsOk());
  EXPECT_THAT(loopback::RecvExactly(peer, 5), IsOkAndHolds("hello"));
}

}  // namespace net::conformance
