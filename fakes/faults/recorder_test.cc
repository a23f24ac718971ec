#include "fakes/faults/recorder.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "fakes/fake_kernel.h"
#include "fakes/faults/make_calls.h"
#include "fakes/faults/replayer.h"
#include "fakes/faults/trace.h"
#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"
#include "tcp/tcp.h"

namespace net {
namespace {

using ::testing::_;
using ::testing::HasSubstr;

TEST(Recorder, RecordsWhatACallReturns) {
  MockSyscalls target;
  Recorder recorder(target);
  char room[64];
  EXPECT_CALL(target, Recv(4, _, 64, 0)).WillOnce(FillsData("hello"));
  EXPECT_THAT(recorder.Recv(4, room, 64, 0), IsOkAndHolds(5));
  EXPECT_CALL(target, Close(4)).WillOnce(Fail(EIO));
  EXPECT_THAT(recorder.Close(4), IsErrno(EIO));
  EXPECT_EQ(recorder.recorded().ToString(),
            "trace 1\nrecv(4, \"hello\", 64, 0) = 5\nclose(4) = -1 EIO\n");
  recorder.Clear();
  EXPECT_EQ(recorder.recorded().ToString(), "trace 1\n");
}

TEST(Recorder, ClearForgetsMessages) {
  MockSyscalls target;
  Recorder recorder(target);
  EXPECT_CALL(target, SendMsg).WillRepeatedly(Succeed(1));
  char data[] = "a";
  iovec part = {.iov_base = data, .iov_len = 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  EXPECT_THAT(recorder.SendMsg(4, &message, 0), IsOk());
  recorder.Clear();
  data[0] = 'b';
  EXPECT_THAT(recorder.SendMsg(4, &message, 0), IsOk());
  EXPECT_THAT(recorder.recorded().ToString(), HasSubstr(R"(iov_base="b")"));
}

TEST(Recorder, CopiesWhatThePointersPointTo) {
  MockSyscalls target;
  Recorder recorder(target);
  EXPECT_CALL(target, Send).WillOnce(Succeed(5));
  EXPECT_CALL(target, SendMsg).WillOnce(Succeed(5));
  char data[] = "hello";
  iovec part = {.iov_base = data, .iov_len = 5};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  EXPECT_THAT(recorder.Send(4, data, 5, 0), IsOk());
  EXPECT_THAT(recorder.SendMsg(4, &message, 0), IsOk());
  data[0] = 'j';
  message.msg_iovlen = 0;
  EXPECT_EQ(recorder.recorded().ToString(),
            "trace 1\nsend(4, \"hello\", 5, 0) = 5\n"
            "sendmsg(4, {msg_name=NULL, msg_namelen=0, "
            "msg_iov=[{iov_base=\"hello\", iov_len=5}], msg_iovlen=1, "
            "msg_controllen=0, msg_flags=0}, 0) = 5\n");
}

TEST(Recorder, KeepsMoreThanABlockOfCalls) {
  MockSyscalls target;
  Recorder recorder(target);
  EXPECT_CALL(target, Close).WillRepeatedly(Succeed());
  EXPECT_CALL(target, Write).WillOnce(Succeed(100'000));
  const std::string data(100'000, 'x');
  constexpr int kCalls = 5000;
  for (int fd = 0; fd < kCalls; ++fd) {
    EXPECT_THAT(recorder.Close(fd), IsOk());
  }
  EXPECT_THAT(recorder.Write(4, data.data(), data.size()), IsOk());
  const Trace trace = recorder.recorded();
  ASSERT_EQ(trace.lines.size(), kCalls + 1u);
  for (int fd = 0; fd < kCalls; ++fd) {
    const Trace::Line& line = trace.lines[static_cast<size_t>(fd)];
    EXPECT_EQ(ToString(line.call), absl::StrCat("close(", fd, ") = 0"));
    EXPECT_EQ(line.number, fd + 2);
  }
  EXPECT_THAT(ToString(trace.lines.back().call), HasSubstr(data));
}

TEST(Recorder, NumbersThreadsFromOne) {
  MockSyscalls target;
  Recorder recorder(target);
  EXPECT_CALL(target, Close).WillRepeatedly(Succeed());
  std::thread([&] { EXPECT_THAT(recorder.Close(3), IsOk()); }).join();
  EXPECT_THAT(recorder.Close(4), IsOk());
  std::thread([&] { EXPECT_THAT(recorder.Close(5), IsOk()); }).join();
  EXPECT_EQ(recorder.recorded().ToString(),
            "trace 1\nclose(3) = 0\n[2] close(4) = 0\n[3] close(5) = 0\n");
}

TEST(Recorder, LosesNoCallOfSeveralThreads) {
  MockSyscalls target;
  Recorder recorder(target);
  EXPECT_CALL(target, Close).WillRepeatedly(Succeed());
  constexpr int kCalls = 2000;
  const auto close_often = [&] {
    for (int i = 0; i < kCalls; ++i) EXPECT_THAT(recorder.Close(i), IsOk());
  };
  std::thread other(close_often);
  close_often();
  other.join();
  int of_first = 0;
  for (const Trace::Line& line : recorder.recorded().lines) {
    if (line.call.thread == 1) {
      EXPECT_EQ(ToString(line.call),
                absl::StrCat("close(", of_first++, ") = 0"));
    }
  }
  EXPECT_EQ(of_first, kCalls);
}

// A program that makes and uses a connection to itself.
void Converse(Syscalls& sys) {
  uint16_t port = 0;
  const auto listener =
      tcp::Listen(ip::kLocalV4, 0, {tcp::PortAssignment{&port}}, sys);
  ASSERT_THAT(listener, IsOk());
  auto client = tcp::Connect(ip::kLocalV4, port, {}, sys);
  ASSERT_THAT(client, IsOk());
  const auto server = tcp::Accept(*listener);
  ASSERT_THAT(server, IsOk());
  EXPECT_EQ(tcp::PeerAddr(*server)->addr, ip::kLocalV4);
  EXPECT_THAT(client->Send("hello"), IsOkAndHolds(5u));
  char room[64];
  EXPECT_THAT(server->Recv(absl::MakeSpan(room)), IsOkAndHolds(5u));
  EXPECT_THAT(client->Close(), IsOk());
  EXPECT_THAT(server->Recv(absl::MakeSpan(room)), IsOkAndHolds(0u));
}

// Records Converse(), and plays the text of the trace to it and to MakeCalls().
void RecordAndReplay(Syscalls& sys) {
  Recorder recorder(sys);
  Converse(recorder);
  const absl::StatusOr<Trace> trace =
      ParseTrace(recorder.recorded().ToString());
  ASSERT_THAT(trace, IsOk());
  EXPECT_THAT(trace->ToString(), HasSubstr(R"(, "hello", 64, 0) = 5)"));
  Replayer kernel(*trace);
  Converse(kernel);
  EXPECT_THAT(kernel.Finish(), IsOk());
  Replayer again(*trace);
  EXPECT_THAT(MakeCalls(*trace, again), IsOk());
  EXPECT_THAT(again.Finish(), IsOk());
}

TEST(Recorder, IsReplayedFromTheFakeKernel) {
  FakeKernel kernel;
  RecordAndReplay(kernel.NewProcess());
}

TEST(Recorder, IsReplayedFromLinux) { RecordAndReplay(DefaultSyscalls()); }

}  // namespace
}  // namespace net
