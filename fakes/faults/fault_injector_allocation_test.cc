#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_injector_test_base.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/testing/allocation_count.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using FaultInjectorAllocation = FaultInjectorTest;

// Makes calls of each kind that the injector treats differently.
TEST_P(FaultInjectorAllocation, CallsWithoutAFaultAllocateNothing) {
  if (!kMallocIsCounted) GTEST_SKIP() << "malloc(3) is not counted";
  const Connection made = Connect();
  const ip::SockAddr addr(LocalOf(made.listener));
  char buffer[4];
  // The tables grow to the largest number of descriptors.
  ASSERT_THAT(sys_.Close(NewSocket()), IsOk());
  for (const char* const plan :
       {"", "accept4#9=EMFILE; send#9=short(1); close(*:1)=EIO; *@99=EIO"}) {
    Arm(plan);
    const int before = AllocationCount();
    const SysResult results[] = {
        sys_.Send(made.client, "abc", 3, 0),
        sys_.Recv(made.server, buffer, sizeof(buffer), 0),
        sys_.Bind(made.client, addr.get(), addr.size()),
        sys_.Shutdown(made.listener, 9),
    };
    pollfd polled[] = {{made.client, POLLOUT, 0}, {made.server, POLLIN, 0}};
    const SysResult waited = sys_.Poll(polled, 2, 0);
    const int fd = sys_.Socket(AF_INET, SOCK_STREAM, 0).fd();
    const SysResult closed = sys_.Close(fd);
    EXPECT_EQ(AllocationCount() - before, 0) << plan;
    EXPECT_THAT(results[0], IsOkAndHolds(3));
    EXPECT_THAT(results[1], IsOkAndHolds(3));
    EXPECT_THAT(results[2], IsErrno(EINVAL));
    EXPECT_THAT(results[3], IsErrno(EINVAL));
    EXPECT_THAT(waited, IsOk());
    EXPECT_THAT(closed, IsOk());
    EXPECT_EQ(sys_.Count("*"), 7);
  }
}

// The FakeKernel itself allocates.
INSTANTIATE_TEST_SUITE_P(Targets, FaultInjectorAllocation,
                         testing::Values(Target::kLinux), NameOfTarget);

}  // namespace
}  // namespace net
