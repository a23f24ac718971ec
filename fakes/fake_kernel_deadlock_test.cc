// Tests of a FakeKernel with no event left: its behaviour, and its report.

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <ctime>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_kernel_test_sockets.h"
#include "fakes/fake_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::StartsWith;

TEST(FakeKernelDeadlock, ReportsWaitingThreadsAndSockets) {
  FakeKernel kernel;
  kernel.ExpectDeadlock();
  FakeProcess& process = kernel.NewProcess({.name = "server"});
  const FakeKernel::Participant self(kernel, "main");
  const Socket listener = ListenLocally(process);

  EXPECT_THAT(tcp::Accept(listener), IsErrno(EDEADLK));
  EXPECT_EQ(kernel.Deadlock().value_or("none"),
            "deadlock: every thread that takes part waits\n"
            "  main: waits in accept4(3) of process server\n"
            "State      Recv-Q Send-Q  Local                        Peer\n"
            "LISTEN          0     10  127.0.0.1:8080               *\n");
}

TEST(FakeKernelDeadlock, ReportsAllThreadsAndEndsAllCalls) {
  FakeKernel kernel;
  kernel.ExpectDeadlock();
  FakeProcess& client = kernel.NewProcess({.name = "client"});
  FakeProcess& server = kernel.NewProcess({.name = "server"});
  const Connected both = ConnectProcesses(client, server);
  absl::StatusOr<size_t> received_by_client;
  absl::StatusOr<size_t> received_by_server;
  const auto receive = [](const Socket& socket) {
    char byte = 0;
    return socket.Recv(absl::MakeSpan(&byte, 1));
  };
  {
    const FakeKernel::Participant self(kernel, "main");
    FakeKernel::Thread one(kernel, "one",
                           [&] { received_by_client = receive(both.client); });
    FakeKernel::Thread two(kernel, "two",
                           [&] { received_by_server = receive(both.server); });
    one.Join();
  }
  EXPECT_THAT(received_by_client, IsErrno(EDEADLK));
  EXPECT_THAT(received_by_server, IsErrno(EDEADLK));
  EXPECT_THAT(kernel.Deadlock(),
              Optional(AllOf(HasSubstr("  main: waits in join()\n"),
                             HasSubstr("  one: waits in recv(3) of process "
                                       "client\n"),
                             HasSubstr("  two: waits in recv(4) of process "
                                       "server\n"))));
}

// Something else than a participant may still end the wait.
TEST(FakeKernelDeadlock, IsDeclaredAfterTheRealTimeOfItsLimit) {
  for (const absl::Duration limit : {absl::Hours(1), absl::Milliseconds(1)}) {
    FakeKernelOptions options;
    options.hangs.deadlock = limit;
    FakeKernel kernel(options);
    kernel.ExpectDeadlock();
    FakeProcess& process = kernel.NewProcess();
    const Connected both = ConnectProcesses(process, process);
    SysResult received;
    FakeKernel::Thread receiver(kernel, "receiver", [&] {
      char byte = 0;
      received = process.Recv(both.server.fd(), &byte, 1, 0);
    });
    if (limit > absl::Seconds(1)) {
      ASSERT_TRUE(receiver.AwaitBlocked());
      EXPECT_TRUE(receiver.Interrupt());
      receiver.Join();
      EXPECT_EQ(received, SysResult::Error(EINTR));
    } else {
      receiver.Join();
      EXPECT_EQ(received, SysResult::Error(EDEADLK));
    }
  }
}

// A call that would return the part that it has only on an event: on Linux it
// blocks for ever.
TEST(FakeKernelDeadlock, EndsACallThatHasAPart) {
  for (const bool sends : {false, true}) {
    FakeKernel kernel;
    kernel.ExpectDeadlock();
    FakeProcess& process = kernel.NewProcess();
    const FakeKernel::Participant self(kernel);
    const Connected both = ConnectProcesses(process, process);
    std::string much(16 << 20, 'x');
    if (sends) {
      EXPECT_THAT(process.Send(both.client.fd(), much.data(), much.size(), 0),
                  IsErrno(EDEADLK));
    } else {
      ASSERT_THAT(both.server.Send("0123456789"), IsOk());
      EXPECT_THAT(process.Recv(both.client.fd(), much.data(), 20, MSG_WAITALL),
                  IsErrno(EDEADLK));
    }
    EXPECT_NE(kernel.Deadlock(), std::nullopt);
  }
}

// On Linux it would block for ever: nothing wakes it to find that the number is
// not open any more.
TEST(FakeKernelDeadlock, EndsAPollWhoseDescriptorWasClosed) {
  FakeKernel kernel;
  kernel.ExpectDeadlock();
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  const Connected both = ConnectProcesses(process, process);
  FakeKernel::Thread poller(kernel, "poller", [&] {
    pollfd entry = {.fd = both.client.fd(), .events = POLLIN, .revents = 0};
    EXPECT_THAT(process.Poll(&entry, 1, /*timeout_ms=*/-1), IsErrno(EDEADLK));
  });
  ASSERT_TRUE(poller.AwaitBlocked());
  // The socket's destructor closes it again.
  const SysResult copy = process.Dup(both.client.fd());
  ASSERT_THAT(process.Close(both.client.fd()), IsOk());
  poller.Join();
  EXPECT_THAT(process.Dup3(copy.fd(), both.client.fd(), 0), IsOk());
  EXPECT_THAT(process.Close(copy.fd()), IsOk());
}

TEST(FakeKernelDeadlock, LaterBlockingCallsFailToo) {
  FakeKernel kernel;
  kernel.ExpectDeadlock();
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  const Connected both = ConnectProcesses(process, process);
  char byte = 0;
  ASSERT_THAT(both.client.Recv(absl::MakeSpan(&byte, 1)), IsErrno(EDEADLK));
  const absl::Duration now = kernel.Now();
  const std::string report = kernel.Deadlock().value();

  EXPECT_THAT(both.server.Recv(absl::MakeSpan(&byte, 1)), IsErrno(EDEADLK));
  EXPECT_THAT(tcp::Accept(both.listener), IsErrno(EDEADLK));
  EXPECT_THAT(process.Poll(nullptr, 0, 1000), IsErrno(EDEADLK));
  const timespec second = {.tv_sec = 1, .tv_nsec = 0};
  EXPECT_THAT(process.NanoSleep(&second, nullptr), IsErrno(EDEADLK));
  EXPECT_EQ(kernel.Now(), now);
  EXPECT_EQ(kernel.Deadlock(), report) << "the first one stays";

  // Calls that do not block still work, so that a test can clean up.
  EXPECT_THAT(both.server.Send("x"), IsOkAndHolds(1U));
  EXPECT_THAT(both.client.Recv(absl::MakeSpan(&byte, 1)), IsOkAndHolds(1U));
}

TEST(FakeKernelDeadlock, IsNoneWhereATimeoutIsStillToCome) {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  EXPECT_THAT(process.Poll(nullptr, 0, 1000), IsOkAndHolds(0));
  EXPECT_EQ(kernel.Now(), absl::Seconds(1));
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
}

TEST(FakeKernelDeadlock, IsNoneWhileAThreadThatTakesPartRuns) {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  const Socket listener = ListenLocally(process);
  absl::StatusOr<Socket> accepted;
  FakeKernel::Thread thread(kernel, "acceptor",
                            [&] { accepted = tcp::Accept(listener); });
  ASSERT_TRUE(thread.AwaitBlocked());
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
  const Socket client = ConnectLocally(process);
  thread.Join();
  EXPECT_THAT(accepted, IsOk());
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
}

TEST(FakeKernelDeadlock, ComesWhenTheLastOneThatRanIsGone) {
  FakeKernel kernel;
  kernel.ExpectDeadlock();
  FakeProcess& process = kernel.NewProcess();
  const Socket listener = ListenLocally(process);
  absl::StatusOr<Socket> accepted;
  {
    // Constructed before the thread, which otherwise would be the only
    // participant.
    std::optional<FakeKernel::Participant> self(std::in_place, kernel);
    FakeKernel::Thread thread(kernel, "acceptor",
                              [&] { accepted = tcp::Accept(listener); });
    ASSERT_TRUE(thread.AwaitBlocked());
    ASSERT_EQ(kernel.Deadlock(), std::nullopt);
    self.reset();
    EXPECT_THAT(kernel.Deadlock(), Optional(StartsWith("deadlock: ")));
  }
  EXPECT_THAT(accepted, IsErrno(EDEADLK));
}

}  // namespace
}  // namespace net
