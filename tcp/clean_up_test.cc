#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/call.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/linux_syscalls.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"
#include "tcp/tcp.h"

// Checks that a failure leaves nothing behind in the real kernel, which a mock
// cannot show. The calls before the fault are real; with "after", so is the
// call that fails.

namespace net {
namespace {

using ::testing::IsEmpty;

// Records the local endpoint of a socket after each successful bind(2) and
// listen(2), so that a test knows the port of a Listen() that failed.
class PortSpy final : public InterceptingSyscalls {
 public:
  using InterceptingSyscalls::InterceptingSyscalls;

  const std::vector<ip::Endpoint>& seen() const { return seen_; }

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override {
    const SysResult result = make();
    const bool binds =
        invocation.call() == Call::kBind || invocation.call() == Call::kListen;
    ip::SockAddr local;
    if (binds && result.ok() &&
        target()
            .GetSockName(invocation.fd(), local.get(), local.size_ptr())
            .ok()) {
      seen_.push_back(local.ToEndpoint().value());
    }
    return result;
  }

 private:
  std::vector<ip::Endpoint> seen_;
};

std::string FamilyOf(const ip::Addr& addr) {
  return addr.is_v4() ? "V4" : "V6";
}

FaultPlan PlanOf(absl::string_view text) {
  return ParseFaultPlan(text).value();
}

// ---- Listen ----------------------------------------------------------------

struct ListenFault {
  ip::Addr addr;
  Call call;
  int nth;
  int error;
  Effect effect;
  int binds;  // Successful bind(2) and listen(2) calls before the failure is
              // reported.

  FaultPlan plan() const {
    const FaultSelector selector = {.calls = std::string(CallName(call)),
                                    .occurrence = {nth, nth}};
    return {
        {{.selector = selector, .action = {.error = error, .effect = effect}}}};
  }
};

std::string NameOf(const ListenFault& tested) {
  return absl::StrCat(FamilyOf(tested.addr), "_",
                      std::string(CallName(tested.call)), tested.nth,
                      tested.effect == Effect::kAfter ? "_after" : "_before");
}
void PrintTo(const ListenFault& tested, std::ostream* os) {
  *os << NameOf(tested);
}

std::vector<ListenFault> ListenFaults() {
  std::vector<ListenFault> faults;
  for (const ip::Addr& addr : {ip::kLocalV4, ip::kLocalV6}) {
    for (const Effect effect : {Effect::kBefore, Effect::kAfter}) {
      const int made = effect == Effect::kAfter ? 1 : 0;
      faults.push_back({addr, Call::kSocket, 1, EMFILE, effect, 0});
      for (const int nth : {1, 2, 3}) {
        faults.push_back({addr, Call::kSetSockOpt, nth, ENOMEM, effect, 0});
      }
      faults.push_back({addr, Call::kBind, 1, EACCES, effect, made});
      faults.push_back({addr, Call::kListen, 1, EADDRINUSE, effect, 1 + made});
      faults.push_back({addr, Call::kGetSockName, 1, ENOBUFS, effect, 2});
    }
  }
  return faults;
}

class ListenCleanUp : public testing::TestWithParam<ListenFault> {};

TEST_P(ListenCleanUp, LeavesThePortFree) {
  const ListenFault& fault = GetParam();
  LinuxSyscalls kernel;
  PortSpy spy(kernel);
  FaultInjector injector(spy);
  injector.Arm(fault.plan());

  constexpr uint16_t kUntouched = 4242;
  uint16_t port = kUntouched;
  EXPECT_THAT(tcp::Listen(fault.addr, 0,
                          {tcp::KeepAlive{}, tcp::ReusePort{}, tcp::ReuseAddr{},
                           tcp::PortAssignment{&port}},
                          injector),
              IsErrno(fault.error));

  EXPECT_THAT(injector.Unmatched(), IsEmpty());
  EXPECT_THAT(injector.OpenDescriptors(), IsEmpty());
  EXPECT_EQ(injector.StrayCloses(), 0);
  EXPECT_EQ(port, kUntouched);
  ASSERT_EQ(spy.seen().size(), static_cast<size_t>(fault.binds));
  if (fault.binds == 0) return;
  // Asks the kernel whether the port is free: nothing listens on it, and a bind
  // without SO_REUSEADDR and SO_REUSEPORT succeeds.
  const uint16_t had = spy.seen().back().port;
  EXPECT_NE(had, 0);
  EXPECT_THAT(tcp::Connect(fault.addr, had), IsErrno(ECONNREFUSED));
  EXPECT_THAT(tcp::Listen(fault.addr, had), IsOk());
}

INSTANTIATE_TEST_SUITE_P(Faults, ListenCleanUp,
                         testing::ValuesIn(ListenFaults()),
                         [](const auto& tested) {
                           return NameOf(tested.param);
                         });

// ---- Connect and Accept ----------------------------------------------------

class CleanUp : public testing::TestWithParam<ip::Addr> {
 protected:
  void SetUp() override {
    listener_ = tcp::Listen(GetParam(), 0, {tcp::PortAssignment{&port_}});
    ASSERT_THAT(listener_, IsOk());
  }

  absl::StatusOr<Socket> Connect(
      absl::Span<const tcp::ConnectOption> options = {}) {
    return tcp::Connect(GetParam(), port_, options, injector_);
  }

  // Expects that every fault was injected and that every descriptor made
  // through the injector is closed.
  void ExpectNothingLeft() {
    EXPECT_THAT(injector_.Unmatched(), IsEmpty());
    EXPECT_THAT(injector_.OpenDescriptors(), IsEmpty());
    EXPECT_EQ(injector_.StrayCloses(), 0);
  }

  // Expects that the listener's accept queue is empty.
  void ExpectNobodyConnects() {
    const SysResult next = kernel_.Accept4(listener_->fd(), nullptr, nullptr,
                                           SOCK_CLOEXEC | SOCK_NONBLOCK);
    EXPECT_THAT(next, IsErrno(EAGAIN));
    if (next.ok()) static_cast<void>(kernel_.Close(next.fd()));
  }

  void MakeListenerNonblocking() {
    uint16_t port = 0;
    listener_ = tcp::Listen(GetParam(), 0,
                            {tcp::PortAssignment{&port}, SockFlags::kNonblock});
    ASSERT_THAT(listener_, IsOk());
    port_ = port;
  }

  LinuxSyscalls kernel_;
  FaultInjector injector_{kernel_};
  uint16_t port_ = 0;
  absl::StatusOr<Socket> listener_;
};

TEST_P(CleanUp, AConnectThatFailsBeforehandConnectsToNobody) {
  MakeListenerNonblocking();
  injector_.Arm(PlanOf("socket=EMFILE"));
  EXPECT_THAT(Connect(), IsErrno(EMFILE));
  ExpectNothingLeft();
  injector_.Arm(PlanOf("setsockopt=ENOMEM after"));
  EXPECT_THAT(Connect({tcp::KeepAlive{}}), IsErrno(ENOMEM));
  ExpectNothingLeft();
  injector_.Arm(PlanOf("connect=EADDRNOTAVAIL before"));
  EXPECT_THAT(Connect(), IsErrno(EADDRNOTAVAIL));
  ExpectNothingLeft();
  ExpectNobodyConnects();
}

// The connection was established before the injected errno. It is closed, not
// kept.
TEST_P(CleanUp, AConnectThatFailsAfterwardsEndsTheConnection) {
  injector_.Arm(PlanOf("connect=ETIMEDOUT after"));
  EXPECT_THAT(Connect(), IsErrno(ETIMEDOUT));
  ExpectNothingLeft();
  const absl::StatusOr<Socket> accepted = tcp::Accept(*listener_);
  ASSERT_THAT(accepted, IsOk());
  char buffer[1];
  EXPECT_THAT(accepted->Recv(absl::MakeSpan(buffer)), IsOkAndHolds(0u));
}

TEST_P(CleanUp, AnInterruptedConnectIsCompleted) {
  injector_.Arm(PlanOf("connect=EINTR; poll=EINTR*2"));
  {
    const absl::StatusOr<Socket> client = Connect();
    ASSERT_THAT(client, IsOk());
    const absl::StatusOr<Socket> accepted = tcp::Accept(*listener_);
    ASSERT_THAT(accepted, IsOk());
    EXPECT_EQ(accepted->PeerAddr().value(), client->LocalAddr().value());
  }
  EXPECT_EQ(injector_.Count(Call::kConnect), 1);
  EXPECT_EQ(injector_.Count(Call::kPoll), 3);
  EXPECT_EQ(injector_.Count(Call::kGetSockOpt), 1);
  ExpectNothingLeft();
}

TEST_P(CleanUp, AnInterruptedConnectThatIsRefusedSaysSo) {
  ASSERT_THAT(listener_->Close(), IsOk());
  FaultInjector injector(kernel_);
  injector.Arm(PlanOf("connect#1=EINTR"));
  EXPECT_THAT(tcp::Connect(GetParam(), port_, {}, injector),
              IsErrno(ECONNREFUSED));
  EXPECT_THAT(injector.Unmatched(), IsEmpty());
  EXPECT_THAT(injector.OpenDescriptors(), IsEmpty());
  EXPECT_EQ(injector.Count(Call::kConnect), 1);
}

TEST_P(CleanUp, WhenTheWaitForAnInterruptedConnectFailsNothingIsLeft) {
  for (const char* const call : {"poll", "getsockopt"}) {
    SCOPED_TRACE(call);
    FaultInjector injector(kernel_);
    injector.Arm(PlanOf(absl::StrCat("connect=EINTR; ", call, "=ENOMEM")));
    EXPECT_THAT(tcp::Connect(GetParam(), port_, {}, injector), IsErrno(ENOMEM));
    EXPECT_THAT(injector.Unmatched(), IsEmpty());
    EXPECT_THAT(injector.OpenDescriptors(), IsEmpty());
    const absl::StatusOr<Socket> accepted = tcp::Accept(*listener_);
    ASSERT_THAT(accepted, IsOk());
    char buffer[1];
    EXPECT_THAT(accepted->Recv(absl::MakeSpan(buffer)), IsOkAndHolds(0u));
  }
}

TEST_P(CleanUp, AFailedAcceptLeavesTheConnectionQueuedAndTheListenerOpen) {
  const Socket listener(listener_->Release(), injector_);
  const absl::StatusOr<Socket> client = tcp::Connect(GetParam(), port_);
  ASSERT_THAT(client, IsOk());
  injector_.Arm(PlanOf("accept4#1=EMFILE"));
  EXPECT_THAT(tcp::Accept(listener), IsErrno(EMFILE));
  EXPECT_THAT(injector_.OpenDescriptors(), IsEmpty());
  const absl::StatusOr<Socket> accepted = tcp::Accept(listener);
  ASSERT_THAT(accepted, IsOk());
  EXPECT_EQ(accepted->PeerAddr().value(), client->LocalAddr().value());
  EXPECT_THAT(injector_.Unmatched(), IsEmpty());
}

// The first connection ends with ECONNABORTED; Accept() returns the second one.
TEST_P(CleanUp, AnAbortedConnectionIsSkipped) {
  const Socket listener(listener_->Release(), injector_);
  const absl::StatusOr<Socket> lost = tcp::Connect(GetParam(), port_);
  const absl::StatusOr<Socket> kept = tcp::Connect(GetParam(), port_);
  ASSERT_THAT(lost, IsOk());
  ASSERT_THAT(kept, IsOk());
  injector_.Arm(PlanOf("accept4#1=ECONNABORTED; accept4#2=EINTR"));
  {
    const absl::StatusOr<Socket> accepted = tcp::Accept(listener);
    ASSERT_THAT(accepted, IsOk());
    EXPECT_EQ(accepted->PeerAddr().value(), kept->LocalAddr().value());
    EXPECT_EQ(injector_.Count(Call::kAccept4), 3);
  }
  ExpectNothingLeft();
}

TEST_P(CleanUp, AFailingCloseFreesTheDescriptorOnce) {
  injector_.Arm(PlanOf("close=EINTR"));
  absl::StatusOr<Socket> client = Connect();
  ASSERT_THAT(client, IsOk());
  EXPECT_THAT(client->Close(), IsErrno(EINTR));
  EXPECT_EQ(injector_.Count(Call::kClose), 1);
  ExpectNothingLeft();
}

INSTANTIATE_TEST_SUITE_P(Families, CleanUp,
                         testing::Values(ip::kLocalV4, ip::kLocalV6),
                         [](const auto& tested) {
                           return FamilyOf(tested.param);
                         });

}  // namespace
}  // namespace net
