#include "fakes/kernel/invariants.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/descriptor_table.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/link_options.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/raw_address.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/host.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/tcp/time_wait.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"

namespace net::fake {

// Access to the state that the tests corrupt.
struct StateCorruption {
  static uint64_t& una(TcpSocket& socket) { return socket.send_.una_; }
  static uint64_t& nxt(TcpSocket& socket) { return socket.send_.nxt_; }
  static uint64_t& max(TcpSocket& socket) { return socket.send_.max_; }
  static uint64_t& written(TcpSocket& socket) { return socket.send_.written_; }
  static bool& fin(TcpSocket& socket) { return socket.send_.fin_; }
  static uint64_t& rcv_nxt(TcpSocket& socket) { return socket.receive_.nxt_; }
  static size_t& ready(TcpSocket& socket) { return socket.receive_.ready_; }
  static bool& fin_received(TcpSocket& socket) {
    return socket.receive_.fin_received_;
  }
  static ByteQueue& bytes(TcpSocket& socket) { return socket.receive_.queue_; }
  static uint32_t& end_of(ByteQueue& queue) { return queue.end_; }
  static uint64_t& acknowledged(TcpSocket& socket) {
    return socket.acknowledged_;
  }
  static TcpState& state(TcpSocket& socket) { return socket.state_; }
  static void SetUnconnected(TcpSocket& socket) {
    socket.socket_state_ = TcpSocket::SocketState::kUnconnected;
  }
  static void SetConnected(TcpSocket& socket) {
    socket.socket_state_ = TcpSocket::SocketState::kConnected;
  }
  static TcpSocket*& peer(TcpSocket& socket) {
    return socket.ConnectionEnd::peer_;
  }
  static uint16_t& local_port(TcpSocket& socket) { return socket.local_port_; }
  static ip::Endpoint& remote(TcpSocket& socket) { return socket.remote_; }
  static uint16_t& tuple_port(TcpSocket& socket) {
    return socket.ConnectionEnd::tuple_.local.port;
  }
  static bool& in_table(ConnectionEnd& end) { return end.in_table_; }
  static PortOwner*& previous(PortOwner& owner) { return owner.previous_; }
  static int& queued(TcpSocket& socket) { return socket.queued_; }
  static int& half_open(TcpSocket& socket) { return socket.half_open_; }
  static bool& dead(TcpSocket& socket) { return socket.dead_; }
  static TcpSocket*& listener(TcpSocket& socket) { return socket.listener_; }
  static TcpSocket*& queue_first(TcpSocket& socket) {
    return socket.queue_first_;
  }
  static bool& listened_with_reuse_port(TcpSocket& socket) {
    return socket.listened_with_reuse_port_;
  }
  static TcpSocket*& previous_socket(TcpSocket& socket) {
    return socket.previous_socket_;
  }
  static TcpTimers& timers(TcpSocket& socket) { return socket.timers_; }
  static Clock::TimerId& armed(TcpSocket& socket) {
    return socket.timers_.armed_;
  }
  static void Owe(TcpSocket& socket) { socket.ack_.Owe(); }
  static int& references(File& file) { return file.references_; }
  static Clock::TimerId& timer(TimeWait& entry) { return entry.timer_; }
  static TimeWait*& previous_entry(TimeWait& entry) { return entry.previous_; }
};

namespace {

using State = StateCorruption;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

RawAddress Loopback(uint16_t port) {
  return ToRawAddress({ip::kLocalV4, port}, AF_INET);
}

// A target of a timer that nobody owns.
class Stray final : public TimerTarget {
 public:
  void OnTimer() override {}
};

// An end of a connection that is no socket.
class StrayEnd final : public ConnectionEnd {};

// A machine with a listener, a connection, and one more that was not accepted.
class InvariantsTest : public testing::Test {
 protected:
  InvariantsTest()
      : listener_(Listening(80)),
        client_(Connected(80)),
        server_(Accepted(listener_)),
        waiting_client_(Connected(80)),
        waiting_(*State::queue_first(listener_)) {
    EXPECT_THAT(invariants_.FindViolation(), IsEmpty());
  }

  TcpSocket& NewSocket(uid_t uid = 1000) {
    auto* const socket = new (kernel_.sockets)
        TcpSocket(kernel_, kernel_.first_host(), AF_INET, uid);
    descriptors_.Set(descriptors_.LowestFree(), *socket, false);
    return *socket;
  }
  void Set(TcpSocket& socket, int level, int name, int value) {
    EXPECT_TRUE(
        socket.SetOption(caller_, level, name, &value, sizeof(value)).ok());
  }
  TcpSocket& Bound(uint16_t port, uid_t uid = 1000) {
    TcpSocket& socket = NewSocket(uid);
    Set(socket, SOL_SOCKET, SO_REUSEPORT, 1);
    EXPECT_TRUE(socket.Bind(caller_, Loopback(port)).ok());
    return socket;
  }
  TcpSocket& Listening(uint16_t port) {
    TcpSocket& socket = Bound(port);
    EXPECT_TRUE(socket.Listen(caller_, 5).ok());
    return socket;
  }
  TcpSocket& Connected(uint16_t port) {
    TcpSocket& socket = NewSocket();
    EXPECT_TRUE(socket.Connect(caller_, Loopback(port), false).ok());
    return socket;
  }
  TcpSocket& Accepted(TcpSocket& listener) {
    TcpSocket* accepted = nullptr;
    EXPECT_TRUE(listener.Accept(caller_, true, &accepted).ok());
    descriptors_.Set(descriptors_.LowestFree(), *accepted, false);
    return *accepted;
  }
  void Send(TcpSocket& socket, absl::string_view bytes) {
    const iovec part = {.iov_base = const_cast<char*>(bytes.data()),
                        .iov_len = bytes.size()};
    EXPECT_EQ(socket.Send(caller_, {&part, 1}, MSG_DONTWAIT).value(),
              static_cast<int64_t>(bytes.size()));
  }
  void Close(TcpSocket& socket) {
    for (const int fd : descriptors_.Open()) {
      if (descriptors_.Get(fd) == &socket) {
        descriptors_.Remove(fd)->Unref(caller_);
      }
    }
    kernel_.FreeDead();
  }
  void SetDelay() {
    kernel_.network.links().Set({.from = ip::kAnyV4, .to = ip::kAnyV4},
                                {.delay = absl::Seconds(1)});
  }

  // Expects that `field` with the value `bad` violates `invariant`, and no
  // longer when it is as it was.
  template <typename Field, typename Value>
  void ExpectViolation(Field& field, Value bad, absl::string_view invariant) {
    EXPECT_THAT(invariants_.FindViolation(), IsEmpty());
    const Field good = field;
    field = static_cast<Field>(bad);
    EXPECT_THAT(invariants_.FindViolation(), HasSubstr(std::string(invariant)));
    field = good;
    EXPECT_THAT(invariants_.FindViolation(), IsEmpty());
  }

  int sigpipes_ = 0;
  Caller caller_ = {.site = {.process = "test", .call = "call"},
                    .uid = 1000,
                    .may_bind_privileged_ports = true,
                    .net_admin = true,
                    .sigpipes = &sigpipes_};
  Kernel kernel_{FakeSysctls(), SchedulerOptions()};
  DescriptorTable descriptors_{64};
  Invariants invariants_{kernel_};
  TcpSocket& listener_;
  TcpSocket& client_;
  TcpSocket& server_;
  TcpSocket& waiting_client_;
  TcpSocket& waiting_;
};

TEST_F(InvariantsTest, SequenceNumbersAreInOrder) {
  ExpectViolation(State::una(server_), State::nxt(server_) + 1,
                  "SND.UNA <= SND.NXT.");
  ExpectViolation(State::nxt(server_), State::max(server_) + 1,
                  "SND.NXT <= the highest SND.NXT until now.");
  ExpectViolation(State::max(server_), State::written(server_) + 1,
                  "Not more has been sent than the program has written.");
  ExpectViolation(State::acknowledged(server_), 7,
                  "Not more has been acknowledged than has arrived.");
}

TEST_F(InvariantsTest, BytesAreConserved) {
  Send(client_, "12345");
  ExpectViolation(State::ready(server_), 6U,
                  "The bytes that have arrived are in the queue.");
  ExpectViolation(State::ready(server_), 4U, "Bytes are conserved");
  ExpectViolation(State::rcv_nxt(server_), 9U,
                  "Not more has arrived than the peer has sent.");
  ExpectViolation(State::end_of(State::bytes(server_)), 3U,
                  "The memory of a queue has as many bytes as it counts.");
  // Also while a segment is under way.
  SetDelay();
  Send(client_, "678");
  ExpectViolation(State::written(client_), State::written(client_) + 1,
                  "Bytes are conserved");
}

TEST_F(InvariantsTest, StatesFitWhatWasSentAndReceived) {
  ExpectViolation(State::fin_received(client_), true,
                  "The peer's FIN has been received in CLOSE-WAIT");
  ExpectViolation(State::fin(client_), true, "A FIN is sent in FIN-WAIT-1");
  ExpectViolation(State::state(client_), TcpState::kFinWait2,
                  "A FIN is sent in FIN-WAIT-1");
  ExpectViolation(State::state(client_), TcpState::kSynSent,
                  "The peer's SYN has been received");
  ASSERT_TRUE(client_.Shutdown(SHUT_WR).ok());
  ExpectViolation(State::state(client_), TcpState::kFinWait1,
                  "FIN-WAIT-2 is the state");
  State::SetUnconnected(client_);
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("An unconnected socket is in CLOSED or LISTEN."));
  State::SetConnected(client_);
}

TEST_F(InvariantsTest, PeersKnowEachOther) {
  ExpectViolation(State::peer(client_), &waiting_,
                  "The peer of a socket's peer is the socket.");
}

TEST_F(InvariantsTest, ConnectionsHaveTheirNames) {
  ExpectViolation(State::remote(client_), ip::Endpoint{ip::kLocalV4, 81},
                  "A connection has the peer of its four-tuple.");
  ExpectViolation(State::in_table(server_), false,
                  "A connection is in the table of connections");
  ExpectViolation(State::in_table(client_), false,
                  "A peer is an end of a connection.");
  ExpectViolation(State::local_port(client_), 81,
                  "The port that a socket has is the one");
  ExpectViolation(State::tuple_port(client_), 81,
                  "A connection has the port of its four-tuple.");
  ExpectViolation(State::previous(server_), &client_,
                  "The port of a socket lists it.");
}

TEST_F(InvariantsTest, TablesHaveNoOthers) {
  // Of another host, so that the socket itself is right.
  Host& other = kernel_.hosts.emplace_back("other", FakeSysctls(), 1);
  other.listeners.Add(80, listener_);
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("The tables of listeners have no other sockets"));
  other.listeners.Remove(80, listener_);
  StrayEnd stray;
  other.connections.Insert(stray, client_.tuple());
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("The tables of connections have no other ends"));
  other.connections.Remove(stray);
  kernel_.first_host().listeners.Remove(80, listener_);
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("A listener is in the table of listeners."));
  kernel_.first_host().listeners.Add(80, listener_);
  EXPECT_THAT(invariants_.FindViolation(), IsEmpty());
}

TEST_F(InvariantsTest, AcceptQueuesAreConsistent) {
  ExpectViolation(State::queued(listener_), 2, "The length of an accept queue");
  ExpectViolation(State::queued(listener_), 0, "The length of an accept queue");
  ExpectViolation(State::half_open(listener_), 1,
                  "A listener counts its half-open connections.");
  ExpectViolation(State::half_open(listener_), -1,
                  "An accept queue has no negative length.");
  ExpectViolation(State::listener(waiting_), nullptr,
                  "An accept queue contains connections of its listener");
  ExpectViolation(State::listener(waiting_), &client_,
                  "The listener of a connection that was not accepted listens");
  ExpectViolation(State::references(waiting_), 1,
                  "No descriptor refers to a connection that was not accepted");
  ExpectViolation(State::queued(client_), 1,
                  "Only a listener has an accept queue.");
}

TEST_F(InvariantsTest, ClosedSocketsHaveNothing) {
  TcpSocket& closed = NewSocket();
  ExpectViolation(State::peer(closed), &client_,
                  "A socket in CLOSED has no peer.");
  ExpectViolation(State::in_table(closed), true,
                  "A socket in CLOSED is no end of a connection.");
  ExpectViolation(State::references(closed), 0,
                  "A socket in CLOSED that nobody can reach is freed.");
  State::timers(closed).Set(TcpTimers::kKeepalive, kSecond);
  kernel_.network.Deliver();
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("A socket in CLOSED has no timer."));
  State::timers(closed).ClearAll();
  ExpectViolation(State::dead(listener_), true,
                  "No table refers to a socket that is to be freed.");
  ExpectViolation(State::dead(closed), true,
                  "No descriptor refers to a socket that is to be freed.");
}

TEST_F(InvariantsTest, ListenersAreUnconnected) {
  State::SetConnected(listener_);
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("A listener is unconnected."));
  State::SetUnconnected(listener_);
  ExpectViolation(State::in_table(listener_), true,
                  "A listener is no end of a connection.");
  TcpSocket& unbound = NewSocket();
  ExpectViolation(State::state(unbound), TcpState::kListen,
                  "A listener has a port.");
}

TEST_F(InvariantsTest, ListenersShareAnAddressOnlyAsLinuxAllows) {
  TcpSocket& second = Listening(80);
  ExpectViolation(State::listened_with_reuse_port(second), false,
                  "Two listeners share an address and a port only with "
                  "SO_REUSEPORT and the same user.");
  // The option may be taken back after listen(2), and counts for the newer one.
  Set(second, SOL_SOCKET, SO_REUSEPORT, 0);
  Set(listener_, SOL_SOCKET, SO_REUSEPORT, 0);
  State::listened_with_reuse_port(listener_) = false;
  EXPECT_THAT(invariants_.FindViolation(), IsEmpty());

  // Another user's, which bind(2) refuses.
  TcpSocket& other = NewSocket(/*uid=*/1001);
  Set(other, SOL_SOCKET, SO_REUSEPORT, 1);
  ASSERT_TRUE(other.Bind(caller_, Loopback(81)).ok());
  ASSERT_TRUE(other.Listen(caller_, 5).ok());
  kernel_.first_host().listeners.Remove(81, other);
  State::local_port(other) = 80;
  kernel_.first_host().ports.Release(other);
  kernel_.first_host().ports.Inherit(other, listener_);
  kernel_.first_host().listeners.Add(80, other);
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("Two listeners share an address"));
  Close(other);
}

TEST_F(InvariantsTest, WhatWaitsHasATimer) {
  SetDelay();
  Send(client_, "12345");
  const Nanoseconds due =
      State::timers(client_).due(TcpTimers::kRetransmission);
  State::timers(client_).Clear(TcpTimers::kRetransmission);
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("What was not acknowledged has a retransmission "
                        "timer."));
  State::timers(client_).Set(TcpTimers::kRetransmission, due);
  kernel_.network.Deliver();
  ExpectViolation(State::armed(client_), Clock::kNone,
                  "The clock knows the earliest timer of a socket.");
  ExpectViolation(State::armed(client_), Clock::TimerId{due, 9999},
                  "The clock has the timer of a socket.");
  State::Owe(server_);
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("An acknowledgement that is owed has a timer."));
}

TEST_F(InvariantsTest, KeepaliveHasATimer) {
  Set(client_, SOL_SOCKET, SO_KEEPALIVE, 1);
  EXPECT_THAT(invariants_.FindViolation(), IsEmpty());
  State::timers(client_).Clear(TcpTimers::kKeepalive);
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("A connection with SO_KEEPALIVE has a keepalive "
                        "timer."));
}

TEST_F(InvariantsTest, TimersOfTheClockHaveOwners) {
  Stray stray;
  Clock::TimerId timer = kernel_.clock.Set(kSecond, stray);
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("Each timer of the clock has an owner that lives."));
  kernel_.clock.Clear(timer);
  State::timers(client_).Set(TcpTimers::kDelayedAck, kSecond);
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("After a call, all timers are set in the clock."));
  kernel_.network.Deliver();
}

TEST_F(InvariantsTest, SegmentsAreDelivered) {
  Segment& segment = kernel_.network.Add();
  segment = Segment();
  segment.host = &kernel_.first_host();
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("After a call, all segments have been delivered"));
}

TEST_F(InvariantsTest, SegmentsComeFromHostsThatExist) {
  SetDelay();
  kernel_.hosts.emplace_back("other", FakeSysctls(), 1);
  Segment& segment = kernel_.network.Add();
  segment = Segment();
  segment.host = &kernel_.hosts.back();
  kernel_.network.Deliver();
  EXPECT_THAT(invariants_.FindViolation(), IsEmpty());
  kernel_.hosts.pop_back();
  EXPECT_THAT(invariants_.FindViolation(),
              HasSubstr("A segment that is under way comes from a host that "
                        "exists."));
}

TEST_F(InvariantsTest, TimeWaitEntriesAreConsistent) {
  TcpSocket& accepted = Accepted(listener_);
  Close(waiting_client_);
  Close(accepted);
  Close(client_);
  Close(server_);
  ASSERT_NE(kernel_.first_time_wait, nullptr);
  TimeWait& entry = *kernel_.first_time_wait;
  ExpectViolation(State::timer(entry), Clock::kNone,
                  "An entry in TIME-WAIT has a timer.");
  ExpectViolation(State::in_table(entry), false,
                  "An entry in TIME-WAIT has its connection's names and port.");
  ExpectViolation(State::previous(entry), &listener_,
                  "The port of a TIME-WAIT entry lists it.");
  ASSERT_NE(entry.next(), nullptr);
  ExpectViolation(State::previous_entry(*entry.next()), nullptr,
                  "Neighbours in the list of TIME-WAIT entries");
}

TEST_F(InvariantsTest, TheListOfSocketsIsInOrder) {
  ExpectViolation(State::previous_socket(client_), &client_,
                  "Neighbours in the list of sockets know each other.");
}

TEST_F(InvariantsTest, FilesHaveTheReferencesOfTheirDescriptors) {
  invariants_.OnProcess(descriptors_);
  ExpectViolation(State::references(client_), 2,
                  "A file has no reference but of its descriptors");
  const int copy = descriptors_.LowestFree();
  descriptors_.Set(copy, client_, false);
  ExpectViolation(State::references(client_), 1,
                  "A file has a reference for each of its descriptors.");
  // A call may have others.
  invariants_.OnCall();
  client_.Ref();
  EXPECT_THAT(invariants_.FindViolation(), IsEmpty());
}

TEST_F(InvariantsTest, AReportNamesTheSocket) {
  State::una(server_) = 5;
  EXPECT_THAT(invariants_.FindViolation(),
              AllOf(HasSubstr("SND.UNA <= SND.NXT."),
                    HasSubstr("Socket: TCP socket 127.0.0.1:80 -> 127.0.0.1:"),
                    HasSubstr(", ESTAB\n  sends: SND.UNA 5, SND.NXT 1"),
                    HasSubstr("The last calls:"), HasSubstr("LISTEN"),
                    HasSubstr("This is a bug of the FakeKernel")));
}

using InvariantsDeathTest = InvariantsTest;

TEST_F(InvariantsDeathTest, AViolationEndsTheProcess) {
  State::una(server_) = 5;
  invariants_.OnCall();
  EXPECT_DEATH(invariants_.OnReturn(), "SND.UNA <= SND.NXT.");
  EXPECT_DEATH(invariants_.OnTimer(), "SND.UNA <= SND.NXT.");
  EXPECT_DEATH(invariants_.OnEnd(), "SND.UNA <= SND.NXT.");
}

// Beyond a bound, parts of the machine are checked in turns.
TEST_F(InvariantsDeathTest, SoonerOrLaterEachSocketIsChecked) {
  for (int i = 0; i < 100; ++i)
    new (kernel_.sockets) TcpSocket(kernel_, kernel_.first_host(), AF_INET, 0);
  for (TcpSocket* one = kernel_.first_socket; one != nullptr;
       one = one->next_socket()) {
    if (one->references() == 0 && State::listener(*one) == nullptr) one->Ref();
  }
  for (int i = 0; i < 1000; ++i) {
    invariants_.OnCall();
    invariants_.OnReturn();
  }
  State::una(server_) = 5;
  EXPECT_DEATH(
      {
        for (int i = 0; i < 1000; ++i) {
          invariants_.OnCall();
          invariants_.OnReturn();
        }
      },
      "SND.UNA <= SND.NXT.");
}

}  // namespace
}  // namespace net::fake
