// The sample of docs/TESTING.md.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "gtest/gtest.h"

namespace {

// [sample]
TEST(Worker, StopsWhenItIsNotified) {
  net::FakeKernel kernel;
  const net::FakeKernel::Participant self(kernel, "main");
  std::mutex mutex;
  std::condition_variable changed;
  bool stop = false;
  net::FakeKernel::Thread worker(kernel, "worker", [&] {
    std::unique_lock<std::mutex> lock(mutex);
    while (!stop) changed.wait_for(lock, std::chrono::minutes(1));
  });

  std::this_thread::sleep_for(std::chrono::minutes(10));
  mutex.lock();
  stop = true;
  mutex.unlock();
  changed.notify_one();

  worker.Join();
  EXPECT_EQ(kernel.Now(), absl::Minutes(10));
}
// [/sample]

}  // namespace
