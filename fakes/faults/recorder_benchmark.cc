// Measures the cost of a Recorder: the same calls on a kernel that does
// nothing, with and without it.
//
//   bazel run --config=opt //fakes/faults:recorder_benchmark

#include <sys/socket.h>

#include <cstddef>
#include <memory>

#include "benchmark/benchmark.h"
#include "fakes/faults/recorder.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/ratio_benchmark.h"

namespace net {
namespace {

class NothingKernel final : public Syscalls {
 public:
  SysResult Close(int /*fd*/) override { return SysResult::Ok(); }
  SysResult Connect(int /*fd*/, const sockaddr* /*addr*/,
                    socklen_t /*len*/) override {
    return SysResult::Ok();
  }
  SysResult Send(int /*fd*/, const void* /*data*/, size_t size,
                 int /*flags*/) override {
    return SysResult::Ok(static_cast<int64_t>(size));
  }
};

// The calls are forgotten from time to time, so that memory does not grow
// without bounds, and the time of that counts.
constexpr int kMostCalls = 100'000;

template <typename Call>
void RunOn(Syscalls& kernel, Recorder* recorder, benchmark::State& state,
           Call call) {
  int calls = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(call(kernel));
    if (++calls % kMostCalls == 0 && recorder != nullptr) recorder->Clear();
  }
}

template <typename Call>
void RunPair(benchmark::State& state, bool is_recorded, Call call) {
  NothingKernel kernel;
  Recorder recorder(kernel);
  if (is_recorded) {
    RunOn(recorder, &recorder, state, call);
  } else {
    RunOn(kernel, nullptr, state, call);
  }
}

void BM_Close(benchmark::State& state, bool is_recorded) {
  RunPair(state, is_recorded, [](Syscalls& sys) { return sys.Close(3); });
}
BENCHMARK_CAPTURE(BM_Close, plain, false);
BENCHMARK_CAPTURE(BM_Close, recorded, true);

void BM_Connect(benchmark::State& state, bool is_recorded) {
  const ip::SockAddr address({ip::kLocalV4, 80});
  RunPair(state, is_recorded, [&](Syscalls& sys) {
    return sys.Connect(3, address.get(), address.size());
  });
}
BENCHMARK_CAPTURE(BM_Connect, plain, false);
BENCHMARK_CAPTURE(BM_Connect, recorded, true);

void BM_Send(benchmark::State& state, bool is_recorded) {
  const char data[64] = {};
  RunPair(state, is_recorded, [&](Syscalls& sys) {
    return sys.Send(3, data, sizeof(data), MSG_NOSIGNAL);
  });
}
BENCHMARK_CAPTURE(BM_Send, plain, false);
BENCHMARK_CAPTURE(BM_Send, recorded, true);

}  // namespace
}  // namespace net

int main(int argc, char** argv) {
  return net::RunRatioBenchmarks(argc, argv,
                                 {{"BM_Close/recorded", "BM_Close/plain"},
                                  {"BM_Connect/recorded", "BM_Connect/plain"},
                                  {"BM_Send/recorded", "BM_Send/plain"}});
}
