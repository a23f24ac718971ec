// The order in which epoll_wait(2) reports entries.

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel_cases/epoll_helpers.h"
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

constexpr uint32_t kEdge = EPOLLET;

// Adds `count` eventfds, whose data is 1, 2, 3.
absl::StatusOr<std::vector<RawSocket>> AddCounters(Context& c,
                                                   const Epoll& epoll,
                                                   uint32_t events,
                                                   size_t count) {
  std::vector<RawSocket> counters;
  for (size_t i = 0; i < count; ++i) {
    absl::StatusOr<RawSocket> counter = NewCounter(c);
    if (!counter.ok()) return counter.status();
    EXPECT_THAT(epoll.Add(counter->fd(), events, i + 1), IsOk());
    counters.push_back(*std::move(counter));
  }
  return counters;
}

void Order(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const auto counters, AddCounters(c, epoll, EPOLLIN, 3));
  for (const size_t i : {2U, 0U, 1U, 2U}) {
    ASSERT_THAT(AddToCounter(counters[i]), IsOk());
  }
  EXPECT_EQ(epoll.Ready(), "3:IN 1:IN 2:IN");
  ASSERT_THAT(AddToCounter(counters[0]), IsOk());
  EXPECT_EQ(epoll.Ready(), "3:IN 1:IN 2:IN");
  ASSERT_THAT(ReadCounter(counters[2]), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN 2:IN");
  ASSERT_THAT(AddToCounter(counters[2]), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN 2:IN 3:IN");
}

void RoundRobin(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const auto counters, AddCounters(c, epoll, EPOLLOUT, 3));
  EXPECT_EQ(epoll.Ready(2), "1:OUT 2:OUT");
  EXPECT_EQ(epoll.Ready(2), "3:OUT 1:OUT");
  EXPECT_EQ(epoll.Ready(1), "2:OUT");
  EXPECT_EQ(epoll.Ready(8), "3:OUT 1:OUT 2:OUT");
}

void EdgesWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const auto counters,
                       AddCounters(c, epoll, EPOLLIN | kEdge, 3));
  for (const RawSocket& counter : counters) {
    ASSERT_THAT(AddToCounter(counter), IsOk());
  }
  EXPECT_EQ(epoll.Ready(1), "1:IN");
  ASSERT_THAT(AddToCounter(counters[0]), IsOk());
  EXPECT_EQ(epoll.Ready(2), "2:IN 3:IN");
  EXPECT_EQ(epoll.Ready(), "1:IN");
  EXPECT_EQ(epoll.Ready(), "");
}

// The FIN reaches the peer before shutdown(2) wakes who waits for the socket,
// if Linux does not postpone the soft interrupt that delivers it.
void Shutdowns(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.client.fd(), EPOLLIN, 1), IsOk());
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN, 2), IsOk());
  ASSERT_THAT(pair.client.Shutdown(SHUT_RDWR), IsOk());
  const std::string ready = epoll.Ready();
  if (ready == "1:IN|HUP 2:IN") {
    c.Variation("late_fin");
  } else {
    EXPECT_EQ(ready, "2:IN 1:IN|HUP");
  }
}

}  // namespace

const std::vector<Case>& EpollOrderKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.epoll.order.of_events",
       .requirement = "Entries must be reported in the order in which they "
                      "became ready.",
       .source = "fs/eventpoll.c, ep_poll_callback and ep_send_events",
       .families = AddressFamilies::kV4,
       .run = &Order},
      {.id = "kernel.epoll.order.round_robin",
       .requirement = "epoll_wait(2) with room for few events must report all "
                      "ready entries in turn.",
       .source = "epoll_wait(2), NOTES",
       .families = AddressFamilies::kV4,
       .run = &RoundRobin},
      {.id = "kernel.epoll.order.edges",
       .requirement = "Edge-triggered entries that did not fit into the events "
                      "must be reported by the next call, before those that "
                      "became ready later.",
       .source = "fs/eventpoll.c, ep_send_events",
       .families = AddressFamilies::kV4,
       .run = &EdgesWait},
      {.id = "kernel.epoll.order.shutdown",
       .requirement = "shutdown(2) must report the peer before the socket "
                      "itself.",
       .source = "net/ipv4/af_inet.c, inet_shutdown",
       .run = &Shutdowns},
  };
  return cases;
}

}  // namespace net::conformance
