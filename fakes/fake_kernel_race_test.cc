// ThreadSanitizer and the FakeKernel: a data race between two participants is
// reported although they never run at the same time; data that passes over a
// socket orders them.

#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_kernel_test_sockets.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/race_detector.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"
#include "tcp/socket.h"

namespace net {
namespace {

absl::StatusOr<size_t> ReceiveByte(const Socket& socket) {
  char byte = 0;
  return socket.Recv(absl::MakeSpan(&byte, 1));
}

// Two participants change a variable that nothing guards. Between the accesses
// are calls and hand-overs.
void RunWithARace() {
  FakeKernel kernel({.schedule = {.calls_without_blocking = 1}});
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  int shared = 0;
  const auto body = [&] {
    for (int i = 0; i < 10; ++i) {
      ++shared;
      static_cast<void>(process.Poll(nullptr, 0, 0));
      static_cast<void>(process.Poll(nullptr, 0, 1));
    }
  };
  FakeKernel::Thread one(kernel, "one", body);
  FakeKernel::Thread two(kernel, "two", body);
  one.Join();
  two.Join();
}

// The two receive into one buffer.
void RunWithARaceOnABuffer() {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  const Connected both = ConnectProcesses(process, process);
  char byte = 0;
  FakeKernel::Thread one(kernel, "one", [&] {
    static_cast<void>(both.client.Recv(absl::MakeSpan(&byte, 1)));
  });
  FakeKernel::Thread two(kernel, "two", [&] {
    static_cast<void>(both.server.Recv(absl::MakeSpan(&byte, 1)));
  });
  static_cast<void>(both.client.Send("x"));
  static_cast<void>(both.server.Send("x"));
  one.Join();
  two.Join();
}

class FakeKernelRaceDeathTest : public testing::Test {
 protected:
  void SetUp() override {
#ifndef NET_FAKE_THREAD_SANITIZER
    GTEST_SKIP() << "needs ThreadSanitizer: bazel test --config=tsan";
#endif
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }

  static void ExpectRace(void (*run)()) {
    // ThreadSanitizer's exit code where it has reported something.
    EXPECT_EXIT(
        {
          run();
          std::exit(0);
        },
        testing::ExitedWithCode(66), "WARNING: ThreadSanitizer: data race");
  }
};

TEST_F(FakeKernelRaceDeathTest, ARaceIsReported) { ExpectRace(&RunWithARace); }

TEST_F(FakeKernelRaceDeathTest, ARaceOnABufferIsReported) {
  ExpectRace(&RunWithARaceOnABuffer);
}

// These must not be reported. The program itself runs under ThreadSanitizer.

TEST(FakeKernelRace, ASentByteOrdersTwoThreads) {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  const Connected both = ConnectProcesses(process, process);
  int shared = 0;
  FakeKernel::Thread writer(kernel, "writer", [&] {
    shared = 1;
    EXPECT_THAT(both.client.Send("x"), IsOk());
  });
  FakeKernel::Thread reader(kernel, "reader", [&] {
    EXPECT_THAT(ReceiveByte(both.server), IsOkAndHolds(1U));
    EXPECT_EQ(shared, 1);
  });
  writer.Join();
  reader.Join();
}

TEST(FakeKernelRace, AConnectionOrdersTwoThreads) {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  const Socket listener = ListenLocally(process);
  int shared = 0;
  FakeKernel::Thread client(kernel, "client", [&] {
    shared = 1;
    const Socket socket = ConnectLocally(process);
  });
  FakeKernel::Thread server(kernel, "server", [&] {
    EXPECT_THAT(tcp::Accept(listener), IsOk());
    EXPECT_EQ(shared, 1);
  });
  client.Join();
  server.Join();
}

TEST(FakeKernelRace, AwaitBlockedOrdersTwoThreads) {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  int shared = 0;
  FakeKernel::Thread thread(kernel, "thread", [&] {
    shared = 1;
    EXPECT_THAT(process.Poll(nullptr, 0, -1), IsErrno(EINTR));
    EXPECT_EQ(shared, 2);
  });
  ASSERT_TRUE(thread.AwaitBlocked());
  EXPECT_EQ(shared, 1);
  shared = 2;
  EXPECT_TRUE(thread.Interrupt());
  thread.Join();
}

}  // namespace
}  // namespace net
