// The events that epoll_wait(2) reports: level- and edge-triggered, one-shot,
// and those of sockets, pipes and eventfds; and which entries it has.

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;

constexpr uint32_t kEdge = EPOLLET;

// ---- Level, edge and one shot -----------------------------------------------

void LevelUntilRead(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN), IsOk());
  EXPECT_EQ(epoll.Ready(), "");
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN");
  EXPECT_EQ(epoll.Ready(), "1:IN");
  EXPECT_THAT(RecvOnce(pair.server, 1), IsOkAndHolds("a"));
  EXPECT_EQ(epoll.Ready(), "1:IN") << "with 2 bytes unread";
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("bc"));
  EXPECT_EQ(epoll.Ready(), "");
}

void EdgeOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN | kEdge), IsOk());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN");
  EXPECT_EQ(epoll.Ready(), "");
  EXPECT_THAT(RecvOnce(pair.server, 1), IsOkAndHolds("a"));
  EXPECT_EQ(epoll.Ready(), "") << "with 2 bytes unread";
  ASSERT_THAT(pair.client.Send("d"), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN") << "after more data";
  EXPECT_EQ(epoll.Ready(), "");
}

// Two segments before the call are one event; data that was read is none.
void EdgeOfSeveralSegments(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN | kEdge), IsOk());
  ASSERT_THAT(pair.client.Send("a"), IsOk());
  ASSERT_THAT(pair.client.Send("b"), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN");
  EXPECT_EQ(epoll.Ready(), "");
  ASSERT_THAT(pair.client.Send("c"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("abc"));
  EXPECT_EQ(epoll.Ready(), "");
}

void AddedWhileReady(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(pair.client.Send("a"), IsOk());
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN | EPOLLOUT | kEdge), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN|OUT");
  EXPECT_EQ(epoll.Ready(), "");
  ASSERT_THAT(pair.client.Send("b"), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN|OUT") << "both are reported for data";
}

void EdgeModified(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN | kEdge, 1), IsOk());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN");
  ASSERT_THAT(epoll.Modify(pair.server.fd(), EPOLLIN | kEdge, 2), IsOk());
  EXPECT_EQ(epoll.Ready(), "2:IN");
  EXPECT_EQ(epoll.Ready(), "");
  ASSERT_THAT(epoll.Modify(pair.server.fd(), EPOLLOUT | kEdge, 3), IsOk());
  EXPECT_EQ(epoll.Ready(), "3:OUT");
}

// A send(2) that failed with EAGAIN, or an epoll_wait(2) that saw no room, lets
// the kernel report room.
void EdgeOfRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.client.fd(), EPOLLOUT | kEdge), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:OUT");
  ASSERT_OK_AND_ASSIGN(const size_t sent, loopback::SendUntilFull(pair.client));
  EXPECT_EQ(epoll.Ready(), "");
  EXPECT_THAT(loopback::RecvExactly(pair.server, sent), IsOk());
  EXPECT_EQ(epoll.Await(), "1:OUT");
}

void OneShot(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN | EPOLLONESHOT, 1), IsOk());
  ASSERT_THAT(pair.client.Send("a"), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN");
  EXPECT_EQ(epoll.Ready(), "");
  ASSERT_THAT(pair.client.Send("b"), IsOk());
  EXPECT_EQ(epoll.Ready(), "");
  EXPECT_THAT(epoll.Add(pair.server.fd(), EPOLLIN), IsErrno(EEXIST));
  ASSERT_THAT(epoll.Modify(pair.server.fd(), EPOLLIN | EPOLLONESHOT, 2),
              IsOk());
  EXPECT_EQ(epoll.Ready(), "2:IN");
  ASSERT_THAT(pair.client.Reset(), IsOk());
  EXPECT_EQ(epoll.Ready(), "") << "EPOLLERR and EPOLLHUP wait, too";
  ASSERT_THAT(epoll.Modify(pair.server.fd(), 0, 3), IsOk());
  EXPECT_EQ(epoll.Ready(), "3:ERR|HUP");
}

// ---- Events of sockets ------------------------------------------------------

void Unasked(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), 0), IsOk());
  ASSERT_THAT(pair.client.Send("a"), IsOk());
  EXPECT_EQ(epoll.Ready(), "");
  ASSERT_THAT(pair.client.Reset(), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:ERR|HUP");
}

void EndOfStream(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const Epoll other, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN | kEdge), IsOk());
  ASSERT_THAT(other.Add(pair.server.fd(), EPOLLRDHUP | kEdge), IsOk());
  ASSERT_THAT(pair.client.Send("a"), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN");
  EXPECT_EQ(other.Ready(), "");
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN") << "after the FIN";
  EXPECT_EQ(epoll.Ready(), "");
  EXPECT_EQ(other.Ready(), "1:RDHUP");
  EXPECT_EQ(other.Ready(), "");
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN|HUP");
  EXPECT_EQ(other.Ready(), "1:HUP|RDHUP");
}

// shutdown(2) wakes who waits for the socket, each time.
void EdgeOfShutdown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.client.fd(), EPOLLOUT | EPOLLRDHUP | kEdge),
              IsOk());
  EXPECT_EQ(epoll.Ready(), "1:OUT");
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(pair.client.Shutdown(SHUT_RD), IsOk());
    EXPECT_EQ(epoll.Ready(), "1:OUT|RDHUP") << i;
    EXPECT_EQ(epoll.Ready(), "") << i;
  }
}

void NotConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(socket.fd(), EPOLLIN | EPOLLOUT | EPOLLRDHUP), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:OUT|HUP");
}

void EdgeOfConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(client.fd(), EPOLLIN | EPOLLOUT | kEdge), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:OUT|HUP");
  EXPECT_EQ(epoll.Ready(), "");
  ASSERT_THAT(Connect(client, listener.endpoint()), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:OUT");
  EXPECT_EQ(epoll.Ready(), "");
}

// An edge for each connection, and none for accept4(2).
void Connections(Context& c) {
  ASSERT_OK_AND_ASSIGN(Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const Epoll level, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const Epoll edge, NewEpoll(c));
  ASSERT_THAT(level.Add(listener.socket().fd(), EPOLLIN | EPOLLOUT), IsOk());
  ASSERT_THAT(edge.Add(listener.socket().fd(), EPOLLIN | EPOLLOUT | kEdge),
              IsOk());
  EXPECT_EQ(level.Ready(), "");
  ASSERT_OK_AND_ASSIGN(const RawSocket one, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket two, NewTcp(c));
  ASSERT_THAT(Connect(one, listener.endpoint()), IsOk());
  EXPECT_EQ(edge.Ready(), "1:IN");
  EXPECT_EQ(edge.Ready(), "");
  ASSERT_THAT(Connect(two, listener.endpoint()), IsOk());
  EXPECT_EQ(edge.Ready(), "1:IN");
  ASSERT_OK_AND_ASSIGN(const RawSocket first, Accept(listener.socket()));
  EXPECT_EQ(edge.Ready(), "") << "one connection is in the queue";
  EXPECT_EQ(level.Ready(), "1:IN");
  ASSERT_OK_AND_ASSIGN(const RawSocket second, Accept(listener.socket()));
  EXPECT_EQ(level.Ready(), "");
}

// ---- Events of pipes and eventfds -------------------------------------------

void Pipes(Context& c) {
  ASSERT_OK_AND_ASSIGN(PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pipe.read.fd(), EPOLLIN | EPOLLOUT, 1), IsOk());
  ASSERT_THAT(epoll.Add(pipe.write.fd(), EPOLLIN | EPOLLOUT, 2), IsOk());
  EXPECT_EQ(epoll.Ready(), "2:OUT");
  ASSERT_THAT(c.sys().Write(pipe.write.fd(), "a", 1), IsOk());
  EXPECT_EQ(epoll.Ready(), "2:OUT 1:IN");
  ASSERT_THAT(pipe.write.Close(), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN|HUP");
}

void PipeWithoutReader(Context& c) {
  ASSERT_OK_AND_ASSIGN(PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pipe.write.fd(), 0), IsOk());
  EXPECT_EQ(epoll.Ready(), "");
  ASSERT_THAT(pipe.read.Close(), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:ERR");
}

void EdgeOfPipe(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pipe.read.fd(), EPOLLIN | kEdge, 1), IsOk());
  ASSERT_THAT(epoll.Add(pipe.write.fd(), EPOLLOUT | kEdge, 2), IsOk());
  EXPECT_EQ(epoll.Ready(), "2:OUT");
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(c.sys().Write(pipe.write.fd(), "ab", 2), IsOk());
    EXPECT_EQ(epoll.Ready(), "1:IN") << i;
  }
  char data = 0;
  ASSERT_THAT(c.sys().Read(pipe.read.fd(), &data, 1), IsOk());
  EXPECT_EQ(epoll.Ready(), "") << "read(2) has made no page free";
  const std::string page(4096, 'x');
  while (c.sys().Write(pipe.write.fd(), page.data(), page.size()).ok()) {
  }
  EXPECT_EQ(epoll.Ready(), "1:IN") << "the pipe is full";
  EXPECT_THAT(c.sys().Write(pipe.write.fd(), "a", 1), IsErrno(EAGAIN));
  EXPECT_EQ(epoll.Ready(), "1:IN") << "write(2) has failed";
  std::string read(4096, 'x');
  ASSERT_THAT(c.sys().Read(pipe.read.fd(), read.data(), read.size()), IsOk());
  EXPECT_EQ(epoll.Ready(), "2:OUT");
}

void EdgeOfCounter(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c, EFD_SEMAPHORE));
  ASSERT_OK_AND_ASSIGN(const Epoll in, NewEpoll(c));
  ASSERT_OK_AND_ASSIGN(const Epoll out, NewEpoll(c));
  ASSERT_THAT(in.Add(counter.fd(), EPOLLIN | kEdge), IsOk());
  ASSERT_THAT(out.Add(counter.fd(), EPOLLOUT | kEdge), IsOk());
  EXPECT_EQ(in.Ready(), "");
  EXPECT_EQ(out.Ready(), "1:OUT");
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(AddToCounter(counter), IsOk());
    EXPECT_EQ(in.Ready(), "1:IN") << i;
    EXPECT_EQ(out.Ready(), "") << i;
  }
  ASSERT_THAT(ReadCounter(counter), IsOk());
  EXPECT_EQ(in.Ready(), "") << "the counter is 1";
  EXPECT_EQ(out.Ready(), "1:OUT");
}

// ---- Which entries ----------------------------------------------------------

void DuplicateKeepsTheEntry(Context& c) {
  ASSERT_OK_AND_ASSIGN(RawSocket counter, NewCounter(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(counter.fd(), EPOLLOUT), IsOk());
  const SysResult copy = c.sys().Dup(counter.fd());
  ASSERT_THAT(copy, IsOk());
  RawSocket other(copy.fd(), c.sys());
  const int number = counter.fd();
  ASSERT_THAT(counter.Close(), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:OUT");
  EXPECT_THAT(epoll.Remove(number), IsErrno(EBADF));
  EXPECT_THAT(epoll.Remove(other.fd()), IsErrno(ENOENT));
  // Another file with the number is another entry.
  ASSERT_OK_AND_ASSIGN(const RawSocket second, NewCounter(c));
  ASSERT_EQ(second.fd(), number);
  EXPECT_THAT(epoll.Remove(number), IsErrno(ENOENT));
  ASSERT_THAT(epoll.Add(number, EPOLLOUT, 2), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:OUT 2:OUT");
  ASSERT_THAT(other.Close(), IsOk());
  EXPECT_EQ(epoll.Ready(), "2:OUT");
}

void TwoNumbers(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  const SysResult copy = c.sys().Dup(counter.fd());
  ASSERT_THAT(copy, IsOk());
  const RawSocket other(copy.fd(), c.sys());
  ASSERT_THAT(epoll.Add(counter.fd(), EPOLLIN, 1), IsOk());
  ASSERT_THAT(epoll.Add(other.fd(), EPOLLOUT, 2), IsOk());
  ASSERT_THAT(AddToCounter(counter), IsOk());
  EXPECT_EQ(epoll.Ready(), "2:OUT 1:IN");
}

void ClosedFile(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pair.server.fd(), EPOLLIN | EPOLLOUT), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:OUT");
  ASSERT_THAT(pair.server.Close(), IsOk());
  EXPECT_EQ(epoll.Ready(), "");
}

}  // namespace

const std::vector<Case>& EpollEventsKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.epoll.level.until_read",
       .requirement = "A level-triggered entry must be reported as long as "
                      "there is data.",
       .source = "epoll(7), Level-triggered and edge-triggered",
       .run = &LevelUntilRead},
      {.id = "kernel.epoll.edge.once",
       .requirement = "An edge-triggered entry must be reported when data "
                      "arrives, and not again for data that was not read.",
       .source = "epoll(7), Level-triggered and edge-triggered",
       .run = &EdgeOnce},
      {.id = "kernel.epoll.edge.several_segments",
       .requirement = "An edge-triggered entry must be reported once for all "
                      "segments before the call, and not at all if their data "
                      "was read.",
       .source = "epoll(7), Questions and answers, 7",
       .run = &EdgeOfSeveralSegments},
      {.id = "kernel.epoll.edge.added_while_ready",
       .requirement = "An edge-triggered entry must be reported if it is ready "
                      "when it is added, and each report must have all events "
                      "that hold.",
       .source = "fs/eventpoll.c, ep_insert",
       .run = &AddedWhileReady},
      {.id = "kernel.epoll.edge.modified",
       .requirement = "EPOLL_CTL_MOD must report an edge-triggered entry again "
                      "if it is ready, with the new data.",
       .source = "fs/eventpoll.c, ep_modify",
       .run = &EdgeModified},
      {.id = "kernel.epoll.edge.room",
       .requirement = "An edge-triggered entry must be reported when there is "
                      "room again after EAGAIN.",
       .source = "epoll(7), Questions and answers, 9",
       .run = &EdgeOfRoom},
      {.id = "kernel.epoll.oneshot",
       .requirement = "An entry with EPOLLONESHOT must be reported once, also "
                      "for EPOLLERR and EPOLLHUP, until EPOLL_CTL_MOD.",
       .source = "epoll_ctl(2), EPOLLONESHOT",
       .run = &OneShot},
      {.id = "kernel.epoll.socket.unasked",
       .requirement = "EPOLLERR and EPOLLHUP must be reported unasked.",
       .source = "epoll_ctl(2), EPOLLERR and EPOLLHUP",
       .run = &Unasked},
      {.id = "kernel.epoll.socket.end_of_stream",
       .requirement = "A FIN must be reported as EPOLLIN and, if asked for, "
                      "EPOLLRDHUP; the end of both directions as EPOLLHUP.",
       .source = "epoll_ctl(2), EPOLLRDHUP",
       .run = &EndOfStream},
      {.id = "kernel.epoll.socket.shutdown",
       .requirement = "Each shutdown(2) must report an edge-triggered entry of "
                      "the socket again.",
       .source = "net/ipv4/af_inet.c, inet_shutdown",
       .run = &EdgeOfShutdown},
      {.id = "kernel.epoll.socket.not_connected",
       .requirement = "A socket that was never connected must be reported as "
                      "EPOLLOUT and EPOLLHUP.",
       .source = "measured on Linux 6.18",
       .run = &NotConnected},
      {.id = "kernel.epoll.socket.connect",
       .requirement = "An edge-triggered entry must be reported when the "
                      "connection is established.",
       .source = "connect(2), EINPROGRESS",
       .run = &EdgeOfConnect},
      {.id = "kernel.epoll.socket.connections",
       .requirement = "An edge-triggered entry of a listener must be reported "
                      "for each connection, and not for accept4(2).",
       .source = "epoll(7), Level-triggered and edge-triggered",
       .run = &Connections},
      {.id = "kernel.epoll.pipe.events",
       .requirement = "The ends of a pipe must be reported as poll(2) does.",
       .source = "epoll_ctl(2); pipe(7)",
       .families = AddressFamilies::kV4,
       .run = &Pipes},
      {.id = "kernel.epoll.pipe.without_reader",
       .requirement = "The write end of a pipe must be reported with EPOLLERR "
                      "when the read end is closed.",
       .source = "epoll_ctl(2), EPOLLERR",
       .families = AddressFamilies::kV4,
       .run = &PipeWithoutReader},
      {.id = "kernel.epoll.pipe.edge",
       .requirement = "An edge-triggered read end must be reported for each "
                      "write(2), also for one that fails with EAGAIN, and a "
                      "write end if a full pipe has a free page again.",
       .source = "fs/pipe.c, pipe_write and pipe_read",
       .families = AddressFamilies::kV4,
       .run = &EdgeOfPipe},
      {.id = "kernel.epoll.eventfd.edge",
       .requirement = "An edge-triggered entry of an eventfd must be reported "
                      "for EPOLLIN after each write(2), and for EPOLLOUT after "
                      "each read(2).",
       .source = "fs/eventfd.c, eventfd_write and eventfd_read",
       .families = AddressFamilies::kV4,
       .run = &EdgeOfCounter},
      {.id = "kernel.epoll.entry.duplicate",
       .requirement = "An entry must stay until all descriptors of its open "
                      "file description are closed, although its number cannot "
                      "be removed.",
       .source = "epoll(7), Questions and answers, 6",
       .families = AddressFamilies::kV4,
       .run = &DuplicateKeepsTheEntry},
      {.id = "kernel.epoll.entry.two_numbers",
       .requirement = "Two descriptors of one open file description must be "
                      "two entries.",
       .source = "epoll(7), Questions and answers, 1",
       .families = AddressFamilies::kV4,
       .run = &TwoNumbers},
      {.id = "kernel.epoll.entry.closed",
       .requirement = "An entry must be removed when its file is closed.",
       .source = "epoll(7), Questions and answers, 6",
       .run = &ClosedFile},
  };
  return cases;
}

}  // namespace net::conformance
