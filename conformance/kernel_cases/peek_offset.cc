// SO_PEEK_OFF.

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;
using loopback::RefusedPort;

constexpr int kSoPeekOff = 42;

void PeekOffset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.client, kSoPeekOff, 0), IsOk());
  ASSERT_THAT(pair.server.Send("0123456789"), IsOkAndHolds(10));
  const auto offset = [&] {
    return pair.client.Option(SOL_SOCKET, kSoPeekOff);
  };
  EXPECT_THAT(RecvOnce(pair.client, 3, MSG_PEEK), IsOkAndHolds("012"));
  EXPECT_THAT(offset(), IsOkAndHolds(3));
  EXPECT_THAT(RecvOnce(pair.client, 3, MSG_PEEK), IsOkAndHolds("345"));
  EXPECT_THAT(RecvOnce(pair.client, 2), IsOkAndHolds("01"));
  EXPECT_THAT(offset(), IsOkAndHolds(4));
  EXPECT_THAT(RecvOnce(pair.client, 9, MSG_PEEK), IsOkAndHolds("6789"));
  EXPECT_THAT(offset(), IsOkAndHolds(8));
}

void PeekOffsetAtEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Send("0123456789"), IsOkAndHolds(10));
  ASSERT_THAT(SetSocketOption(pair.client, kSoPeekOff, 10), IsOk());
  EXPECT_THAT(RecvOnce(pair.client, 1, MSG_PEEK | MSG_DONTWAIT),
              IsErrno(EAGAIN));
  EXPECT_THAT(pair.client.Ready(POLLIN), IsOkAndHolds(POLLIN));
  ASSERT_THAT(SetSocketOption(pair.client, kSoPeekOff, 5), IsOk());
  EXPECT_THAT(RecvOnce(pair.client, 10), IsOkAndHolds("0123456789"));
  EXPECT_THAT(pair.client.Option(SOL_SOCKET, kSoPeekOff), IsOkAndHolds(0));
}

void PeekOffsetIsOff(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Send("0123456789"), IsOkAndHolds(10));
  ASSERT_THAT(SetSocketOption(pair.client, kSoPeekOff, 4), IsOk());
  EXPECT_THAT(RecvOnce(pair.client, 2, MSG_PEEK), IsOkAndHolds("45"));
  ASSERT_THAT(SetSocketOption(pair.client, kSoPeekOff, -1), IsOk());
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(RecvOnce(pair.client, 2, MSG_PEEK), IsOkAndHolds("01"));
  }
}

void DisconnectingResetsPeekOffset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.client, kSoPeekOff, 4), IsOk());
  ASSERT_THAT(Disconnect(pair.client), IsOk());
  EXPECT_THAT(pair.client.Option(SOL_SOCKET, kSoPeekOff), IsOkAndHolds(-1));
}

void FailedConnectResetsPeekOffset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(SetSocketOption(client, kSoPeekOff, 4), IsOk());
  ASSERT_THAT(Connect(client, refused.endpoint()), IsErrno(ECONNREFUSED));
  EXPECT_THAT(client.Option(SOL_SOCKET, kSoPeekOff), IsOkAndHolds(-1));
}

}  // namespace

const std::vector<Case>& PeekOffsetKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.peek_off",
       .requirement = "With SO_PEEK_OFF, MSG_PEEK must begin at the offset and "
                      "move it forward; receiving must move it back.",
       .source = "socket(7), SO_PEEK_OFF",
       .run = &PeekOffset},
      {.id = "kernel.peek_off.end",
       .requirement = "MSG_PEEK at an offset at the end of the data must fail "
                      "with EAGAIN, although poll(2) reports data.",
       .source = "measured on Linux 6.18",
       .run = &PeekOffsetAtEnd},
      {.id = "kernel.peek_off.off",
       .requirement = "SO_PEEK_OFF of -1 must make MSG_PEEK begin at the first "
                      "byte.",
       .source = "socket(7), SO_PEEK_OFF",
       .run = &PeekOffsetIsOff},
      {.id = "kernel.peek_off.disconnect",
       .requirement = "connect(2) with AF_UNSPEC must set SO_PEEK_OFF to -1.",
       .source = "Linux, tcp_disconnect() in net/ipv4/tcp.c",
       .run = &DisconnectingResetsPeekOffset},
      {.id = "kernel.peek_off.refused",
       .requirement = "A connect(2) that is refused must set SO_PEEK_OFF to "
                      "-1.",
       .source = "Linux, tcp_disconnect() in net/ipv4/tcp.c",
       .run = &FailedConnectResetsPeekOffset},
  };
  return cases;
}

}  // namespace net::conformance
