#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/allocation_count.h"
#include "syscalls/testing/matchers.h"

namespace net::fake {
namespace {

// Segments on a perfect link use memory that is there: only sockets and their
// bytes need some.
class SegmentAllocationTest : public testing::Test {
 protected:
  struct Pair {
    int client;
    int server;
  };

  SegmentAllocationTest() {
    EXPECT_THAT(process_.Bind(listener_, name_.get(), name_.size()), IsOk());
    EXPECT_THAT(process_.Listen(listener_, 10), IsOk());
    EXPECT_THAT(process_.GetSockName(listener_, name_.get(), name_.size_ptr()),
                IsOk());
  }

  Pair Connect() {
    const int client = process_.Socket(AF_INET, SOCK_STREAM, 0).fd();
    const SysResult connected =
        process_.Connect(client, name_.get(), name_.size());
    EXPECT_TRUE(connected.ok());
    const int server = process_.Accept4(listener_, nullptr, nullptr, 0).fd();
    return {client, server};
  }
  void Close(const Pair& pair) {
    EXPECT_TRUE(process_.Close(pair.client).ok());
    EXPECT_TRUE(process_.Close(pair.server).ok());
  }
  // Sends `size` bytes there and back. Makes no allocation of its own.
  void Echo(const Pair& pair, size_t size) {
    for (const Pair& way : {pair, Pair{pair.server, pair.client}}) {
      ASSERT_EQ(process_.Send(way.client, buffer_.data(), size, 0).value(),
                static_cast<int64_t>(size));
      ASSERT_EQ(
          process_.Recv(way.server, buffer_.data(), size, MSG_WAITALL).value(),
          static_cast<int64_t>(size));
    }
  }
  // Returns the number of allocations of a connection's whole life, with so
  // many echoes. Matchers would add some.
  int AllocationsOfCycle(int echoes) {
    const int before = AllocationCount();
    const Pair pair = Connect();
    for (int i = 0; i < echoes; ++i) Echo(pair, 100);
    Close(pair);
    const int allocations = AllocationCount() - before;
    kernel_.Advance(absl::Minutes(2));  // Ends TIME-WAIT.
    return allocations;
  }

  FakeKernel kernel_;
  FakeProcess& process_ = kernel_.NewProcess();
  const int listener_ = process_.Socket(AF_INET, SOCK_STREAM, 0).fd();
  ip::SockAddr name_{ip::Endpoint{ip::kLocalV4, 0}};
  std::string buffer_ = std::string(100000, 'x');
};

TEST_F(SegmentAllocationTest, EchoesAllocateNothing) {
  const Pair pair = Connect();
  for (const size_t size : {1U, 100U, 16384U, 100000U}) {
    for (int i = 0; i < 20; ++i) Echo(pair, size);  // Queues grow.
    const int before = AllocationCount();
    for (int i = 0; i < 200; ++i) Echo(pair, size);
    EXPECT_EQ(AllocationCount() - before, 0) << size << " bytes";
  }
  Close(pair);
}

TEST_F(SegmentAllocationTest, EchoesAddNoAllocationToACycle) {
  for (int i = 0; i < 20; ++i) AllocationsOfCycle(1);
  EXPECT_EQ(AllocationsOfCycle(50), AllocationsOfCycle(1));
}

}  // namespace
}  // namespace net::fake
