#ifndef FAKES_KERNEL_TCP_TCP_SOCKET_H_
#define FAKES_KERNEL_TCP_TCP_SOCKET_H_

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/types/span.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/iovec_cursor.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/ports/ports.h"
#include "fakes/kernel/socket.h"
#include "fakes/kernel/tcp/byte_queue.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"

namespace net::fake {

// What is left of the loopback interface's MTU for data in a segment, of a
// connection whose window is still the first.
inline constexpr uint32_t kFirstMss = 32768;

// A TCP socket (tcp(7)) and its end of a connection (RFC 9293).
//
// Both ends of every connection are on this machine, so there are no packets:
// what one end sends, the other end's On…() method gets at once. Bytes that the
// receiver has no window for wait in the receiver's queue, behind those that
// have arrived, and count as the sender's.
//
// The object outlives the last descriptor as an orphan until its connection has
// ended. It is never freed while code of it may be running: see
// Kernel::FreeDead().
//
// Its rooms: tcp_socket.cc (life, names, options, poll), tcp_connect.cc,
// tcp_listen.cc, tcp_data.cc, tcp_ending.cc (shutdown, close), tcp_segments.cc
// (what arrives).
class TcpSocket final : public Socket,
                        public PortOwner,
                        public ConnectionEnd,
                        private OptionHost,
                        private TimerTarget {
 public:
  // A new socket of AF_INET or AF_INET6, of a user.
  TcpSocket(Kernel& kernel, int family, uid_t uid);
  TcpSocket(const TcpSocket&) = delete;
  TcpSocket& operator=(const TcpSocket&) = delete;

  // File
  int16_t PollEvents() override;
  SysResult Ioctl(uint64_t request, int* value) override;
  std::string Describe() const override;
  const void* SharedObject() const override;

  // Socket
  int domain() const override { return family_; }
  int type() const override { return SOCK_STREAM; }
  SysResult Bind(const Caller& caller, const RawAddress& address) override;
  SysResult Listen(const Caller& caller, int backlog) override;
  SysResult Accept(const Caller& caller, bool nonblocking,
                   TcpSocket** accepted) override;
  SysResult Connect(const Caller& caller, const RawAddress& address,
                    bool nonblocking) override;
  SysResult Name(RawAddress& name) const override;
  SysResult PeerName(RawAddress& name) const override;
  SysResult SetOption(const Caller& caller, int level, int name,
                      const void* value, socklen_t size) override;
  SysResult GetOption(const Caller& caller, int level, int name, void* value,
                      socklen_t* size) override;
  SysResult Shutdown(int how) override;
  SysResult Send(const Caller& caller, absl::Span<const iovec> parts,
                 int flags) override;
  SysResult Recv(const Caller& caller, absl::Span<const iovec> parts,
                 int flags) override;

  // PortOwner, ConnectionEnd
  PortClaim claim() const override;
  TcpSocket* socket() override { return this; }

  // For the listener table, TimeWait and Dump().
  TcpState state() const override { return state_; }
  int family() const override { return family_; }
  const SocketOptions& options() const { return options_; }
  // The address that it is bound to, as its family has it.
  const ip::Addr& local_addr() const { return local_addr_; }
  RawAddress remote_name() const;
  TcpSocket* next_socket() const { return next_socket_; }

 private:
  friend struct Kernel;
  friend class TimeWait;

  // What the socket layer above TCP remembers of it (SS_… in Linux): decides
  // what connect(2) and listen(2) answer, and may differ from what TCP knows.
  enum class SocketState : uint8_t {
    kUnconnected,
    kConnecting,
    kConnected,
    kDisconnecting,
  };
  // What a SYN meets. kQuestioned: an old connection of the same names, which
  // was in its way and is no more.
  enum class SynOutcome : uint8_t { kAccepted, kRefused, kLost, kQuestioned };
  // The directions that are shut down.
  enum Direction : uint8_t { kNeither = 0, kReceive = 1, kSend = 2, kBoth = 3 };

  ~TcpSocket() override;

  // OptionHost
  bool bound() const override { return port() != 0; }
  bool net_admin() const override { return caller_is_admin_; }
  const FakeSysctls& sysctls() const override;
  int TakeError() override;
  TcpInfoSource info_source() const override;

  // --- Life (tcp_socket.cc)
  void OnLastClose(const Caller& caller) override;
  // No program can reach it any more, or ever will.
  bool orphaned() const {
    return references() == 0 && listener_ == nullptr && !lingering_;
  }
  void SetState(TcpState state);
  // The connection is over: nothing goes in or out any more. An orphan dies.
  void Done();
  // Frees an orphan that is closed, when the call that is under way ends.
  void Die();
  void OnTimer() override;

  // --- tcp_connect.cc
  SysResult StartConnect(const RawAddress& address);
  SysResult WaitForConnect(const Caller& caller, bool nonblocking, int pending);
  // Where a program wants to connect to; an errno if it cannot.
  int ParseRemote(const RawAddress& address, ip::Endpoint& remote) const;
  bool MakeUnique(const FourTuple& tuple, bool port_is_chosen) const;
  void GiveUpAddress();
  int FailConnect(int error);
  void LeaveSynReceived();
  void SendSyn();
  SynOutcome Syn();
  void RetrySyn();
  Nanoseconds NextRetry() const;
  void Disconnect();
  void LinkTo(TcpSocket& peer);

  // --- tcp_listen.cc
  bool CanBindTo(const ip::Addr& addr) const;
  PortTable::Range EphemeralPorts() const;
  int ParseLocal(const Caller& caller, const RawAddress& address,
                 ip::Endpoint& local) const;
  void StopListening();
  SynOutcome OnSyn(TcpSocket& client);
  void Enqueue(TcpSocket& child);
  void LeaveQueue(TcpSocket& child);
  void StopDeferring();

  // --- tcp_data.cc
  int WaitUntilConnected(const Caller& caller, bool nonblocking);
  int SendError(const Caller& caller, int flags, int error);
  size_t SendRoom() const;
  size_t Capacity() const;
  size_t Window() const;
  size_t Undelivered() const { return in_.size() - ready_; }
  // What waits for room or is held back; and that with what has gone out
  // without an acknowledgement.
  size_t Unsent() const {
    return peer_ == nullptr ? held_ : peer_->Undelivered();
  }
  size_t Unacknowledged() const;
  // Something has gone out of which nobody hears that it has arrived.
  bool unacknowledged_for_ever() const {
    return peer_unheard_ && (Unacknowledged() > held_ || fin_sent());
  }
  size_t Deliverable() const;
  size_t LowWaterMark(size_t wanted, bool all) const;
  bool nonblocking_call(int flags) const {
    return nonblocking() || (flags & MSG_DONTWAIT) != 0;
  }
  void OnSent(size_t size, bool more);
  void Push();
  void Hold(size_t size);
  void StopHolding();
  bool NagleHolds() const;
  void SendAgainLater();
  bool CopyReady(IovecCursor& cursor, int flags, size_t* copied);
  std::optional<int> EndOfInput();
  // Moves bytes that wait for room, and a FIN behind them, to the receiver.
  void Deliver();
  bool Writable() const;

  // --- tcp_ending.cc
  // Moves to the state that follows when this side ends the stream (RFC 9293,
  // figure 5); false: there is nothing to be sent for that.
  bool EndStream();
  void SendFin();
  // Tells the other end that the connection is gone, if it still knows it.
  void SendReset();
  void CloseConnection(const Caller& caller);
  void WaitForAcknowledgement(const Caller& caller);
  void EnterTimeWait(TcpState state, Nanoseconds duration);
  void LeaveFinWait2();

  // --- tcp_segments.cc
  // What this end sends does not arrive: see spoke_ipv4_.
  bool unheard() const {
    return spoke_ipv4_ && remote_.addr.is_v6() && !remote_.addr.is_v4_mapped();
  }
  // Our FIN is on its way, and was not acknowledged.
  bool fin_sent() const {
    return state_ == TcpState::kFinWait1 || state_ == TcpState::kClosing ||
           state_ == TcpState::kLastAck;
  }
  void OnFin();
  void OnFinAcknowledged();
  void OnReset();
  bool RefusesData() const;
  // What this end has sent finds no such connection.
  void OnNobodyThere();
  // The peer's TIME-WAIT entry, or null.
  TimeWait* PeerTimeWait() const;

  Kernel& kernel_;
  SocketOptions options_;
  TcpSocket* next_socket_ = nullptr;
  TcpSocket* previous_socket_ = nullptr;
  const uint64_t cookie_;  // SO_COOKIE

  const int family_;
  const uid_t uid_;
  TcpState state_ = TcpState::kClosed;
  SocketState socket_state_ = SocketState::kUnconnected;
  uint8_t shut_down_ = kNeither;
  bool address_locked_ = false;  // by bind(2): outlives the connection
  bool port_locked_ = false;     // by bind(2), by its number
  // An IPv6 socket that has connected to an IPv4 address or was accepted from
  // one, or whose listener had: Linux goes on sending its packets as IPv4.
  bool spoke_ipv4_ = false;
  bool peer_unheard_ = false;  // the other end's: outlives it
  bool fin_received_ = false;
  bool fin_waits_ = false;  // our FIN waits behind bytes for room
  bool caller_is_admin_ = false;
  bool lingering_ = false;  // in the last close(2), which waits
  bool dead_ = false;
  int error_ = 0;  // SO_ERROR
  int disconnects_ = 0;

  ip::Addr local_addr_;
  // What getsockname(2) says; port() is what is really taken.
  uint16_t local_port_ = 0;
  ip::Endpoint remote_;  // port 0: none

  // The other end, while it has a socket that knows this one.
  TcpSocket* peer_ = nullptr;
  // From the peer: the first ready_ bytes have arrived.
  ByteQueue in_;
  size_t ready_ = 0;
  size_t held_ = 0;  // of what the peer has from us, the last bytes
  uint32_t mss_ = kFirstMss;
  uint64_t bytes_sent_ = 0;
  uint64_t bytes_received_ = 0;

  // SYNs again, the end of deferring or of holding back, or what was not
  // acknowledged again.
  Clock::TimerId timer_ = Clock::kNone;
  Nanoseconds syn_sent_at_ = 0;
  int retransmits_ = 0;

  // A listener's queue, and a connection's place in it.
  TcpSocket* listener_ = nullptr;
  TcpSocket* queue_next_ = nullptr;
  TcpSocket* queue_first_ = nullptr;
  TcpSocket* queue_last_ = nullptr;
  int queued_ = 0;
  int backlog_ = 0;
  int deferring_ = 0;      // connections that are not in the queue yet
  bool deferred_ = false;  // this is one (TCP_DEFER_ACCEPT)
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_TCP_SOCKET_H_
