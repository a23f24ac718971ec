#ifndef FAKES_KERNEL_TCP_TCP_SOCKET_H_
#define FAKES_KERNEL_TCP_TCP_SOCKET_H_

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/iovec_cursor.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/ports/ports.h"
#include "fakes/kernel/socket.h"
#include "fakes/kernel/tcp/delayed_ack.h"
#include "fakes/kernel/tcp/host.h"
#include "fakes/kernel/tcp/loss_state.h"
#include "fakes/kernel/tcp/message_state.h"
#include "fakes/kernel/tcp/receive_side.h"
#include "fakes/kernel/tcp/receive_window.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/segment_borders.h"
#include "fakes/kernel/tcp/send_side.h"
#include "fakes/kernel/tcp/socket_pool.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/tcp/tcp_timers.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"

namespace net::fake {

// A TCP socket (tcp(7)) and its end of a connection (RFC 9293).
//
// The two ends of a connection know each other by segments only (see Network).
// Exception: the sender puts its bytes into the receiver's queue immediately,
// where they wait for the segments that carry them (see ReceiveSide).
//
// The object outlives the last descriptor as an orphan until its connection has
// ended. It is never freed while code of it may be running: see
// Kernel::FreeDead().
//
// Its files:
//   tcp_socket.cc     life, names, options, poll(2)
//   tcp_connect.cc    connect(2)
//   tcp_fast_open.cc  MSG_FASTOPEN
//   tcp_listen.cc     bind(2), listen(2), accept4(2)
//   tcp_data.cc       send(2), recv(2)
//   tcp_messages.cc   control messages, the error queue, TCP_SAVED_SYN
//   tcp_ending.cc     shutdown(2), close(2)
//   tcp_handshake.cc  the segments of the handshake
//   tcp_segments.cc   other segments that arrive
//   tcp_output.cc     what is sent, and the timers
//   tcp_loss.cc       what is sent again, and when
class TcpSocket final : public Socket,
                        public PortOwner,
                        public ConnectionEnd,
                        private OptionHost,
                        private TcpTimers::Owner {
 public:
  // A new socket of AF_INET or AF_INET6, of a user of `host`.
  TcpSocket(Kernel& kernel, Host& host, int family, uid_t uid);
  TcpSocket(const TcpSocket&) = delete;
  TcpSocket& operator=(const TcpSocket&) = delete;

  // The memory is that of the kernel's pool.
  static void* operator new(size_t size, SocketPool& pool) {
    return pool.Take(size);
  }
  static void operator delete(void* memory, SocketPool& pool) {
    pool.Give(memory);
  }
  static void operator delete(TcpSocket* socket, std::destroying_delete_t);

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
  SysResult SendTo(const Caller& caller, const RawAddress* address,
                   absl::Span<const iovec> parts, int flags) override;
  SysResult Recv(const Caller& caller, absl::Span<const iovec> parts,
                 int flags) override;
  SysResult RecvMsg(const Caller& caller, absl::Span<const iovec> parts,
                    int flags, ControlWriter& control) override;

  // PortOwner, ConnectionEnd
  PortClaim claim() const override;
  TcpSocket* socket() override { return this; }

  // For the listener table, TimeWait, Network and Dump().
  TcpState state() const override { return state_; }
  int family() const override { return family_; }
  const SocketOptions& options() const { return options_; }
  // The address that the socket is bound to, in the form of its family.
  const ip::Addr& local_addr() const { return local_addr_; }
  // Returns whether SO_BINDTOIFINDEX names an interface that does not exist.
  bool has_no_interface() const { return options_.bound_interface() > 1; }
  RawAddress remote_name() const;
  TcpSocket* next_socket() const { return next_socket_; }
  Host& host() const { return host_; }
  uint64_t connection() const { return connection_; }
  const SendSide& send_side() const { return send_; }
  const ReceiveSide& receive_side() const { return receive_; }

  // Processes a segment for this end of a connection.
  void OnSegment(const Segment& segment);
  // Processes a SYN that has arrived at this listener.
  void OnSyn(const Segment& syn);

  // Implement send(2) and recv(2) in the usual case, without blocking, and
  // without a change that counts in KernelMutex::disturbances(). In any other
  // case they return false, or 0, and have no effect.
  bool SendQuickly(const void* data, size_t size, int flags);
  size_t RecvQuickly(void* data, size_t size, int flags);

 private:
  friend struct Kernel;
  friend class InvariantWalk;
  friend struct StateCorruption;

  // The purpose of the timer of what is in flight.
  enum class TimerUse : uint8_t {
    kTimeout,     // a retransmission
    kLossProbe,   // RFC 8985, section 7
    kReordering,  // RFC 8985, section 6: the end of the time that it may take
  };

  // The state of the socket layer above TCP (SS_… in Linux). It decides the
  // results of connect(2) and listen(2), and may differ from TCP's state.
  enum class SocketState : uint8_t {
    kUnconnected,
    kConnecting,
    kConnected,
    kDisconnecting,
  };
  // The flags that change nothing for calls that need not wait.
  static constexpr int kUsualFlags = MSG_DONTWAIT | MSG_NOSIGNAL;

  // The directions that are shut down.
  enum Direction : uint8_t { kNeither = 0, kReceive = 1, kSend = 2, kBoth = 3 };

  // `listener`: of an accepted socket, which inherits its options; else null.
  TcpSocket(Kernel& kernel, Host& host, int family, uid_t uid,
            const TcpSocket* listener, bool over_ipv6);
  ~TcpSocket() override;

  // OptionHost
  bool bound() const override { return port() != 0; }
  bool net_admin() const override { return caller_is_admin_; }
  const FakeSysctls& sysctls() const override {
    return host_.machine.sysctls();
  }
  int TakeError() override;
  void KeepError(int error) override { error_ = error; }
  TcpInfoSource info_source() const override;

  // --- Life (tcp_socket.cc)
  void OnLastClose(const Caller& caller) override;
  // Returns whether no program can use the socket, now or later.
  bool orphaned() const {
    return references() == 0 && listener_ == nullptr && !lingering_;
  }
  void SetState(TcpState state);
  void SetQuickAck(int value);
  // Adds the part of TCP_INFO that a connection has.
  void AddConnectionInfo(TcpInfoSource& source) const;
  // Ends the sharing of queues with the other end.
  void Unlink();
  // Ends the connection: nothing is sent or received any more. An orphan dies.
  void Done();
  // Ends the connection without sending a segment, because the machine has
  // started again.
  void Forget();
  // Frees an orphan that is closed, when the call that is under way ends.
  void Die();

  // --- tcp_connect.cc
  SysResult StartConnect(const RawAddress& address);
  SysResult WaitForAnswer(const Caller& caller);
  SysResult WaitForConnect(const Caller& caller, bool nonblocking, int pending);
  SysResult EndConnect(const Caller& caller, bool nonblocking, int pending,
                       int disconnects);
  // Stores the endpoint to connect to. Returns an errno if there is none.
  int ParseRemote(const RawAddress& address, ip::Endpoint& remote) const;
  bool MakeUnique(const FourTuple& tuple, bool port_is_chosen) const;
  void GiveUpAddress();
  int FailConnect(int error);
  void SendSyn();
  Nanoseconds NextSyn() const;
  void RetransmitSyn();
  void Disconnect();

  // --- tcp_fast_open.cc
  SysResult SendFastOpen(const Caller& caller, const RawAddress* address,
                         absl::Span<const iovec> parts, int flags);
  // Require that remote_ is known.
  bool HasFastOpenCookie() const;
  bool DefersConnect() const;
  void GiveFastOpenCookie(TcpSocket& client);
  SysResult SendDeferred(const Caller& caller, absl::Span<const iovec> parts,
                         int flags);
  SysResult SendWithSyn(const Caller& caller, absl::Span<const iovec> parts,
                        int flags);
  SysResult SendWithLostSyn(const Caller& caller, absl::Span<const iovec> parts,
                            size_t size, int flags);
  void SendSynData();

  // --- tcp_listen.cc
  bool CanBindTo(const ip::Addr& addr) const;
  PortTable::Range EphemeralPorts() const;
  int ParseLocal(const Caller& caller, const RawAddress& address,
                 ip::Endpoint& local) const;
  void StopListening();
  TcpSocket* NewChild(const Segment& syn);
  void SendSynAck();
  void RetransmitSynAck();
  // Ends a connection of a listener that is not in its queue yet.
  void DropHalfOpen();
  bool half_open() const {
    return listener_ != nullptr && state_ == TcpState::kSynReceived;
  }
  void Enqueue(TcpSocket& child);
  void LeaveQueue(TcpSocket& child);

  // --- tcp_data.cc, tcp_data_path.h
  int Block(LazyWait& wait, const Caller& caller, Nanoseconds timeout,
            size_t transferred);
  int WaitUntilConnected(const Caller& caller, bool nonblocking);
  int SendError(const Caller& caller, int flags, int error);
  bool CanSendAtOnce(const iovec& part) const;
  bool CanRecvAtOnce(size_t size) const;
  bool MayPassOn() const;
  bool CanPassOn(size_t size) const;
  void PassOn(const char* data, size_t size);
  size_t RecvAtOnce(const iovec& part);
  size_t BytesUntilReset() const;
  SysResult SendParts(const Caller& caller, absl::Span<const iovec> parts,
                      int flags);
  SysResult RecvParts(const Caller& caller, absl::Span<const iovec> parts,
                      int flags);
  size_t SendRoom() const;
  // Returns whether the handshake is over, and the state is not CLOSED.
  bool connected() const {
    constexpr auto kBit = [](TcpState state) {
      return 1U << static_cast<unsigned>(state);
    };
    constexpr unsigned kOthers =
        kBit(TcpState::kClosed) | kBit(TcpState::kListen) |
        kBit(TcpState::kSynSent) | kBit(TcpState::kSynReceived);
    return (kBit(state_) & kOthers) == 0;
  }
  size_t UnacknowledgedBytes() const {
    return connected() ? send_.UnacknowledgedBytes() : 0;
  }
  size_t UnsentBytes() const { return connected() ? send_.UnsentBytes() : 0; }
  // Returns the number of bytes that the two buffers hold.
  size_t Capacity() const;
  size_t Window() const {
    return static_cast<size_t>(options_.rcvbuf()) / 8 * 7;
  }
  // Returns the number of bytes at which a recv(2) of `wanted` bytes returns:
  // all of them (MSG_WAITALL), or SO_RCVLOWAT.
  size_t LowWaterMark(size_t wanted, bool all) const {
    const auto mark = static_cast<size_t>(options_.rcvlowat());
    return std::max<size_t>(all ? wanted : std::min(mark, wanted), 1);
  }
  bool nonblocking_call(int flags) const {
    return nonblocking() || (flags & MSG_DONTWAIT) != 0;
  }
  size_t PeekOffset() const;
  void MovePeekOffset(bool peek, size_t copied);
  bool CopyReady(IovecCursor& cursor, int flags, size_t* copied);
  std::optional<int> EndOfInput();
  bool Writable() const;
  void WakeIfWritable();
  // Wakes the calls that wait for data.
  void WakeIfReadable() {
    if (!waiters().empty()) WakeReaders();
  }
  void WakeReaders();
  // Returns whether TCP_NOTSENT_LOWAT admits more (tcp_stream_memory_free() of
  // Linux).
  bool UnsentIsLow() const;

  // --- tcp_messages.cc
  // Records, for SO_TIMESTAMP, that the data from `begin` on has arrived.
  void NoteArrival(uint64_t begin);
  // Returns when the data with the sequence number `byte` has arrived.
  Nanoseconds ArrivalOf(uint64_t byte) const;
  MessageState& Messages();
  // Records a send with MSG_ZEROCOPY, which ends with the last byte written.
  void NoteZeroCopy();
  bool HasNotification() const;
  // Takes a notification from the error queue. Discards it if `control` is
  // null.
  SysResult TakeNotification(ControlWriter* control);
  // Saves the SYN of `client` (TCP_SAVE_SYN). `saves`: see
  // SocketOptions::save_syn().
  void SaveSyn(const TcpSocket& client, int saves);
  SysResult GetSavedSyn(void* value, socklen_t* size);

  // --- tcp_ending.cc
  // Moves to the state that follows when this side ends the stream (RFC 9293,
  // figure 5). Returns false if no FIN is to be sent.
  bool EndStream();
  void SendFin();
  void CloseConnection(const Caller& caller);
  void WaitForAcknowledgement(const Caller& caller);
  void EnterTimeWait(TcpState state, Nanoseconds duration);
  void LeaveFinWait2();
  // Returns whether this side's FIN was written, and not acknowledged.
  bool fin_sent() const {
    return state_ == TcpState::kFinWait1 || state_ == TcpState::kClosing ||
           state_ == TcpState::kLastAck;
  }

  // --- tcp_handshake.cc
  void OnSegmentInSynSent(const Segment& segment);
  void OpenSimultaneously(const Segment& syn);
  void OnSynAck(const Segment& segment);
  void AcknowledgeSynAck(const Segment& syn_ack);
  void BoundFirstFlight(const Segment& segment, Nanoseconds first_syn_at);
  bool EchoesNoSynAck(const Segment& segment) const;
  bool MayBeQueued(const Segment& segment) const;
  // Ends the handshake of an end that has received a SYN. Returns false if it
  // must go on, because of a full queue or TCP_DEFER_ACCEPT.
  bool LeaveSynReceived(const Segment& segment);
  // Learns from the peer's SYN.
  void OnPeersSyn(const Segment& syn);
  // Makes this and `peer` share their queues.
  void LinkTo(TcpSocket& peer);

  // --- tcp_segments.cc
  bool IsPredicted(const Segment& segment) const;
  void OnPredicted(const Segment& segment);
  void OnOtherSegment(const Segment& segment);
  void AfterNews();
  void CountArrival(const Segment& segment);
  // Processes the acknowledgement of `segment`. Returns whether it is new.
  bool OnAck(const Segment& segment);
  bool HasNoNews(const Segment& segment) const;
  void OnNewAck(const Segment& segment);
  void OnIdleWindow();
  // Processes the data of `segment`. Returns false if it was answered by a
  // reset.
  bool OnData(const Segment& segment);
  // Keeps the data and the FIN of a segment that arrives out of order.
  void KeepOutOfOrder(const Segment& segment);
  void TakeData(uint64_t seq, uint32_t size, Nanoseconds now, bool has_gap);
  void NoteData(uint32_t size, Nanoseconds now);
  void NoteUnusualData(uint32_t size, Nanoseconds now);
  void OnFin();
  void OnFinAcknowledged();
  void OnReset();
  bool RefusesData() const;
  // Returns whether SO_RCVBUF has no room for a segment with `size` bytes.
  bool LacksMemoryFor(uint32_t size) const;
  bool MakeRoomFor(uint32_t size);

  // --- tcp_output.cc
  // Returns whether all segments of this end are lost: see spoke_ipv4_.
  bool loses_all_segments() const {
    return spoke_ipv4_ && remote_.addr.is_v6() && !remote_.addr.is_v4_mapped();
  }
  // Returns the segment, for further changes, or null if it is lost.
  Segment* Transmit(int flags, uint64_t seq, uint32_t size);
  // The same for Push(), of which each send(2) makes a call.
  Segment* TransmitInline(int flags, uint64_t seq, uint32_t size,
                          Segment* own = nullptr);
  void TransmitPieceInline(SendSide::Piece piece, bool probe,
                           Segment* own = nullptr);
  void NoteAcknowledgement(int flags);
  // Sends a piece. `probe`: of a window, or of data that was held back for too
  // long.
  void TransmitPiece(SendSide::Piece piece, bool probe = false);
  void SendAck() { Transmit(Segment::kAck, seq_of_control(), 0); }
  // Acknowledges, and reports that data up to `twice_until` has arrived twice.
  void SendDuplicateAck(uint64_t twice_until);
  // Adds a block that has arrived out of order.
  void AddBlock(Segment& segment) const;
  void SendReset() {
    Transmit(Segment::kRst | Segment::kAck, seq_of_control(), 0);
  }
  // Returns the reason why a small segment waits. `more`: in a send(2) with
  // MSG_MORE.
  SendSide::Hold HoldFor(bool more) const {
    if (more || options_.cork()) return SendSide::Hold::kCork;
    return options_.nodelay() ? SendSide::Hold::kNone : SendSide::Hold::kNagle;
  }
  // Sends as much as the window and the rules for small segments admit.
  void Push(SendSide::Hold hold);
  void PushPending() {
    if (send_.Unacknowledged() == 0) {
      timers_.Clear(TcpTimers::kRetransmission);
    } else {
      Push(HoldFor(/*more=*/false));
    }
  }
  // Called when the program has read. Announces the new room, if it is large
  // enough, and acknowledges data whose acknowledgement is due.
  void AfterRead(bool took);
  // Acknowledges the data that has arrived, now or later.
  void AcknowledgeArrival();
  bool quick_ack_route() const;
  ReceiveWindow::Memory memory() const {
    const auto ready = static_cast<uint32_t>(receive_.ready());
    return {.buffer = static_cast<uint32_t>(options_.rcvbuf()),
            .used = ready == 0 ? 0 : ready + ReceiveWindow::kOverhead};
  }
  // Returns the window of a SYN, in bytes.
  uint32_t FirstWindow() const;
  // Returns the window that is to be announced now, in bytes.
  // As __tcp_select_window() of Linux (net/ipv4/tcp_output.c).
  uint32_t SelectWindow() {
    if (receive_.ready() > 0 || !receive_.space().has_scale()) {
      return SelectSmallerWindow();
    }
    return receive_.space().WhenEmpty(static_cast<uint32_t>(options_.rcvbuf()));
  }
  uint32_t SelectSmallerWindow();
  uint64_t seq_of_control() const {
    return send_.seq_of_control(receive_.space().unit());
  }
  // The window that the last acknowledgement has announced, in bytes.
  uint32_t announced_window() const {
    return static_cast<uint32_t>(
        receive_.window_end() - std::min(acknowledged_, receive_.window_end()));
  }
  // Sets or clears the timer for what was sent, or for the probe of a window.
  void SetRetransmissionTimer();
  Nanoseconds least_timeout() const {
    return sysctls().tcp_rto_min_us * (kSecond / 1000000);
  }
  Nanoseconds Timeout() const {
    return send_.rto().Get(least_timeout(),
                           sysctls().tcp_rto_max_ms * (kSecond / 1000));
  }
  // Returns the time that TCP_USER_TIMEOUT leaves of `timeout`, after
  // `elapsed`.
  Nanoseconds Clamp(Nanoseconds timeout, Nanoseconds elapsed) const;
  Nanoseconds user_timeout() const {
    return options_.user_timeout() * (kSecond / 1000);
  }
  bool ProbedForTooLong() const;
  void OnTimer(TcpTimers::Kind kind) override;
  void OnRetransmissionTimer();
  void ProbeWindow();
  void StartKeepalive();
  void OnKeepaliveOption(int level, int name, bool was_on);
  void OnKeepaliveTimer();

  // --- tcp_loss.cc
  const LossState& loss() const;
  LossState& Loss();
  void ForgetLoss();
  // Returns whether the recovery from a loss has not ended.
  bool IsRecovering() const {
    return loss_ != nullptr && send_.una() < loss_->recovery_end;
  }
  // Returns whether something is lost, or has arrived out of order: the states
  // of Linux but TCP_CA_Open and TCP_CA_CWR.
  bool IsDisordered() const {
    return loss_ != nullptr &&
           (send_.una() < loss_->recovery_end || !loss_->selected.empty());
  }
  // Returns whether one segment is in flight.
  bool one_in_flight() const { return send_.una() + last_size_ >= send_.max(); }
  // Returns the sequence number at which the last segment in flight begins.
  uint64_t last_segment() const { return send_.max() - last_size_; }
  // Returns the number of segments in flight that begin before `end`.
  uint32_t SegmentsBefore(uint64_t end) const;
  // Returns how many of them were selectively acknowledged.
  uint32_t SelectedBefore(uint64_t end) const;
  // Called before a segment, [SND.NXT, `end`), is sent.
  void NoteBorders(uint64_t end);
  bool PeerHas(uint64_t seq) const;
  bool PeerHolds(uint64_t seq) const;
  void NoteRetransmission(SendSide::Piece piece);
  SendSide::Piece NextPiece(SendSide::Hold hold) const {
    return send_.nxt() == send_.max() ? send_.Next(hold)
                                      : NextRetransmission(hold);
  }
  SendSide::Piece NextRetransmission(SendSide::Hold hold) const;
  void RestartRetransmissionTimer();
  bool SetLossProbe(bool after_ack);
  Nanoseconds LossProbeTimeout(bool after_ack) const;
  void OnLossTimer();
  void SendLossProbe();
  // Returns whether sent data has been unacknowledged for too long.
  bool RetransmittedForTooLong() const;
  // ETIMEDOUT.
  void TimeOut();
  void BeginRecovery();
  void Retransmit();
  bool NoteBlock(const Segment& segment);
  void SkipSelected();
  uint64_t BorderAfter(uint64_t seq) const;
  void OnSelectiveAck();
  void RecoverSelectively();
  void SendMissing();
  bool ShowsNoLoss(uint64_t ack) const;
  void UndoRecovery();
  void NoteLossNews(const Segment& segment, bool is_duplicate);
  bool AcknowledgesLateOrPartly(const Segment& segment);
  void AdvanceTo(uint64_t ack);
  void RestartAfterAck();
  void MeasureRoundTrip(const Segment& segment, uint64_t begin);
  // Measures the round trip of the SYN, or of the SYN-ACK.
  void MeasureSyn(const Segment& segment) {
    if (segment.echo >= 0) NoteRoundTrip(kernel_.clock.now() - segment.echo);
  }
  void NoteRoundTrip(Nanoseconds span) {
    send_.rto().Measure(span, send_.una(), send_.max(), least_timeout());
  }

  Kernel& kernel_;
  Host& host_;
  SocketOptions options_;
  TcpSocket* next_socket_ = nullptr;
  TcpSocket* previous_socket_ = nullptr;
  const uint64_t cookie_;  // SO_COOKIE

  const int family_;
  const uid_t uid_;
  TcpState state_ = TcpState::kClosed;
  SocketState socket_state_ = SocketState::kUnconnected;
  uint8_t shut_down_ = kNeither;
  bool lacks_memory_ = false;  // A segment was dropped: see LacksMemoryFor().
  // A send(2) or poll(2) has found too little room: SOCK_NOSPACE of Linux.
  bool lacks_send_room_ = false;
  bool listened_with_reuse_port_ = false;  // SO_REUSEPORT in listen(2).
  bool address_locked_ = false;  // by bind(2): outlives the connection
  bool port_locked_ = false;     // by bind(2), by its number
  // An IPv6 socket that has connected to an IPv4 address or was accepted from
  // one, or whose listener had: Linux goes on sending its packets as IPv4.
  bool spoke_ipv4_ = false;
  bool caller_is_admin_ = false;
  bool lingering_ = false;  // in the last close(2), which waits
  bool dead_ = false;
  bool fast_open_ = false;         // MSG_FASTOPEN has started the connection.
  bool has_cookie_ = false;        // Had one that it wanted before the SYN.
  bool deferred_connect_ = false;  // The SYN waits for data (TCP Fast Open).
  bool opened_actively_ = false;   // By connect(2).
  // Whether the SYN-ACK of a connection was acknowledged that its listener does
  // not take yet, because its queue is full or because there is no data
  // (TCP_DEFER_ACCEPT).
  bool syn_ack_acknowledged_ = false;
  // Whether so many connections were half-open that Linux made this one by a
  // SYN cookie (RFC 4987). Linux then does not wait for its data.
  bool by_syn_cookie_ = false;
  TimerUse timer_use_ = TimerUse::kTimeout;
  // The port that getsockname(2) returns; port() is the one that is taken.
  uint16_t local_port_ = 0;
  uint16_t probes_ = 0;  // That were not answered.
  int error_ = 0;        // SO_ERROR
  int disconnects_ = 0;

  ip::Addr local_addr_;
  ip::Endpoint remote_;  // port 0: none

  // The connection.
  uint64_t connection_ = 0;  // Segment::connection
  SendSide send_;
  ReceiveSide receive_;
  // The next two members are in its padding.
  [[no_unique_address]] TcpTimers timers_;
  uint16_t retransmits_ = 0;  // In a row.
  uint32_t last_size_ = 0;    // Of the last segment in flight, with its FIN.
  // Null until MSG_ZEROCOPY is used, or data arrives while SO_TIMESTAMP or its
  // like is on.
  std::unique_ptr<MessageState> messages_;
  // Of an accepted socket: TCP_SAVED_SYN; null: not saved, or read. Of one that
  // connects: the data of a SYN that got no answer (TCP Fast Open), or null.
  std::unique_ptr<std::vector<uint8_t>> syn_bytes_;
  // When the first segment in flight was sent: the SYN, or data. Of a
  // listener's connection that is half open: when the last SYN-ACK was sent.
  Nanoseconds head_sent_at_ = 0;
  Nanoseconds echo_ = -1;     // Of the last segment that arrived: its sent_at.
  Nanoseconds heard_at_ = 0;  // When the last valid segment has arrived.
  Nanoseconds last_sent_at_ = 0;     // When the last one in flight was sent.
  std::unique_ptr<LossState> loss_;  // Null until something is lost.
  // Null until three segments are in flight.
  std::unique_ptr<SegmentBorders> borders_;
  // For TCP_INFO.
  uint32_t segs_in_ = 0;
  uint32_t segs_out_ = 0;
  uint32_t data_segs_in_ = 0;
  uint32_t data_segs_out_ = 0;
  Nanoseconds data_sent_at_ = 0;

  // The value of KernelMutex::disturbances() when MayPassOn() held.
  uint64_t passed_on_at_ = 0;

  DelayedAck ack_;
  // The bytes and FINs that arrived until the last acknowledgement.
  uint64_t acknowledged_ = 0;

  // A listener's queue, and a connection's place in it.
  TcpSocket* listener_ = nullptr;
  TcpSocket* queue_next_ = nullptr;
  TcpSocket* queue_first_ = nullptr;
  TcpSocket* queue_last_ = nullptr;
  int queued_ = 0;
  int backlog_ = 0;
  int half_open_ = 0;  // connections that are not in the queue yet

  // For TCP_INFO, too. Here it costs no memory.
  uint32_t total_retrans_ = 0;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_TCP_SOCKET_H_
