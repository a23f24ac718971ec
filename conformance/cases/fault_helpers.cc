#include "conformance/cases/fault_helpers.h"

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "fakes/faults/effect.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/faults.h"
#include "fakes/faults/syscall_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

using ::testing::IsEmpty;

// Returns the text that selects this call alone, not the family of its name.
std::string OnlyThis(SyscallId call) {
  const absl::string_view name = SyscallName(call);
  return absl::StrCat(name, FamilyOf(call) == name ? "!" : "");
}

}  // namespace

Result<Faults*> TakeCharge(Context& c) {
  const Result<Faults*> faults = c.InjectFaults();
  if (!faults.ok()) return faults;
  const absl::StatusOr<loopback::Listener> listener =
      loopback::ListenAnywhere(c.sys(), c.family());
  if (!listener.ok()) return Error{.text = listener.status().ToString()};
  const Armed canary(**faults, "socket=EMFILE");
  const Result<Sock> connected = c.Connect(listener->endpoint());
  if (connected.ok() || !canary.applied()) {
    return Error{.text = absl::StrCat(
                     "the canary: Connect must fail because its socket(2) "
                     "does; the rule ",
                     canary.applied() ? "applied" : "did not apply")};
  }
  return faults;
}

Armed::Armed(Faults& faults, absl::string_view plan) : faults_(faults) {
  const absl::StatusOr<FaultPlan> parsed = ParseFaultPlan(plan);
  EXPECT_TRUE(parsed.ok()) << plan << ": " << parsed.status();
  if (parsed.ok()) faults_.Arm(*parsed);
}

std::string Rule(absl::string_view calls, int error, absl::string_view suffix) {
  return absl::StrCat(calls, "=", ErrnoSymbol(error), suffix);
}

std::vector<int> ErrnosBut(SyscallId call, std::initializer_list<int> but) {
  std::vector<int> errnos = ErrnosOf(call);
  errnos.erase(std::remove_if(errnos.begin(), errnos.end(),
                              [but](int error) {
                                return std::find(but.begin(), but.end(),
                                                 error) != but.end();
                              }),
               errnos.end());
  return errnos;
}

void NoteNoSuchCall(Context& c, absl::string_view claim) {
  // A feature that no call proves.
  static_cast<void>(c.Call(
      {absl::StrCat("calls.", claim)},
      [&]() -> Result<Done> { return Unsupported{std::string(claim)}; }));
}

void ExpectNothingLeft(const Faults& faults) {
  EXPECT_THAT(faults.OpenDescriptors(), IsEmpty())
      << "a descriptor was left open";
}

void ExpectClosedOnce(const Faults& faults) {
  ExpectNothingLeft(faults);
  EXPECT_EQ(faults.StrayCloses(), 0) << "a descriptor was closed twice";
}

ListenOptions SupportedListenOptions(Context& c) {
  Implementation& implementation = c.implementation();
  const auto supports = [&](const ListenOptions& options) {
    const Result<Handle> listener =
        implementation.Listen({c.Loopback(), 0}, options);
    if (listener.ok()) static_cast<void>(implementation.Close(*listener));
    return listener.ok();
  };
  ListenOptions options;
  options.keepalive = supports({.keepalive = true});
  options.reuseaddr = supports({.reuseaddr = true});
  options.reuseport = supports({.reuseport = true});
  if (supports({.backlog = 5})) options.backlog = 5;
  return options;
}

ConnectOptions SupportedConnectOptions(Context& c) {
  const absl::StatusOr<loopback::Listener> listener =
      loopback::ListenAnywhere(c.sys(), c.family());
  if (!listener.ok()) return {};
  Implementation& implementation = c.implementation();
  const Result<Handle> connected =
      implementation.Connect(listener->endpoint(), {.keepalive = true});
  if (!connected.ok()) return {};
  static_cast<void>(implementation.Close(*connected));
  return {.keepalive = true};
}

std::vector<std::string> CallsOfOptions(const ListenOptions& options) {
  std::vector<std::string> calls;
  if (options.keepalive) calls.emplace_back("setsockopt(SO_KEEPALIVE)");
  if (options.reuseaddr) calls.emplace_back("setsockopt(SO_REUSEADDR)");
  if (options.reuseport) calls.emplace_back("setsockopt(SO_REUSEPORT)");
  return calls;
}

std::vector<std::string> CallsOfOptions(const ConnectOptions& options) {
  if (!options.keepalive) return {};
  return {"setsockopt(SO_KEEPALIVE)"};
}

Result<ip::Endpoint> FreeEndpoint(Context& c) {
  const absl::StatusOr<loopback::Listener> listener =
      loopback::ListenAnywhere(c.sys(), c.family());
  if (!listener.ok()) return Error{.text = listener.status().ToString()};
  return listener->endpoint();
}

void FailEachCall(Faults& faults, absl::FunctionRef<bool()> operation,
                  absl::FunctionRef<void(bool succeeded)> check) {
  std::vector<std::pair<SyscallId, int>> calls;
  {
    faults.Arm({});
    const bool succeeded = operation();
    EXPECT_TRUE(succeeded) << "without a fault";
    for (const SyscallId call : kAllSyscallIds) {
      const int count = faults.Count(OnlyThis(call));
      // Other cases are about calls that wait for a socket.
      if (FamilyOf(call) == "poll") continue;
      if (count > 0) calls.emplace_back(call, count);
    }
    check(succeeded);
  }
  for (const auto& [call, count] : calls) {
    const std::vector<int> errnos = ErrnosBut(call, {EINTR, EAGAIN});
    if (errnos.empty()) continue;
    for (int nth = 1; nth <= count; ++nth) {
      const std::string rule =
          Rule(absl::StrCat(OnlyThis(call), "#", nth), errnos.back());
      SCOPED_TRACE(rule);
      const Armed armed(faults, rule);
      check(operation());
    }
  }
}

}  // namespace net::conformance
