// Several processes: fork(2) with an open listener, and the exit of a process
// whose call is blocked.

#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Bind;
using loopback::ConnectTo;
using loopback::FullQueue;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;
using loopback::RecvExactly;
using loopback::RecvUntilEof;
using testing::Not;

using Body = std::function<void(Syscalls& sys)>;

// Returns what a process does that sends a byte on each of `count` connections
// that it accepts.
Body Serve(const Listener& listener, int count) {
  return [fd = listener.socket().fd(), count](Syscalls& sys) {
    for (int i = 0; i < count; ++i) {
      const SysResult accepted = sys.Accept4(fd, nullptr, nullptr, 0);
      if (!accepted.ok()) return;
      static_cast<void>(sys.Send(accepted.fd(), "c", 1, MSG_NOSIGNAL));
    }
  };
}

Body Receive(const RawSocket& socket) {
  return [fd = socket.fd()](Syscalls& sys) {
    char byte = 0;
    static_cast<void>(sys.Recv(fd, &byte, 1, 0));
  };
}

// ---- fork(2) with an open listener ------------------------------------------

void OneQueue(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  const std::unique_ptr<ChildProcess> child = c.env().Fork(Serve(listener, 1));
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       ConnectTo(c.sys(), listener.endpoint()));
  EXPECT_THAT(RecvUntilEof(first), IsOkAndHolds("c"));
  child->Join();
  ASSERT_OK_AND_ASSIGN(const RawSocket second,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, Accept(listener.socket()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint from, second.LocalEndpoint());
  EXPECT_THAT(server.PeerEndpoint(), IsOkAndHolds(from));
}

void ListensUntilTheLastClose(Context& c) {
  ASSERT_OK_AND_ASSIGN(Listener listener, NewListener(c));
  const std::unique_ptr<ChildProcess> child = c.env().Fork(Serve(listener, 2));
  ASSERT_TRUE(child->AwaitBlocked());
  ASSERT_THAT(listener.socket().Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  EXPECT_THAT(RecvExactly(client, 1), IsOkAndHolds("c"));
  ASSERT_TRUE(child->AwaitBlocked());
  child->Kill();
  EXPECT_THAT(ConnectTo(c.sys(), listener.endpoint()), IsErrno(ECONNREFUSED));
}

// ---- Exit during a blocked call ---------------------------------------------

void ExitDuringAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(Listener listener, NewListener(c));
  const std::unique_ptr<ChildProcess> child = c.env().Fork(Serve(listener, 1));
  ASSERT_TRUE(child->AwaitBlocked());
  ASSERT_THAT(listener.socket().Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket next, NewTcp(c));
  EXPECT_THAT(Bind(next, listener.endpoint()), IsErrno(EADDRINUSE));
  child->Kill();
  EXPECT_THAT(Bind(next, listener.endpoint()), IsOk());
}

void ExitDuringConnect(Context& c) {
  const ip::Endpoint local{c.Loopback(), kPort};
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(RawSocket client, NewTcp(c));
  ASSERT_THAT(Bind(client, local), IsOk());
  const std::unique_ptr<ChildProcess> child = c.env().Fork(
      [fd = client.fd(), to = ip::SockAddr(queue.endpoint())](Syscalls& sys) {
        static_cast<void>(sys.Connect(fd, to.get(), to.size()));
      });
  ASSERT_TRUE(child->AwaitBlocked());
  ASSERT_THAT(client.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket next, NewTcp(c));
  EXPECT_THAT(Bind(next, local), IsErrno(EADDRINUSE));
  child->Kill();
  EXPECT_THAT(Bind(next, local), IsOk());
}

void ExitDuringSend(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  const std::unique_ptr<ChildProcess> child =
      c.env().Fork([fd = pair.client.fd()](Syscalls& sys) {
        const std::string data(1 << 16, 'x');
        while (sys.Send(fd, data.data(), data.size(), MSG_NOSIGNAL).ok()) {
        }
      });
  ASSERT_TRUE(child->AwaitBlocked());
  ASSERT_THAT(pair.client.Close(), IsOk());
  child->Kill();
  EXPECT_THAT(RecvUntilEof(pair.server), IsOkAndHolds(Not("")));
}

void ExitDuringRecv(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  const std::unique_ptr<ChildProcess> child =
      c.env().Fork(Receive(pair.client));
  ASSERT_TRUE(child->AwaitBlocked());
  ASSERT_THAT(pair.client.Close(), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 1, MSG_DONTWAIT), IsErrno(EAGAIN));
  child->Kill();
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
}

void ExitLeavesSharedSockets(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  const std::unique_ptr<ChildProcess> child =
      c.env().Fork(Receive(pair.client));
  ASSERT_TRUE(child->AwaitBlocked());
  child->Kill();
  ASSERT_THAT(pair.server.Send("x"), IsOk());
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds("x"));
  ASSERT_THAT(pair.client.Send("y"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("y"));
}

}  // namespace

const std::vector<Case>& ProcessesKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.fork.listener.one_queue",
       .requirement = "After fork(2) with a listener, each connection must be "
                      "accepted once, by whichever process calls accept(2).",
       .source = "fork(2), DESCRIPTION; accept(2), DESCRIPTION",
       .needs = Need::kFork,
       .run = &OneQueue},
      {.id = "kernel.fork.listener.last_close",
       .requirement = "After fork(2) with a listener, connections must be "
                      "accepted until no process has its descriptor.",
       .source = "fork(2), DESCRIPTION; close(2), DESCRIPTION",
       .needs = Need::kFork,
       .run = &ListensUntilTheLastClose},
      {.id = "kernel.exit.during_accept",
       .requirement = "The exit of a process whose accept(2) is blocked must "
                      "free the listener's port at once.",
       .source = "_exit(2), DESCRIPTION; accept(2)",
       .needs = Need::kFork,
       .run = &ExitDuringAccept},
      {.id = "kernel.exit.during_connect",
       .requirement = "The exit of a process whose connect(2) is blocked must "
                      "give the attempt up, and free its port at once.",
       .source = "_exit(2), DESCRIPTION; RFC 9293, section 3.10.4",
       .needs = Need::kOwnNetwork | Need::kFork,
       .run = &ExitDuringConnect},
      {.id = "kernel.exit.during_send",
       .requirement = "After the exit of a process whose send(2) is blocked, "
                      "the peer must receive what was accepted for sending, "
                      "and then the end.",
       .source = "_exit(2), DESCRIPTION; RFC 9293, section 3.6",
       .needs = Need::kFork,
       .run = &ExitDuringSend},
      {.id = "kernel.exit.during_recv",
       .requirement = "The exit of a process whose recv(2) is blocked must end "
                      "the stream to its peer.",
       .source = "_exit(2), DESCRIPTION; RFC 9293, section 3.6",
       .needs = Need::kFork,
       .run = &ExitDuringRecv},
      {.id = "kernel.exit.shared",
       .requirement = "The exit of a process must not end a connection whose "
                      "socket another process has, too.",
       .source = "_exit(2), DESCRIPTION; fork(2), DESCRIPTION",
       .needs = Need::kFork,
       .run = &ExitLeavesSharedSockets},
  };
  return cases;
}

}  // namespace net::conformance
