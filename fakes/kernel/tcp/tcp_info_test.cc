#include "fakes/kernel/tcp/tcp_info.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/short_calls.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

// TCP_INFO of connections, through system calls.

namespace net::fake {
namespace {

// The receive buffer is then smaller than the data in it. Measured on Linux
// 6.18: 68608 to 98304.
TEST(TcpInfo, TheSendWindowIsSmallAfterTheBufferHasBeenLowered) {
  FakeKernel kernel;
  FakeProcess& sys = kernel.NewProcess();
  const Pair pair = NewPair(sys);
  ASSERT_THAT(WriteText(sys, pair.client, std::string(60'000, 'x')),
              IsOkAndHolds(60'000));
  ASSERT_THAT(SetOption(sys, pair.server, SOL_SOCKET, SO_RCVBUF, 1), IsOk());
  TcpInfo info;
  socklen_t size = sizeof(info);
  ASSERT_THAT(sys.GetSockOpt(pair.client, IPPROTO_TCP, TCP_INFO, &info, &size),
              IsOk());
  EXPECT_LE(info.snd_wnd, uint32_t{1} << 17);
}

}  // namespace
}  // namespace net::fake
