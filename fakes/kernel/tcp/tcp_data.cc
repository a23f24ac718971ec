// The parts of TcpSocket that move bytes: send(2), recv(2).

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/base/optimization.h"
#include "absl/types/span.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/iovec_cursor.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/tcp/tcp_data_path.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/user_memory.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/sys_result.h"

namespace net::fake {
// --- How much fits -----------------------------------------------------------

// Linux looks at SO_SNDBUF, and at TCP_NOTSENT_LOWAT, only where it begins a
// segment, which it then fills (tcp_sendmsg_locked(), net/ipv4/tcp.c). So even
// the smallest buffer takes a whole segment.
inline size_t TcpSocket::SendRoom() const {
  const size_t segment = send_.segment();
  const size_t waiting = UnacknowledgedBytes();
  const size_t begun = UnsentBytes() % segment;
  const size_t rest = begun == 0 ? 0 : segment - begun;
  if (waiting + rest >= Capacity()) return rest;
  if (options_.notsent_lowat() == 0) {
    const size_t room = Capacity() - waiting - rest;
    return rest + (room + segment - 1) / segment * segment;
  }
  if (rest > 0) return rest;
  return UnsentIsLow() ? segment : 0;
}

// __tcp_stream_memory_free() of Linux (net/ipv4/tcp.c). What has not been sent
// must be below TCP_NOTSENT_LOWAT.
bool TcpSocket::UnsentIsLow() const {
  const uint32_t mark = options_.notsent_lowat();
  return mark == 0 || UnsentBytes() < mark;
}

// __sk_stream_is_writeable() of Linux (include/net/sock.h), as poll(2) and who
// wakes a send(2) call it: a third of the buffer must be free, and what has not
// been sent must be below half of TCP_NOTSENT_LOWAT. Otherwise each byte that
// is read would bring an event.
bool TcpSocket::Writable() const {
  const uint32_t mark = options_.notsent_lowat();
  return UnacknowledgedBytes() * 3 <= Capacity() * 2 &&
         (mark == 0 || UnsentBytes() * 2 < mark);
}

// Wakes the calls that wait for room: sk_stream_write_space() of Linux
// (net/core/stream.c). It wakes a blocked recv(2), too.
void TcpSocket::WakeIfWritable() {
  if (!Writable()) return;
  lacks_send_room_ = false;
  waiters().WakeOne(POLLOUT | POLLWRNORM);
}

// Wakes no call while there are fewer bytes than SO_RCVLOWAT (tcp_data_ready()
// of Linux, net/ipv4/tcp_input.c).
void TcpSocket::WakeReaders() {
  if (receive_.ready() >= LowWaterMark(Window(), /*all=*/false)) {
    waiters().WakeOne(POLLIN | POLLRDNORM);
  }
}

// --- send(2) -----------------------------------------------------------------

// Returns the errno of a send(2) that cannot go on. A pending error is returned
// and cleared.
int TcpSocket::SendError(const Caller& caller, int flags, int error) {
  if (error != EPIPE) return error;
  const int pending = TakeError();
  if (pending != 0 && pending != EPIPE) return pending;
  if ((flags & MSG_NOSIGNAL) == 0) caller.SendSigpipe();
  return EPIPE;
}

// Blocks a call until something of this socket has changed. Returns 0 if the
// call is to look again, or the errno with which it ends. `timeout` counts from
// the first time. A signal whose handler restarts system calls
// (SA_RESTART, signal(7)) ends the call only if it has a timeout, or has
// transferred bytes.
int TcpSocket::Block(LazyWait& wait, const Caller& caller, Nanoseconds timeout,
                     size_t transferred) {
  if (!wait.begun()) {
    wait.Begin(kernel_.scheduler, caller.site, kernel_.clock.After(timeout))
        .Add(waiters());
  }
  const int disconnects = disconnects_;
  const Woken woken = wait.Block();
  if (disconnects != disconnects_) return EPIPE;
  if (woken == Woken::kEvent) return 0;
  const bool restarts = timeout == kForever && transferred == 0;
  if (woken == Woken::kRestart && restarts) return 0;
  return ErrnoFor(woken);
}

// send(2) waits for a connection that is being made. 0, or an errno.
int TcpSocket::WaitUntilConnected(const Caller& caller, bool nonblocking) {
  const Nanoseconds timeout = options_.sndtimeo().value_or(kForever);
  LazyWait wait;
  while (state_ != TcpState::kEstablished && state_ != TcpState::kCloseWait) {
    if (const int error = TakeError(); error != 0) return error;
    if (state_ != TcpState::kSynSent) return EPIPE;
    if (nonblocking) return EAGAIN;
    const int error = Block(wait, caller, timeout, /*transferred=*/0);
    if (error != 0) return error;
  }
  return 0;
}

SysResult TcpSocket::Send(const Caller& caller, absl::Span<const iovec> parts,
                          int flags) {
  // The usual case, without the loop of the others.
  if (parts.size() != 1 || (flags & ~kUsualFlags) != 0 ||
      !CanSendAtOnce(parts.front())) {
    return SendParts(caller, parts, flags);
  }
  const auto* const data = static_cast<const char*>(parts.front().iov_base);
  const size_t size = parts.front().iov_len;
  if (MayPassOn() && CanPassOn(size)) {
    PassOn(data, size);
  } else {
    peer()->receive_.queue().Append(kernel_.chunks, data, size);
    send_.Write(size);
    Push(HoldFor(/*more=*/false));
  }
  kernel_.network.Deliver();
  return SysResult::Ok(static_cast<int64_t>(size));
}

// Not inlined into its caller, which needs as many registers.
bool TcpSocket::SendQuickly(const void* data, size_t size, int flags) {
  const uint64_t now = kernel_.mutex.disturbances();
  if (ABSL_PREDICT_FALSE((flags & ~kUsualFlags) != 0 || size == 0 ||
                         !IsUserAddress(data, size))) {
    return false;
  }
  if (passed_on_at_ != now) {
    if (!MayPassOn()) return false;
    passed_on_at_ = now;
  }
  assert(MayPassOn());
  if (ABSL_PREDICT_FALSE(!CanPassOn(size))) return false;
  PassOn(static_cast<const char*>(data), size);
  return true;
}

// Returns the bytes that one send(2) writes before it sees the reset of a peer
// that is closed. After 16 segments, Linux looks at what has arrived meanwhile
// (tcp_sendmsg_locked(), net/ipv4/tcp.c).
size_t TcpSocket::BytesUntilReset() const {
  constexpr size_t kSegments = 16;
  return peer() != nullptr ? SIZE_MAX : kSegments * send_.segment();
}

SysResult TcpSocket::SendParts(const Caller& caller,
                               absl::Span<const iovec> parts, int flags) {
  // Urgent data is not modelled.
  if ((flags & MSG_OOB) != 0) return SysResult::Error(EOPNOTSUPP);
  if (deferred_connect_) return SendDeferred(caller, parts, flags);
  const bool nonblocking = nonblocking_call(flags);
  int error = 0;
  if (state_ != TcpState::kEstablished && state_ != TcpState::kCloseWait) {
    error = WaitUntilConnected(caller, nonblocking);
    if (error != 0) return SysResult::Error(SendError(caller, flags, error));
  }
  IovecCursor cursor(parts);
  const size_t total = cursor.total();
  size_t sent = 0;
  LazyWait wait;
  for (;;) {
    error = error_ != 0 || (shut_down_ & kSend) != 0 ? EPIPE : 0;
    if (error != 0) break;
    const size_t room = std::min(SendRoom(), BytesUntilReset());
    size_t now = 0;
    while (now < room && sent < total) {
      size_t size = 0;
      const char* const piece = cursor.Next(room - now, &size);
      if (piece == nullptr) {
        error = EFAULT;
        break;
      }
      if (peer() != nullptr) {
        peer()->receive_.queue().Append(kernel_.chunks, piece, size);
      }
      now += size;
      sent += size;
    }
    if (now > 0) {
      send_.Write(now);
      Push(HoldFor((flags & MSG_MORE) != 0));
      // With TCP_NOTSENT_LOWAT, the window counts that was known when the call
      // began: acknowledgements wait until it is over.
      if (options_.notsent_lowat() == 0) kernel_.network.Deliver();
    }
    if (error != 0 || sent == total) break;
    // Acknowledgements have made room, or the connection has ended.
    if (now > 0) continue;
    lacks_send_room_ = true;
    kernel_.network.Deliver();
    if (nonblocking) {
      error = EAGAIN;
      break;
    }
    if (SendRoom() > 0) continue;
    error = Block(wait, caller, options_.sndtimeo().value_or(kForever), sent);
    if (error != 0) break;
  }
  if (sent > 0 && (flags & MSG_ZEROCOPY) != 0 && options_.zero_copy()) {
    NoteZeroCopy();
  }
  if (error != EDEADLK && (sent > 0 || error == 0)) {
    return SysResult::Ok(static_cast<int64_t>(sent));
  }
  return SysResult::Error(SendError(caller, flags, error));
}

// --- recv(2) -----------------------------------------------------------------

// Returns the offset at which MSG_PEEK begins (SO_PEEK_OFF).
size_t TcpSocket::PeekOffset() const {
  return options_.peek_off() < 0 ? 0 : static_cast<size_t>(options_.peek_off());
}

// Copies what is there, up to the buffers' end; false: an address is bad.
// `copied` counts on.
inline bool TcpSocket::CopyReady(IovecCursor& cursor, int flags,
                                 size_t* copied) {
  const bool peek = (flags & MSG_PEEK) != 0;
  const size_t start = peek ? PeekOffset() + *copied : 0;
  size_t there = receive_.ready() > start ? receive_.ready() - start : 0;
  while (*copied < cursor.total() && there > 0) {
    size_t size = std::min(there, cursor.total() - *copied);
    char* to = nullptr;
    if ((flags & MSG_TRUNC) == 0) {
      to = cursor.Next(size, &size);
      if (to == nullptr) return false;
    }
    if (!peek) {
      receive_.queue().Take(kernel_.chunks, to, size);
      receive_.OnRead(size);
    } else if (to != nullptr) {
      receive_.queue().Peek(to, PeekOffset() + *copied, size);
    }
    *copied += size;
    there -= size;
  }
  return true;
}

// SO_PEEK_OFF (socket(7)): peeking moves the offset forward, receiving moves it
// back by what leaves the queue.
void TcpSocket::MovePeekOffset(bool peek, size_t copied) {
  const auto size = static_cast<int>(copied);
  const int offset = options_.peek_off();
  options_.set_peek_off(peek ? offset + size : std::max(offset - size, 0));
}

// Why there is nothing (more) to be received: an errno; 0: the end of the
// stream; nullopt: something may still come.
std::optional<int> TcpSocket::EndOfInput() {
  if (receive_.fin_received()) return 0;
  if (error_ != 0) return TakeError();
  if ((shut_down_ & kReceive) != 0) return 0;
  if (state_ == TcpState::kClosed) return ENOTCONN;
  return std::nullopt;
}

SysResult TcpSocket::Recv(const Caller& caller, absl::Span<const iovec> parts,
                          int flags) {
  // The usual case, without the loop of the others.
  if (parts.size() != 1 || (flags & ~kUsualFlags) != 0 ||
      !CanRecvAtOnce(parts.front().iov_len) ||
      !IsUserAddress(parts.front().iov_base,
                     std::min(receive_.ready(), parts.front().iov_len))) {
    return RecvParts(caller, parts, flags);
  }
  const size_t size = RecvAtOnce(parts.front());
  kernel_.network.Deliver();
  return SysResult::Ok(static_cast<int64_t>(size));
}

SysResult TcpSocket::RecvParts(const Caller& caller,
                               absl::Span<const iovec> parts, int flags) {
  if ((flags & MSG_ERRQUEUE) != 0) return TakeNotification(nullptr);
  if (state_ == TcpState::kListen) return SysResult::Error(ENOTCONN);
  // There is no urgent data here.
  if ((flags & MSG_OOB) != 0) return SysResult::Error(EINVAL);
  const bool nonblocking = nonblocking_call(flags);
  IovecCursor cursor(parts);
  const size_t wanted = cursor.total();
  const size_t enough = LowWaterMark(wanted, (flags & MSG_WAITALL) != 0);
  const bool peek = (flags & MSG_PEEK) != 0;
  const size_t first = peek ? PeekOffset() : 0;
  size_t copied = 0;
  int error = 0;
  LazyWait wait;
  for (;;) {
    const size_t there =
        receive_.ready() > first ? receive_.ready() - first : 0;
    if (!CopyReady(cursor, flags, &copied)) {
      error = EFAULT;
      break;
    }
    if (copied >= enough || (wanted == 0 && there > 0)) break;
    if (copied > 0) {
      const bool ended = error_ != 0 || state_ == TcpState::kClosed ||
                         (shut_down_ & kReceive) != 0;
      if (ended || nonblocking) break;
    } else if (const std::optional<int> end = EndOfInput()) {
      error = *end;
      break;
    } else if (nonblocking) {
      error = EAGAIN;
      break;
    }
    // The bytes that were taken make room for those that wait.
    AfterRead(copied > 0 && !peek);
    kernel_.network.Deliver();
    if (receive_.ready() > (peek ? first + copied : 0)) continue;
    error = Block(wait, caller, options_.rcvtimeo().value_or(kForever), copied);
    if (error == 0) continue;
    // Also what has come since and woke nobody, because it is less than
    // SO_RCVLOWAT (tcp_recvmsg_locked() of Linux, net/ipv4/tcp.c).
    if (error != EDEADLK && !CopyReady(cursor, flags, &copied)) error = EFAULT;
    break;
  }
  if (options_.peek_off() >= 0) MovePeekOffset(peek, copied);
  if (copied > 0 && !peek) {
    AfterRead(/*took=*/true);
    kernel_.network.Deliver();
  }
  if (error != EDEADLK && (copied > 0 || error == 0)) {
    return SysResult::Ok(static_cast<int64_t>(copied));
  }
  return SysResult::Error(error);
}

}  // namespace net::fake
