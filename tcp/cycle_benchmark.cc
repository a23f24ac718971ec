// Measures the cost of net::tcp on top of the system calls that it makes: the
// cycle of cycle.h with libc and with net::tcp. On an idle machine, the ratio
// of the medians must not exceed 1.03:
//
//   bazel run --config=opt //tcp:cycle_benchmark

#include <netinet/in.h>

#include <cstdint>
#include <cstring>

#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/ratio_benchmark.h"
#include "tcp/cycle.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net {
namespace {

using CycleFunction = bool (*)(const Socket& listener,
                               const ip::Endpoint& endpoint,
                               const sockaddr_in& address);

bool Raw(const Socket& listener, const ip::Endpoint&,
         const sockaddr_in& address) {
  return RawCycle(listener.fd(), address);
}

bool NetTcp(const Socket& listener, const ip::Endpoint& endpoint,
            const sockaddr_in&) {
  return NetTcpCycle(listener, endpoint);
}

void BM_Cycle(benchmark::State& state, CycleFunction cycle) {
  uint16_t port = 0;
  const absl::StatusOr<Socket> listener =
      tcp::Listen(ip::kLocalV4, 0, {tcp::PortAssignment{&port}});
  if (!listener.ok()) {
    state.SkipWithError(listener.status().ToString().c_str());
    return;
  }
  const ip::Endpoint endpoint{ip::kLocalV4, port};
  sockaddr_in address;
  std::memcpy(&address, ip::SockAddr(endpoint).get(), sizeof(address));
  for (auto _ : state) {
    if (!cycle(*listener, endpoint, address)) {
      state.SkipWithError("a system call failed");
      break;
    }
  }
}

BENCHMARK_CAPTURE(BM_Cycle, raw, &Raw);
BENCHMARK_CAPTURE(BM_Cycle, net_tcp, &NetTcp);

}  // namespace
}  // namespace net

int main(int argc, char** argv) {
  return net::RunRatioBenchmarks(argc, argv,
                                 {{"BM_Cycle/net_tcp", "BM_Cycle/raw"}});
}
