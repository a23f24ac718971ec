// Measures a hand-over of the baton between two participants of a FakeKernel,
// in real time. Required median on an idle machine, with all participants on
// one processor:
//
//   one hand-over                                   at most 5 us
//
//   bazel run --config=opt //fakes:baton_benchmark

#include <atomic>
#include <cstdint>
#include <limits>

#include "benchmark/benchmark.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"

namespace net {
namespace {

// Two participants make calls that do nothing.
void BM_HandOver(benchmark::State& state) {
  FakeKernel kernel(
      {.schedule = {.calls_without_blocking = 1,
                    .pins_threads = state.range(0) != 0},
       // These calls would be a livelock.
       .hangs = {.calls_at_one_instant = std::numeric_limits<int64_t>::max()}});
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel, "main");
  std::atomic<bool> ends = false;
  FakeKernel::Thread other(kernel, "other", [&] {
    while (!ends) static_cast<void>(process.Poll(nullptr, 0, 0));
  });
  // The quota is one call, so each second call hands the baton on.
  for (auto _ : state) {
    static_cast<void>(process.Poll(nullptr, 0, 0));
    static_cast<void>(process.Poll(nullptr, 0, 0));
  }
  ends = true;
  // There and back.
  state.SetItemsProcessed(2 * state.iterations());
}

BENCHMARK(BM_HandOver)->ArgName("pinned")->Arg(1)->Arg(0)->UseRealTime();

// Two participants that block in turn: a byte goes there and back.
void BM_PingPong(benchmark::State& state) {
  FakeKernel kernel({.schedule = {.pins_threads = state.range(0) != 0}});
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel, "main");
  int there[2];
  int back[2];
  static_cast<void>(process.Pipe2(there, 0));
  static_cast<void>(process.Pipe2(back, 0));
  FakeKernel::Thread other(kernel, "other", [&] {
    char byte = 0;
    while (process.Read(there[0], &byte, 1).value() == 1) {
      static_cast<void>(process.Write(back[1], &byte, 1));
    }
  });
  char byte = 0;
  for (auto _ : state) {
    static_cast<void>(process.Write(there[1], &byte, 1));
    static_cast<void>(process.Read(back[0], &byte, 1));
  }
  static_cast<void>(process.Close(there[1]));
  state.SetItemsProcessed(2 * state.iterations());
}

BENCHMARK(BM_PingPong)->ArgName("pinned")->Arg(1)->Arg(0)->UseRealTime();

}  // namespace
}  // namespace net

BENCHMARK_MAIN();
