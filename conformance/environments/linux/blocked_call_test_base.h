#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_BLOCKED_CALL_TEST_BASE_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_BLOCKED_CALL_TEST_BASE_H_

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <future>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/environments/linux/blocked_call.h"
#include "conformance/loopback/loopback.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

// Sockets on which calls block, and threads that sleep in such calls.

namespace net::conformance {

inline constexpr SocketOperation kAllOperations[] = {
    SocketOperation::kAccept, SocketOperation::kConnect,
    SocketOperation::kReceive, SocketOperation::kSend};

// The two ends of a connection.
using Pair = std::pair<loopback::RawSocket, loopback::RawSocket>;

inline Pair Connect(const loopback::Listener& listener) {
  auto client = loopback::ConnectTo(DefaultSyscalls(), listener.endpoint());
  EXPECT_THAT(client, IsOk());
  EXPECT_THAT(listener.socket().Wait(POLLIN), IsOk());
  auto server = listener.Accept();
  EXPECT_THAT(server, IsOk());
  return {*std::move(client), *std::move(server)};
}

inline void MakeBlocking(int fd) {
  int off = 0;
  ASSERT_EQ(ioctl(fd, FIONBIO, &off), 0);
}

// Sockets on which every operation blocks for as long as necessary.
class BlockedCallTest : public testing::Test {
 protected:
  BlockedCallTest()
      : listener_(*loopback::ListenAnywhere(DefaultSyscalls(), AF_INET)),
        queue_(*loopback::FullQueue::Make(DefaultSyscalls(), AF_INET)),
        quiet_(Connect(listener_)),
        connecting_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
                    DefaultSyscalls()) {
    const ip::SockAddr address(queue_.endpoint());
    EXPECT_EQ(connect(unready(), address.get(), address.size()), -1);
    EXPECT_EQ(errno, EINPROGRESS);
    for (const int fd : {listener(), quiet(), unready()}) MakeBlocking(fd);
  }

  int listener() const { return listener_.socket().fd(); }
  // Nothing has arrived, so a receive blocks.
  int quiet() const { return quiet_.first.fd(); }
  int peer_of_quiet() const { return quiet_.second.fd(); }
  // A send blocks, because the connection is not established yet.
  int unready() const { return connecting_.fd(); }

  const BlockedCallReader reader_{getpid()};

 private:
  const loopback::Listener listener_;
  const loopback::FullQueue queue_;
  const Pair quiet_;
  const loopback::RawSocket connecting_;
};

using NamedCall = std::pair<const char*, std::function<void()>>;

// A thread that blocks in a system call until it is interrupted.
class Sleeper {
 public:
  explicit Sleeper(const std::function<void()>& body) {
    struct sigaction action = {};
    action.sa_handler = [](int) {};  // without SA_RESTART
    EXPECT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
    std::promise<pid_t> tid;
    thread_ = std::thread([&tid, body, this] {
      tid.set_value(gettid());
      body();
      ended_.set_value();
    });
    tid_ = tid.get_future().get();
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper() {
    auto ended = ended_.get_future();
    while (ended.wait_for(std::chrono::milliseconds(1)) !=
           std::future_status::ready) {
      pthread_kill(thread_.native_handle(), SIGUSR1);
    }
    thread_.join();
  }

  pid_t tid() const { return tid_; }

 private:
  std::promise<void> ended_;
  std::thread thread_;
  pid_t tid_ = 0;
};

// Waits until the thread sleeps in the call with this name. If it never does,
// the test times out.
inline BlockedCall AwaitSleep(const BlockedCallReader& reader, pid_t thread,
                              absl::string_view name) {
  while (true) {
    const auto call = reader.Read(thread);
    if (!call.ok()) {
      ADD_FAILURE() << call.status();
      return {};
    }
    // The thread may first have waited for a lock.
    if (call->has_value() && reader.IsStillBlocked(**call) &&
        absl::StrContains(absl::StrCat(Describe(**call), " "),
                          absl::StrCat(" sleeps in ", name, " "))) {
      return **call;
    }
    usleep(100);
  }
}

// Expects that the call can be this operation on this descriptor, and no other
// operation.
inline void ExpectOnly(const BlockedCall& call, SocketOperation operation,
                       int fd) {
  for (const SocketOperation one : kAllOperations) {
    EXPECT_EQ(call.CanBe(one, fd), one == operation)
        << Describe(call) << " as " << Describe(one, fd);
    EXPECT_FALSE(call.CanBe(one, fd + 1000));
  }
}

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_BLOCKED_CALL_TEST_BASE_H_
