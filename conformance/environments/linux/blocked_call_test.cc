// Tests with threads that really sleep.

#include "conformance/environments/linux/blocked_call.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "conformance/environments/linux/blocked_call_test_base.h"
#include "conformance/loopback/loopback.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sandbox/capabilities.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::RawSocket;
using testing::HasSubstr;
using enum SocketOperation;

TEST_F(BlockedCallTest, ReceivesOfEachKind) {
  std::array<char, 1> byte;
  iovec piece = {.iov_base = byte.data(), .iov_len = byte.size()};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  const NamedCall calls[] = {
      {"recvfrom", [&] { (void)recv(quiet(), byte.data(), 1, 0); }},
      {"recvmsg", [&] { (void)recvmsg(quiet(), &message, 0); }},
      {"read", [&] { (void)!read(quiet(), byte.data(), 1); }},
      {"readv", [&] { (void)!readv(quiet(), &piece, 1); }},
  };
  for (const auto& [name, body] : calls) {
    const Sleeper sleeper(body);
    const BlockedCall call = AwaitSleep(reader_, sleeper.tid(), name);
    ExpectOnly(call, kReceive, quiet());
    EXPECT_EQ(Describe(call),
              absl::StrCat("thread ", sleeper.tid(), " sleeps in ", name,
                           " on descriptor ", quiet()));
  }
}

TEST_F(BlockedCallTest, SendsOfEachKind) {
  std::array<char, 1> byte = {'#'};
  iovec piece = {.iov_base = byte.data(), .iov_len = byte.size()};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  const NamedCall calls[] = {
      {"sendto", [&] { (void)send(unready(), byte.data(), 1, 0); }},
      {"sendmsg", [&] { (void)sendmsg(unready(), &message, 0); }},
      {"write", [&] { (void)!write(unready(), byte.data(), 1); }},
      {"writev", [&] { (void)!writev(unready(), &piece, 1); }},
  };
  for (const auto& [name, body] : calls) {
    const Sleeper sleeper(body);
    ExpectOnly(AwaitSleep(reader_, sleeper.tid(), name), kSend, unready());
  }
}

TEST_F(BlockedCallTest, Accepts) {
  const NamedCall calls[] = {
      {"accept", [&] { accept(listener(), nullptr, nullptr); }},
      {"accept4",
       [&] { accept4(listener(), nullptr, nullptr, SOCK_CLOEXEC); }}};
  for (const auto& [name, body] : calls) {
    const Sleeper sleeper(body);
    ExpectOnly(AwaitSleep(reader_, sleeper.tid(), name), kAccept, listener());
  }
}

TEST_F(BlockedCallTest, Connects) {
  const auto queue = loopback::FullQueue::Make(DefaultSyscalls(), AF_INET);
  ASSERT_TRUE(queue.ok()) << queue.status();
  const ip::SockAddr address(queue->endpoint());
  const RawSocket client(socket(AF_INET, SOCK_STREAM, 0), DefaultSyscalls());
  const Sleeper sleeper(
      [&] { connect(client.fd(), address.get(), address.size()); });
  ExpectOnly(AwaitSleep(reader_, sleeper.tid(), "connect"), kConnect,
             client.fd());
}

TEST_F(BlockedCallTest, SetsOfPoll) {
  const NamedCall calls[] = {
      {"poll",
       [&] {
         pollfd set[] = {{.fd = -1, .events = POLLIN, .revents = 0},
                         {.fd = unready(), .events = POLLOUT, .revents = 0},
                         {.fd = quiet(), .events = POLLIN, .revents = 0}};
         poll(set, 3, -1);
       }},
      {"ppoll", [&] {
         pollfd set[] = {{.fd = unready(), .events = POLLOUT, .revents = 0},
                         {.fd = quiet(), .events = POLLIN, .revents = 0}};
         ppoll(set, 2, nullptr, nullptr);
       }}};
  for (const auto& [name, body] : calls) {
    const Sleeper sleeper(body);
    const BlockedCall call = AwaitSleep(reader_, sleeper.tid(), name);
    EXPECT_TRUE(call.CanBe(kReceive, quiet()));
    EXPECT_FALSE(call.CanBe(kSend, quiet()));
    EXPECT_TRUE(call.CanBe(kSend, unready()));
    EXPECT_TRUE(call.CanBe(kConnect, unready()));
    EXPECT_FALSE(call.CanBe(kAccept, unready()));
    EXPECT_FALSE(call.CanBe(kAccept, listener()));
    EXPECT_EQ(call.awaited.size(), 2);
  }
}

TEST_F(BlockedCallTest, SetsOfSelect) {
  const auto fill = [&](fd_set& to_read, fd_set& to_write) {
    FD_ZERO(&to_read);
    FD_ZERO(&to_write);
    FD_SET(listener(), &to_read);
    FD_SET(unready(), &to_write);
  };
  const NamedCall calls[] = {
      {"select",
       [&] {
         fd_set to_read;
         fd_set to_write;
         fill(to_read, to_write);
         // Called directly, because glibc's select() calls pselect6.
         syscall(SYS_select, FD_SETSIZE, &to_read, &to_write, nullptr, nullptr);
       }},
      {"pselect6", [&] {
         fd_set to_read;
         fd_set to_write;
         fill(to_read, to_write);
         pselect(unready() + 1, &to_read, &to_write, nullptr, nullptr, nullptr);
       }}};
  for (const auto& [name, body] : calls) {
    const Sleeper sleeper(body);
    const BlockedCall call = AwaitSleep(reader_, sleeper.tid(), name);
    EXPECT_TRUE(call.CanBe(kAccept, listener()));
    EXPECT_FALSE(call.CanBe(kSend, listener()));
    EXPECT_TRUE(call.CanBe(kSend, unready()));
    EXPECT_FALSE(call.CanBe(kReceive, unready()));
    EXPECT_FALSE(call.CanBe(kReceive, quiet()));
  }
}

TEST_F(BlockedCallTest, SplicesAndSendfilesToPipesWaitForOneEnd) {
  std::array<int, 2> ends = {};
  ASSERT_EQ(pipe(ends.data()), 0);
  const loopback::RawSocket read_end(ends[0], DefaultSyscalls());
  const loopback::RawSocket write_end(ends[1], DefaultSyscalls());
  const auto splice_to = [](int from, int to) {
    (void)!splice(from, nullptr, to, nullptr, 1, 0);
  };
  {
    const Sleeper sleeper([&] { splice_to(quiet(), write_end.fd()); });
    const BlockedCall call = AwaitSleep(reader_, sleeper.tid(), "splice");
    EXPECT_TRUE(call.CanBe(kReceive, quiet()));
    EXPECT_FALSE(call.CanBe(kSend, quiet()));
    EXPECT_THAT(Describe(call),
                HasSubstr(absl::StrCat("on descriptor ", quiet())));
  }
  {
    const Sleeper sleeper([&] { splice_to(read_end.fd(), unready()); });
    const BlockedCall call = AwaitSleep(reader_, sleeper.tid(), "splice");
    EXPECT_FALSE(call.CanBe(kSend, unready())) << "The pipe is empty.";
  }
  {
    const Sleeper sleeper([&] {
      (void)!sendfile(write_end.fd(), quiet(), /*offset=*/nullptr, 1);
    });
    const BlockedCall call = AwaitSleep(reader_, sleeper.tid(), "sendfile");
    EXPECT_TRUE(call.CanBe(kReceive, quiet()));
    EXPECT_FALSE(call.CanBe(kSend, quiet()));
  }
  ASSERT_EQ(write(write_end.fd(), "x", 1), 1);
  const Sleeper sleeper([&] { splice_to(read_end.fd(), unready()); });
  const BlockedCall call = AwaitSleep(reader_, sleeper.tid(), "splice");
  EXPECT_TRUE(call.CanBe(kSend, unready()));
  EXPECT_FALSE(call.CanBe(kReceive, unready()));
}

void AddTo(int epoll, int fd, uint32_t events) {
  epoll_event event = {.events = events, .data = {.fd = fd}};
  ASSERT_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
}

void WaitOn(int epoll) {
  epoll_event event;
  epoll_wait(epoll, &event, 1, -1);
}

TEST_F(BlockedCallTest, SetsOfEpoll) {
  const RawSocket epoll(epoll_create1(0), DefaultSyscalls());
  AddTo(epoll.fd(), quiet(), EPOLLIN | EPOLLRDHUP | EPOLLET);
  AddTo(epoll.fd(), unready(), EPOLLOUT);
  AddTo(epoll.fd(), listener(), 0);
  const NamedCall calls[] = {{"epoll_wait", [&] { WaitOn(epoll.fd()); }},
                             {"epoll_pwait", [&] {
                                epoll_event event;
                                sigset_t none;
                                sigemptyset(&none);
                                epoll_pwait(epoll.fd(), &event, 1, -1, &none);
                              }}};
  for (const auto& [name, body] : calls) {
    const Sleeper sleeper(body);
    const BlockedCall call = AwaitSleep(reader_, sleeper.tid(), name);
    EXPECT_TRUE(call.CanBe(kReceive, quiet()));
    EXPECT_FALSE(call.CanBe(kSend, quiet()));
    EXPECT_TRUE(call.CanBe(kSend, unready()));
    EXPECT_FALSE(call.CanBe(kAccept, listener())) << "without EPOLLIN";
  }
}

TEST_F(BlockedCallTest, SetsOfEpollInEachOther) {
  const RawSocket inner(epoll_create1(0), DefaultSyscalls());
  const RawSocket middle(epoll_create1(0), DefaultSyscalls());
  const RawSocket outer(epoll_create1(0), DefaultSyscalls());
  AddTo(inner.fd(), quiet(), EPOLLIN);
  AddTo(middle.fd(), inner.fd(), EPOLLIN);
  AddTo(outer.fd(), middle.fd(), EPOLLIN);
  const NamedCall calls[] = {
      {"epoll_wait", [&] { WaitOn(outer.fd()); }},
      {"poll", [&] {
         pollfd one = {.fd = outer.fd(), .events = POLLIN, .revents = 0};
         poll(&one, 1, -1);
       }}};
  for (const auto& [name, body] : calls) {
    const Sleeper sleeper(body);
    const BlockedCall call = AwaitSleep(reader_, sleeper.tid(), name);
    EXPECT_TRUE(call.CanBe(kReceive, quiet()));
    EXPECT_FALSE(call.CanBe(kSend, quiet()));
    EXPECT_FALSE(call.CanBe(kReceive, middle.fd()));
  }
}

TEST_F(BlockedCallTest, ASocketThatTookAnothersNumberIsNotInTheSet) {
  const RawSocket epoll(epoll_create1(0), DefaultSyscalls());
  const RawSocket number(dup(peer_of_quiet()), DefaultSyscalls());
  AddTo(epoll.fd(), number.fd(), EPOLLIN);
  ASSERT_EQ(dup2(listener(), number.fd()), number.fd());
  const Sleeper sleeper([&] { WaitOn(epoll.fd()); });
  const BlockedCall call = AwaitSleep(reader_, sleeper.tid(), "epoll_wait");
  EXPECT_FALSE(call.CanBe(kAccept, number.fd()));
}

TEST_F(BlockedCallTest, ALockIsNoOperation) {
  std::mutex mutex;
  mutex.lock();
  std::promise<pid_t> tid;
  std::thread thread([&] {
    tid.set_value(gettid());
    const std::lock_guard lock(mutex);
  });
  const pid_t thread_id = tid.get_future().get();
  const BlockedCall call = AwaitSleep(reader_, thread_id, "futex");
  for (const SocketOperation one : kAllOperations) {
    EXPECT_FALSE(call.CanBe(one, quiet()));
  }
  EXPECT_EQ(Describe(call),
            absl::StrCat("thread ", thread_id, " sleeps in futex"));
  mutex.unlock();
  thread.join();
}

TEST_F(BlockedCallTest, ATimeIsNoOperation) {
  const Sleeper sleeper([] {
    const timespec long_time = {.tv_sec = 1000, .tv_nsec = 0};
    nanosleep(&long_time, nullptr);
  });
  const BlockedCall call =
      AwaitSleep(reader_, sleeper.tid(), "clock_nanosleep");
  EXPECT_FALSE(call.CanBe(kReceive, quiet()));
  EXPECT_THAT(Describe(call), HasSubstr("nanosleep"));
}

TEST_F(BlockedCallTest, AChannelIsNotTheSocketThatIsMeant) {
  std::array<int, 2> ends = {};
  ASSERT_EQ(pipe(ends.data()), 0);
  const RawSocket commands(ends[0], DefaultSyscalls());
  const RawSocket other_end(ends[1], DefaultSyscalls());
  char byte = 0;
  const Sleeper sleeper([&] { (void)!read(commands.fd(), &byte, 1); });
  const BlockedCall call = AwaitSleep(reader_, sleeper.tid(), "read");
  EXPECT_FALSE(call.CanBe(kReceive, quiet()));
  EXPECT_FALSE(call.CanBe(kAccept, listener()));
  EXPECT_FALSE(reader_.IsSocket(commands.fd()));
  EXPECT_TRUE(reader_.IsSocket(quiet()));
}

TEST_F(BlockedCallTest, AThreadThatWokeIsNotStillBlocked) {
  std::array<char, 1> byte;
  const Sleeper sleeper([&] {
    while (recv(quiet(), byte.data(), 1, 0) == 1) {
    }
  });
  const BlockedCall before = AwaitSleep(reader_, sleeper.tid(), "recvfrom");
  EXPECT_FALSE(reader_.IsReady(quiet(), POLLIN));
  ASSERT_EQ(send(peer_of_quiet(), "x", 1, 0), 1);
  // The thread has not run yet, and the socket is ready; or it has run, and
  // sleeps again.
  EXPECT_FALSE(reader_.IsStillBlocked(before));
  const BlockedCall after = AwaitSleep(reader_, sleeper.tid(), "recvfrom");
  EXPECT_GT(after.times_slept, before.times_slept);
}

// Installs a filter in the calling thread that traps accept4(2). Returns its
// listener, or -1.
int TrapAccept4() {
  std::array<sock_filter, 4> code = {
      {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
       BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_accept4, 0, 1),
       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
  const sock_fprog program = {.len = code.size(), .filter = code.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                  SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

// The listener is empty, so an accept4(2) that had begun would block. Each
// round looks at a thread that has just fallen asleep.
TEST_F(BlockedCallTest, ATrappedCallIsNotBlocked) {
  constexpr int kRounds = 2000;
  std::promise<std::pair<pid_t, int>> started;
  std::thread thread([&] {
    started.set_value({gettid(), TrapAccept4()});
    while (accept4(listener(), nullptr, nullptr, 0) >= 0 || errno == EAGAIN) {
    }
  });
  const auto [tid, trap] = started.get_future().get();
  int blocked = 0;
  for (int i = 0; i <= kRounds && trap >= 0; ++i) {
    seccomp_notif call = {};
    ASSERT_EQ(ioctl(trap, SECCOMP_IOCTL_NOTIF_RECV, &call), 0);
    const auto read = reader_.Read(tid);
    ASSERT_THAT(read, IsOk());
    if (read->has_value() && reader_.IsStillBlocked(**read)) ++blocked;
    seccomp_notif_resp reply = {
        .id = call.id, .val = 0, .error = i < kRounds ? -EAGAIN : -EBADF};
    ASSERT_EQ(ioctl(trap, SECCOMP_IOCTL_NOTIF_SEND, &reply), 0);
  }
  thread.join();
  if (trap < 0) GTEST_SKIP() << "this process may not trap its system calls";
  close(trap);
  EXPECT_EQ(blocked, 0);
}

// The kernel wakes no thread twice for an edge, and no MSG_WAITALL for a part.
TEST_F(BlockedCallTest, ASocketThatIsReadyMayWakeNobody) {
  const RawSocket epoll(epoll_create1(0), DefaultSyscalls());
  AddTo(epoll.fd(), quiet(), EPOLLIN | EPOLLET);
  ASSERT_EQ(send(peer_of_quiet(), "x", 1, 0), 1);
  epoll_event event;
  ASSERT_EQ(epoll_wait(epoll.fd(), &event, 1, -1), 1);
  {
    const Sleeper sleeper([&] { WaitOn(epoll.fd()); });
    EXPECT_TRUE(AwaitSleep(reader_, sleeper.tid(), "epoll_wait")
                    .CanBe(kReceive, quiet()));
  }
  const Sleeper sleeper([&] {
    std::array<char, 2> two;
    recv(quiet(), two.data(), two.size(), MSG_WAITALL | MSG_PEEK);
  });
  ExpectOnly(AwaitSleep(reader_, sleeper.tid(), "recvfrom"), kReceive, quiet());
}

TEST_F(BlockedCallTest, AnotherProcess) {
  const RawSocket epoll(epoll_create1(0), DefaultSyscalls());
  AddTo(epoll.fd(), listener(), EPOLLIN);
  const auto child = sandbox::WatchedChild::Start([&](int) {
    pollfd set[] = {{.fd = epoll.fd(), .events = POLLIN, .revents = 0},
                    {.fd = unready(), .events = POLLOUT, .revents = 0}};
    poll(set, 2, -1);
  });
  ASSERT_THAT(child, IsOk());
  const pid_t pid = child->pid();
  const BlockedCallReader reader(pid);
#if defined(ABSL_HAVE_THREAD_SANITIZER)
  // ThreadSanitizer adds a thread to the process.
  EXPECT_THAT(reader.Threads(), testing::Contains(pid));
#else
  EXPECT_THAT(reader.Threads(), testing::ElementsAre(pid));
#endif
  const BlockedCall call = AwaitSleep(reader, pid, "poll");
  EXPECT_TRUE(call.CanBe(kAccept, listener()));
  EXPECT_TRUE(call.CanBe(kSend, unready()));
  EXPECT_FALSE(call.CanBe(kReceive, unready()));
}

// Returns the error of reading what `process` sleeps in, without permission to
// trace it.
std::string ReadWithoutCapabilities(pid_t process) {
  EXPECT_THAT(sandbox::DropCapabilities(), IsOk());
  const BlockedCallReader reader(process);
  while (true) {
    const auto call = reader.Read(process);
    if (call.ok() && !call->has_value()) continue;  // still running
    return std::string(call.status().message());
  }
}

TEST_F(BlockedCallTest, AProcessThatMayNotBeTracedFailsWithTheReason) {
  const auto sleeping = sandbox::WatchedChild::Start([this](int) {
    prctl(PR_SET_DUMPABLE, 0);
    while (true) accept(listener(), nullptr, nullptr);
  });
  ASSERT_THAT(sleeping, IsOk());
  EXPECT_THAT(sandbox::RunInChild(
                  [&] { return ReadWithoutCapabilities(sleeping->pid()); }),
              IsOkAndHolds(HasSubstr("/syscall")));
}

TEST_F(BlockedCallTest, AThreadThatRunsOrIsGoneSleepsInNothing) {
  EXPECT_EQ(reader_.Read(gettid())->has_value(), false);
  pid_t gone = 0;
  std::thread([&] { gone = gettid(); }).join();
  const auto call = reader_.Read(gone);
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->has_value(), false);
}

}  // namespace
}  // namespace net::conformance
