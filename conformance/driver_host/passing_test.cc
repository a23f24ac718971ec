#include "conformance/driver_host/passing.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>

#include "gtest/gtest.h"

namespace net::conformance {
namespace {

// Returns true if no process has the other end of a pipe open.
bool IsAtEnd(int read_end) {
  pollfd event = {.fd = read_end, .events = POLLIN, .revents = 0};
  return poll(&event, 1, 0) == 1 && (event.revents & POLLHUP) != 0;
}

TEST(PassingTest, WhatWasNotReceivedIsTakenBackAndClosed) {
  const Passing passing;
  std::array<int, 2> ends = {};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  // Each time a driver refuses the command, a descriptor stays in the socket.
  for (int i = 0; i < 1000; ++i) {
    passing.Pass(ends[1]);
    passing.TakeBack();
  }
  passing.Pass(ends[1]);
  close(ends[1]);
  EXPECT_FALSE(IsAtEnd(ends[0]));
  passing.TakeBack();
  EXPECT_TRUE(IsAtEnd(ends[0]));
  close(ends[0]);
}

TEST(PassingTest, NothingToTakeBackIsNoFault) {
  const Passing passing;
  passing.TakeBack();
}

}  // namespace
}  // namespace net::conformance
