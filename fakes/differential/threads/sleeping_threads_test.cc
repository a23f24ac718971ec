#include "fakes/differential/threads/sleeping_threads.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace net::differential {
namespace {

// Waits until the thread sleeps, and returns how often it had a processor.
std::string AwaitSleep(const SleepReader& reader) {
  for (;;) {
    const std::optional<std::string> first = reader.Sleeps();
    if (first.has_value() && first == reader.Sleeps()) return *first;
    std::this_thread::yield();
  }
}

TEST(SleepReaderTest, AThreadThatHasRunSinceHasAnotherNumber) {
  std::array<int, 2> pipe_ends = {};
  std::array<int, 2> reply_ends = {};
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  ASSERT_EQ(pipe(reply_ends.data()), 0);
  std::atomic<pid_t> id = 0;
  std::thread sleeper([&] {
    id = gettid();
    id.notify_one();
    char byte = 0;
    while (read(pipe_ends[0], &byte, 1) == 1) {
      EXPECT_EQ(write(reply_ends[1], &byte, 1), 1);
    }
  });
  id.wait(0);
  {
    const absl::StatusOr<SleepReader> reader = SleepReader::Open(id);
    ASSERT_TRUE(reader.ok()) << reader.status();
    const std::string before = AwaitSleep(*reader);
    EXPECT_EQ(AwaitSleep(*reader), before);
    char byte = 0;
    EXPECT_EQ(write(pipe_ends[1], &byte, 1), 1);
    EXPECT_EQ(read(reply_ends[0], &byte, 1), 1);
    EXPECT_NE(AwaitSleep(*reader), before);
  }
  close(pipe_ends[1]);
  sleeper.join();
  for (const int fd : {pipe_ends[0], reply_ends[0], reply_ends[1]}) close(fd);
}

}  // namespace
}  // namespace net::differential
