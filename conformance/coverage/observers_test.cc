#include "conformance/coverage/observers.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/coverage/observation_log.h"
#include "conformance/suite/case.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::conformance {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr int kFd = 5;

class ObserversTest : public testing::Test {
 protected:
  // Returns the cells noted so far, with their details.
  std::vector<std::string> Cells() const {
    std::vector<std::string> cells;
    for (const Observation& one : log_.Read()) {
      cells.push_back(one.detail.empty()
                          ? one.cell
                          : absl::StrCat(one.cell, ": ", one.detail));
    }
    return cells;
  }

  static Invocation ReadFlags(int command) {
    return Invocation(Arguments<Call::kFcntl>{kFd, command, 0});
  }
  static Invocation ReadKeepAlive() {
    return Invocation(Arguments<Call::kGetSockOpt>{
        kFd, SOL_SOCKET, SO_KEEPALIVE, nullptr, nullptr});
  }

  ObservationLog log_;
  TrialObservations out_{log_, 0};
};

// ---- Options ----------------------------------------------------------------

TEST_F(ObserversTest, AnOptionCountsOnceItsEffectIsRead) {
  OptionObserver options(out_, AddressFamily::kV4);
  options.OnMade("listen", kFd, {{"keepalive", 1}, {"nonblock", 0}});
  EXPECT_THAT(Cells(), IsEmpty());
  options.OnCallOfCase(ReadKeepAlive());
  EXPECT_THAT(Cells(), UnorderedElementsAre("listen keepalive present, v4"));
  options.OnCallOfCase(ReadFlags(F_GETFL));
  EXPECT_THAT(Cells(), UnorderedElementsAre("listen keepalive present, v4",
                                            "listen nonblock absent, v4"));
}

TEST_F(ObserversTest, AnOptionCountsWithTheOthers) {
  OptionObserver options(out_, AddressFamily::kV6);
  options.OnMade("connect", kFd, {{"keepalive", 2}, {"no_cloexec", 1}});
  options.OnCallOfCase(ReadKeepAlive());
  EXPECT_THAT(Cells(),
              UnorderedElementsAre("connect keepalive twice, v6",
                                   "connect keepalive with no_cloexec, v6"));
}

TEST_F(ObserversTest, ExecReadsCloseOnExec) {
  OptionObserver options(out_, AddressFamily::kV4);
  options.OnMade("accept", kFd, {{"no_cloexec", 1}});
  options.OnExec();
  EXPECT_THAT(Cells(), UnorderedElementsAre("accept no_cloexec present, v4"));
}

TEST_F(ObserversTest, AnotherSocketWithTheNumberIsNotTheOne) {
  OptionObserver options(out_, AddressFamily::kV4);
  options.OnMade("listen", kFd, {{"keepalive", 1}});
  options.OnClose(kFd);
  options.OnCallOfCase(ReadKeepAlive());
  EXPECT_THAT(Cells(), IsEmpty());
}

// ---- Addresses --------------------------------------------------------------

TEST_F(ObserversTest, APairOfAddressesHasAnOutcome) {
  AddressObserver addresses(out_);
  addresses.OnListen(kFd, {ip::kAnyV6, 80}, /*tested=*/true);
  addresses.OnConnect({ip::kLocalV4, 80}, /*connected=*/true, /*tested=*/false);
  addresses.OnConnect({ip::kLocalV6, 80}, /*connected=*/false, /*tested=*/true);
  addresses.OnConnect({ip::kLocalV4, 81}, /*connected=*/false, /*tested=*/true);
  EXPECT_THAT(Cells(), UnorderedElementsAre(
                           "Listen on ::, a client to 127.0.0.1: allowed",
                           "Listen on ::, a client to ::1: refused",
                           "a listener on ::, Connect to ::1: refused"));
}

TEST_F(ObserversTest, OfTwoListenersNoneIsKnownToBeReached) {
  AddressObserver addresses(out_);
  addresses.OnListen(kFd, {ip::kLocalV4, 80}, /*tested=*/true);
  addresses.OnListen(kFd + 1, {ip::kAnyV4, 80}, /*tested=*/true);
  addresses.OnConnect({ip::kLocalV4, 80}, /*connected=*/true, /*tested=*/true);
  EXPECT_THAT(Cells(), IsEmpty());
  addresses.OnClose(kFd);
  addresses.OnConnect({ip::kLocalV4, 80}, /*connected=*/true, /*tested=*/false);
  EXPECT_THAT(Cells(),
              UnorderedElementsAre(
                  "Listen on 0.0.0.0, a client to 127.0.0.1: allowed"));
}

TEST_F(ObserversTest, AnotherNetworkDoesNotCount) {
  AddressObserver addresses(out_);
  addresses.OnListen(kFd, {ip::kAnyV6, 80}, /*tested=*/true);
  addresses.OnOtherNetwork();
  addresses.OnConnect({ip::kLocalV4, 80}, /*connected=*/false, /*tested=*/true);
  EXPECT_THAT(Cells(), IsEmpty());
}

// ---- Concurrency ------------------------------------------------------------

TEST_F(ObserversTest, WhatHappensDuringABlockedCallCounts) {
  ConcurrencyObserver concurrency(out_);
  const Invocation accept(Arguments<Call::kAccept4>{kFd, nullptr, nullptr, 0});
  const Invocation shutdown(Arguments<Call::kShutdown>{kFd, SHUT_RD});
  const auto accepting = concurrency.OnBegin(accept);
  concurrency.OnReturn(concurrency.OnBegin(
      Invocation(Arguments<Call::kShutdown>{kFd + 1, SHUT_RD})));
  EXPECT_THAT(Cells(), IsEmpty());
  concurrency.OnReturn(concurrency.OnBegin(shutdown));
  concurrency.OnNew(kFd);
  EXPECT_THAT(Cells(), UnorderedElementsAre("shutdown during accept4(2)",
                                            "number reused during accept4(2)"));
  concurrency.OnReturn(accepting);
  concurrency.OnReturn(
      concurrency.OnBegin(Invocation(Arguments<Call::kClose>{kFd})));
  EXPECT_EQ(Cells().size(), 2U);
}

TEST_F(ObserversTest, FourAcceptsAreMany) {
  ConcurrencyObserver concurrency(out_);
  const Invocation accept(Arguments<Call::kAccept4>{kFd, nullptr, nullptr, 0});
  for (int i = 0; i < 3; ++i) concurrency.OnBegin(accept);
  EXPECT_THAT(Cells(), IsEmpty());
  concurrency.OnBegin(accept);
  EXPECT_THAT(Cells(), UnorderedElementsAre("many acceptors on one listener"));
}

// ---- Answers ----------------------------------------------------------------

TEST_F(ObserversTest, AChangeIsTwoAnswersOfOneSocket) {
  AnswerObserver answers(out_);
  answers.OnAnswer("recv", kFd, 1, "EAGAIN", "EAGAIN");
  answers.OnAnswer("recv", kFd, 1, "EAGAIN", "EAGAIN");
  answers.OnAnswer("recv", kFd + 1, 2, "data", "data");
  EXPECT_THAT(Cells(), IsEmpty());
  answers.OnAnswer("recv", kFd, 1, "data", "data");
  EXPECT_THAT(Cells(), UnorderedElementsAre("recv: EAGAIN, then data"));
}

TEST_F(ObserversTest, AnotherSocketWithTheNumberHasAnotherAnswer) {
  AnswerObserver answers(out_);
  answers.OnAnswer("peeraddr", kFd, 1, "an address", "127.0.0.1:80");
  answers.OnAnswer("peeraddr", kFd, 2, "an address", "127.0.0.1:80");
  EXPECT_THAT(Cells(), IsEmpty());
  answers.OnAnswer("peeraddr", kFd, 3, "an address", "127.0.0.1:81");
  EXPECT_THAT(Cells(), UnorderedElementsAre(
                           "peeraddr: another socket with the descriptor's "
                           "number"));
}

TEST_F(ObserversTest, ASuccessAfterTheEndOfAResourceIsARecovery) {
  AnswerObserver answers(out_);
  answers.OnResource("accept", "");
  EXPECT_THAT(Cells(), IsEmpty());
  answers.OnResource("accept", "descriptors");
  answers.OnResource("connect", "");
  EXPECT_THAT(Cells(), UnorderedElementsAre("accept: no descriptors"));
  answers.OnResource("accept", "");
  EXPECT_THAT(Cells(), UnorderedElementsAre("accept: no descriptors",
                                            "accept: descriptors again"));
}

}  // namespace
}  // namespace net::conformance
