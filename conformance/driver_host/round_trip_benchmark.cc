// Measures the round trip of a command and its answer, on an open connection.
// The target on an idle machine is at most 150 us in Python.
//
//   bazel run --config=opt //conformance/driver_host:round_trip_benchmark

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "conformance/driver_host/driver.h"
#include "conformance/driver_host/driver_implementation.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/engine/runfiles.h"
#include "conformance/suite/implementation.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::conformance {
namespace {

// Returns the value of an operation that cannot fail here.
template <typename T>
T Must(const Result<T>& result) {
  if (!result.ok()) {
    std::cerr << "round_trip_benchmark: " << result << "\n";
    std::abort();
  }
  return *result;
}

void BM_PeerAddr(benchmark::State& state, const DriverCommand& command) {
  auto process = std::make_shared<DriverProcess>(command);
  const Channel channel = process->channel();
  auto driver = std::make_shared<Driver>(
      DriverLink{.channel = channel, .process = std::move(process)});
  auto sockets = std::make_shared<DriverSockets>(driver);
  const auto implementation =
      MakeDriverImplementation(sockets, [] { std::abort(); });

  const Handle listener =
      Must(implementation->Listen({ip::kLocalV4, 0}, ListenOptions{}));
  const ip::Endpoint at = Must(implementation->LocalAddr(listener));
  const Handle client = Must(implementation->Connect(at, ConnectOptions{}));
  for (auto _ : state) {
    if (Must(implementation->PeerAddr(client)) != at) {
      std::cerr << "round_trip_benchmark: this is not the peer\n";
      std::abort();
    }
  }
}

}  // namespace
}  // namespace net::conformance

int main(int argc, char** argv) {
  // Java's driver uses its standard input and output.
  for (const std::string language :
       {"python", "go", "node", "rust", "java", "net_tcp"}) {
    const auto program = net::conformance::FindRunfile(
        absl::StrCat("conformance/drivers/", language));
    if (!program.has_value()) {
      std::cout << language << ": not built, its toolchain is missing\n";
      continue;
    }
    const net::conformance::DriverCommand command = {
        .line = *program, .stdio = language == "java"};
    benchmark::RegisterBenchmark(absl::StrCat("BM_PeerAddr/", language).c_str(),
                                 [command](benchmark::State& state) {
                                   net::conformance::BM_PeerAddr(state,
                                                                 command);
                                 })
        ->Unit(benchmark::kMicrosecond)
        ->UseRealTime();
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  if (benchmark::RunSpecifiedBenchmarks() == 0) return 1;
}
