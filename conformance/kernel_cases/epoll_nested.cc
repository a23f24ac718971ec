// Epolls in epolls.

#include <sys/epoll.h>

#include <cerrno>
#include <cstddef>
#include <vector>

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

using loopback::RawSocket;

// ---- Epolls in epolls -------------------------------------------------------

void NestedReady(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll outer, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(Epoll inner, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  ASSERT_THAT(outer.Add(inner.fd(), EPOLLIN, 1), IsOk());
  ASSERT_THAT(inner.Add(counter.fd(), EPOLLIN, 2), IsOk());
  EXPECT_THAT(PollNow(inner.file()), IsOkAndHolds(0));
  EXPECT_EQ(outer.Ready(), "");
  ASSERT_THAT(AddToCounter(counter), IsOk());
  EXPECT_THAT(PollNow(inner.file()), IsOkAndHolds(EPOLLIN));
  EXPECT_EQ(outer.Ready(), "1:IN");
  EXPECT_EQ(inner.Ready(), "2:IN");
  ASSERT_THAT(ReadCounter(counter), IsOk());
  EXPECT_THAT(PollNow(inner.file()), IsOkAndHolds(0));
  EXPECT_EQ(outer.Ready(), "");
}

void NestedEdge(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll outer, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const Epoll inner, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  ASSERT_THAT(outer.Add(inner.fd(), EPOLLIN | EPOLLET, 1), IsOk());
  ASSERT_THAT(inner.Add(counter.fd(), EPOLLIN, 2), IsOk());
  ASSERT_THAT(AddToCounter(counter), IsOk());
  EXPECT_EQ(outer.Ready(), "1:IN");
  EXPECT_EQ(outer.Ready(), "");
  ASSERT_THAT(AddToCounter(counter), IsOk());
  EXPECT_EQ(outer.Ready(), "1:IN") << "after another write";
  EXPECT_EQ(inner.Ready(), "2:IN");
}

void NestedClosed(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll outer, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(Epoll inner, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  ASSERT_THAT(outer.Add(inner.fd(), EPOLLIN, 1), IsOk());
  ASSERT_THAT(inner.Add(counter.fd(), EPOLLOUT, 2), IsOk());
  EXPECT_EQ(outer.Ready(), "1:IN");
  ASSERT_THAT(inner.file().Close(), IsOk());
  EXPECT_EQ(outer.Ready(), "");
}

void Circle(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Epoll one, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const Epoll two, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const Epoll three, NewEpoll(c));
  ASSERT_THAT(one.Add(two.fd(), EPOLLIN), IsOk());
  EXPECT_THAT(two.Add(one.fd(), EPOLLIN), IsErrno(ELOOP));
  ASSERT_THAT(two.Add(three.fd(), EPOLLIN), IsOk());
  EXPECT_THAT(three.Add(one.fd(), EPOLLIN), IsErrno(ELOOP));
  ASSERT_THAT(one.Remove(two.fd()), IsOk());
  EXPECT_THAT(three.Add(one.fd(), EPOLLIN), IsOk());
}

// Adds each of five epolls to the one before it.
absl::StatusOr<std::vector<Epoll>> NewChain(Context& c) {
  std::vector<Epoll> chain;
  for (size_t i = 0; i < 5; ++i) {
    absl::StatusOr<Epoll> epoll = NewEpoll(c);
    if (!epoll.ok()) return epoll.status();
    chain.push_back(*std::move(epoll));
    if (i == 0) continue;
    EXPECT_THAT(chain[i - 1].Add(chain[i].fd(), EPOLLIN), IsOk());
  }
  return chain;
}

void TooDeep(Context& c) {
  ASSERT_OK_AND_ASSIGN(const std::vector<Epoll> chain, NewChain(c));
  ASSERT_OK_AND_ASSIGN(const Epoll sixth, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  EXPECT_THAT(chain[4].Add(counter.fd(), EPOLLOUT), IsOk());
  EXPECT_EQ(chain[0].Ready(), "1:IN");
  EXPECT_THAT(chain[4].Add(sixth.fd(), EPOLLIN), IsErrno(ELOOP));
  EXPECT_THAT(sixth.Add(chain[0].fd(), EPOLLIN), IsErrno(ELOOP));
  EXPECT_THAT(sixth.Add(chain[1].fd(), EPOLLIN), IsOk());
  EXPECT_THAT(chain[0].Add(sixth.fd(), EPOLLIN), IsErrno(ELOOP));
}

// The standard output of a case is a regular file or the null device. Without
// fork(2) it is that of the program.
}  // namespace

const std::vector<Case>& EpollNestedKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.epoll.nested.ready",
       .requirement = "An epoll must be readable for poll(2) and for another "
                      "epoll while it has events.",
       .source = "epoll(7), Questions and answers, 3",
       .families = AddressFamilies::kV4,
       .run = &NestedReady},
      {.id = "kernel.epoll.nested.edge",
       .requirement = "An edge-triggered epoll in an epoll must be reported "
                      "once for each event that comes to it.",
       .source = "fs/eventpoll.c, ep_poll_callback",
       .families = AddressFamilies::kV4,
       .run = &NestedEdge},
      {.id = "kernel.epoll.nested.closed",
       .requirement = "An epoll that is closed must leave the epoll that it "
                      "was added to.",
       .source = "epoll(7), Questions and answers, 6",
       .families = AddressFamilies::kV4,
       .run = &NestedClosed},
      {.id = "kernel.epoll.nested.circle",
       .requirement = "epoll_ctl(2) must fail with ELOOP if epolls would watch "
                      "each other in a circle.",
       .source = "epoll_ctl(2), ELOOP",
       .families = AddressFamilies::kV4,
       .run = &Circle},
      {.id = "kernel.epoll.nested.depth",
       .requirement = "epoll_ctl(2) must fail with ELOOP if more than five "
                      "epolls would be in each other, whether at the outer or "
                      "the inner end.",
       .source = "epoll_ctl(2), ELOOP; fs/eventpoll.c, ep_loop_check",
       .families = AddressFamilies::kV4,
       .run = &TooDeep},
  };
  return cases;
}

}  // namespace net::conformance
