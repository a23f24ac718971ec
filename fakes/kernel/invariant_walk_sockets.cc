// The parts of InvariantWalk that check one TCP socket.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/invariant_walk.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/ports.h"
#include "fakes/kernel/tcp/byte_queue.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/tcp/tcp_timers.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {
namespace {

// The most connections of one accept queue, and the most listeners of one port,
// that are checked at once.
constexpr int kMostOfQueue = 64;
// The most chunks of a queue of bytes that are counted at once.
constexpr int kMostChunks = 16;

// Whether a connection may come to both of two listeners, by their addresses
// (ip(7), ipv6(7): IPV6_V6ONLY).
bool Overlap(const TcpSocket& one, const TcpSocket& other) {
  const auto takes_all_v4 = [](const TcpSocket& listener) {
    const ip::Addr& addr = listener.local_addr();
    return addr.Unmapped() == ip::kAnyV4 || addr == ip::kAnyV6;
  };
  const auto takes_v4 = [&](const TcpSocket& listener) {
    return !listener.options().v6only() &&
           (listener.local_addr().Unmapped().is_v4() || takes_all_v4(listener));
  };
  const auto takes_v6 = [](const TcpSocket& listener) {
    return listener.local_addr().Unmapped().is_v6();
  };
  if (takes_v4(one) && takes_v4(other)) {
    if (takes_all_v4(one) || takes_all_v4(other)) return true;
    if (one.local_addr().Unmapped() == other.local_addr().Unmapped()) {
      return true;
    }
  }
  return takes_v6(one) && takes_v6(other) &&
         (one.local_addr() == ip::kAnyV6 || other.local_addr() == ip::kAnyV6 ||
          one.local_addr() == other.local_addr());
}

}  // namespace

void InvariantWalk::CheckSocket(const TcpSocket& socket) {
  socket_ = &socket;
  if (socket.dead_) return CheckDead(socket);
  Expect(socket.next_socket_ == nullptr ||
             socket.next_socket_->previous_socket_ == &socket,
         "Neighbours in the list of sockets know each other.");
  Expect(socket.port() == 0 || socket.port() == socket.local_port_,
         "The port that a socket has is the one that getsockname(2) returns.");
  if (socket.in_table()) ++counts_.connections;
  if (socket.timers_.armed_ != Clock::kNone) ++counts_.timers;
  counts_.queued += socket.queued_;
  counts_.half_open += socket.half_open_;
  if (socket.listener_ != nullptr) {
    ++(socket.half_open() ? counts_.are_half_open : counts_.in_queue);
    Expect(socket.listener_->state_ == TcpState::kListen,
           "The listener of a connection that was not accepted listens.");
    Expect(socket.references() == 0,
           "No descriptor refers to a connection that was not accepted.");
  }
  switch (socket.state_) {
    case TcpState::kClosed:
      CheckClosed(socket);
      break;
    case TcpState::kListen:
      CheckListener(socket);
      break;
    default:
      CheckConnection(socket);
      break;
  }
  socket_ = nullptr;
}

void InvariantWalk::CheckDead(const TcpSocket& socket) {
  Expect(!socket.in_table() && socket.port() == 0 && socket.peer() == nullptr &&
             socket.listener_ == nullptr &&
             socket.timers_.armed_ == Clock::kNone,
         "No table refers to a socket that is to be freed.");
  Expect(socket.references() == 0,
         "No descriptor refers to a socket that is to be freed.");
  socket_ = nullptr;
}

void InvariantWalk::CheckClosed(const TcpSocket& socket) {
  Expect(!socket.in_table(), "A socket in CLOSED is no end of a connection.");
  Expect(socket.peer() == nullptr, "A socket in CLOSED has no peer.");
  Expect(socket.timers_.armed_ == Clock::kNone &&
             socket.timers_.Earliest() == kForever,
         "A socket in CLOSED has no timer.");
  Expect(socket.queued_ == 0 && socket.queue_first_ == nullptr &&
             socket.half_open_ == 0,
         "Only a listener has an accept queue.");
  Expect(!socket.orphaned(),
         "A socket in CLOSED that nobody can reach is freed.");
}

void InvariantWalk::CheckListener(const TcpSocket& socket) {
  ++counts_.listeners;
  Expect(socket.port() != 0, "A listener has a port.");
  Expect(!socket.in_table() && socket.peer() == nullptr,
         "A listener is no end of a connection.");
  Expect(socket.timers_.armed_ == Clock::kNone, "A listener has no timer.");
  Expect(socket.socket_state_ == TcpSocket::SocketState::kUnconnected,
         "A listener is unconnected.");
  Expect(socket.queued_ >= 0 && socket.half_open_ >= 0,
         "An accept queue has no negative length.");
  Expect((socket.queued_ == 0) == (socket.queue_first_ == nullptr) &&
             (socket.queued_ == 0) == (socket.queue_last_ == nullptr),
         "The length of an accept queue is that of its list.");
}

void InvariantWalk::CheckAcceptQueue(const TcpSocket& socket) {
  int length = 0;
  for (const TcpSocket* one = socket.queue_first_;
       one != nullptr && length < kMostOfQueue; one = one->queue_next_) {
    ++length;
    Expect(one->listener_ == &socket && !one->half_open() && !one->dead_,
           "An accept queue contains connections of its listener whose "
           "handshake is over.");
    Expect(one->queue_next_ != nullptr || socket.queue_last_ == one,
           "The last connection of an accept queue ends its list.");
  }
  Expect(length == std::min(socket.queued_, kMostOfQueue),
         "The length of an accept queue is that of its list.");
}

// Linux checks this in listen(2), with the options of that time
// (inet_csk_bind_conflict() in net/ipv4/inet_connection_sock.c).
void InvariantWalk::CheckSharing(const TcpSocket& socket) {
  const auto& by_port = socket.host_.listeners.by_port_;
  const auto found = by_port.find(socket.local_port_);
  if (found == by_port.end()) {
    return Expect(false, "A listener is in the table of listeners.");
  }
  const auto& listeners = found->second;  // The newest is the first.
  const auto place = std::find(listeners.begin(), listeners.end(), &socket);
  Expect(place != listeners.end(), "A listener is in the table of listeners.");
  if (place == listeners.end()) return;
  const auto older = place + 1;
  const auto end = older + std::min<ptrdiff_t>(listeners.end() - older,
                                               ptrdiff_t{kMostOfQueue});
  for (auto one = older; one != end; ++one) {
    if (!Overlap(socket, **one)) continue;
    Expect(socket.listened_with_reuse_port_ && socket.uid_ == (*one)->uid_,
           "Two listeners share an address and a port only with SO_REUSEPORT "
           "and the same user.");
  }
}

void InvariantWalk::CheckConnection(const TcpSocket& socket) {
  Expect(socket.in_table(),
         "A connection is in the table of connections, by its four-tuple.");
  Expect(socket.port() != 0 && socket.port() == socket.tuple().local.port,
         "A connection has the port of its four-tuple.");
  Expect(socket.remote_.port == socket.tuple().remote.port,
         "A connection has the peer of its four-tuple.");
  Expect(socket.queued_ == 0 && socket.queue_first_ == nullptr &&
             socket.half_open_ == 0,
         "Only a listener has an accept queue.");
  Expect(socket.socket_state_ != TcpSocket::SocketState::kUnconnected &&
             socket.socket_state_ != TcpSocket::SocketState::kDisconnecting,
         "An unconnected socket is in CLOSED or LISTEN.");
  CheckHandshake(socket);
  CheckSequenceNumbers(socket);
  CheckBytes(socket);
  CheckTimers(socket);
}

// Checks that the state (RFC 9293, figure 5) agrees with what has been sent and
// received.
void InvariantWalk::CheckHandshake(const TcpSocket& socket) {
  const TcpState state = socket.state_;
  const SendSide& send = socket.send_;
  const ReceiveSide& receive = socket.receive_;
  const bool fin_received = state == TcpState::kCloseWait ||
                            state == TcpState::kLastAck ||
                            state == TcpState::kClosing;
  Expect(receive.fin_received() == fin_received,
         "The peer's FIN has been received in CLOSE-WAIT, LAST-ACK and CLOSING "
         "only.");
  Expect(
      send.fin_written() == (socket.fin_sent() || state == TcpState::kFinWait2),
      "A FIN is sent in FIN-WAIT-1, FIN-WAIT-2, CLOSING and LAST-ACK only.");
  Expect(send.fin_acknowledged() == (state == TcpState::kFinWait2),
         "FIN-WAIT-2 is the state in which the FIN has been acknowledged.");
  Expect((state == TcpState::kSynSent) == (receive.nxt() == 0),
         "The peer's SYN has been received in all states but SYN-SENT.");
  Expect(!socket.connected() || send.una() >= 1,
         "The SYN has been acknowledged once the handshake is over.");
}

void InvariantWalk::CheckSequenceNumbers(const TcpSocket& socket) {
  const SendSide& send = socket.send_;
  Expect(send.una_ <= send.nxt_, "SND.UNA <= SND.NXT.");
  Expect(send.nxt_ <= send.max_, "SND.NXT <= the highest SND.NXT until now.");
  Expect(send.max_ <= send.end(),
         "Not more has been sent than the program has written.");
  const ReceiveSide& receive = socket.receive_;
  Expect(socket.acknowledged_ <= receive.nxt_,
         "Not more has been acknowledged than has arrived.");
}

// The receiver's queue has the bytes that its peer's program has written and
// its own has not read.
void InvariantWalk::CheckBytes(const TcpSocket& socket) {
  const ReceiveSide& receive = socket.receive_;
  Expect(receive.ready_ <= receive.queue_.size(),
         "The bytes that have arrived are in the queue.");
  Expect(receive.ready_ <= receive.arrived(),
         "Not more waits to be read than has arrived.");
  const TcpSocket* const peer = socket.peer();
  if (peer == nullptr) return;
  Expect(peer->peer() == &socket, "The peer of a socket's peer is the socket.");
  Expect(!peer->dead_ && peer->in_table(), "A peer is an end of a connection.");
  const SendSide& sender = peer->send_;
  Expect(sender.una_ <= receive.nxt_,
         "Not more was acknowledged than the peer has received.");
  Expect(receive.nxt_ <= sender.max_,
         "Not more has arrived than the peer has sent.");
  Expect(receive.queue_.size() - receive.ready_ ==
             sender.written_ - 1 - receive.arrived(),
         "Bytes are conserved: what the peer has written has arrived or is on "
         "its way.");
}

void InvariantWalk::CheckTimers(const TcpSocket& socket) {
  const TcpTimers& timers = socket.timers_;
  const Nanoseconds earliest = timers.Earliest();
  Expect(!timers.listed_, "After a call, all timers are set in the clock.");
  Expect(earliest == kForever ||
             (timers.armed_ != Clock::kNone && timers.armed_.first <= earliest),
         "The clock knows the earliest timer of a socket.");
  const bool opening =
      socket.state_ == TcpState::kSynReceived ||
      (socket.state_ == TcpState::kSynSent && !socket.deferred_connect_);
  Expect(
      !(opening || (socket.connected() && socket.send_.Unacknowledged() > 0)) ||
          timers.IsSet(TcpTimers::kRetransmission),
      "What was not acknowledged has a retransmission timer.");
  Expect(!socket.ack_.owed() || timers.IsSet(TcpTimers::kDelayedAck),
         "An acknowledgement that is owed has a timer.");
  Expect(!socket.connected() || !socket.options_.keep_alive() ||
             timers.IsSet(TcpTimers::kKeepalive),
         "A connection with SO_KEEPALIVE has a keepalive timer.");
}

// Checks that the size of the receive queue is that of its chunks.
void InvariantWalk::CheckQueueMemory(const TcpSocket& socket) {
  const ByteQueue& queue = socket.receive_.queue_;
  Expect((queue.first_ == nullptr) == (queue.size_ == 0) &&
             (queue.last_ == nullptr) == (queue.size_ == 0),
         "An empty queue has no memory.");
  if (queue.size_ == 0) return;
  size_t size = queue.end_;
  int chunks = 0;
  for (const ByteQueue::Chunk* one = queue.first_; one != queue.last_;
       one = one->next) {
    if (++chunks > kMostChunks) return;
    if (one->next == nullptr) break;
    size += ByteQueue::Chunk::kSize;
  }
  Expect(size - queue.begin_ == queue.size_,
         "The memory of a queue has as many bytes as it counts.");
}

void InvariantWalk::CheckTablesOf(const TcpSocket& socket) {
  if (socket.dead_) return;
  socket_ = &socket;
  Expect(PortTable::Lists(socket), "The port of a socket lists it.");
  CheckQueueMemory(socket);
  if (socket.in_table()) {
    Expect(socket.host_.connections.Find(socket.tuple()) == &socket,
           "The table of connections finds a socket by its four-tuple.");
  }
  if (socket.state_ == TcpState::kListen) {
    CheckAcceptQueue(socket);
    CheckSharing(socket);
  }
  const Clock::TimerId armed = socket.timers_.armed_;
  if (armed != Clock::kNone) {
    const auto& timers = kernel_.clock.timers_;
    const auto found = timers.find(armed);
    Expect(found != timers.end() && found->second == &socket.timers_,
           "The clock has the timer of a socket.");
  }
  socket_ = nullptr;
}

}  // namespace net::fake
