// The steps that transfer data: send(2), recv(2) and similar calls.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/differential/execution.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"
#include "fakes/differential/streams.h"
#include "fakes/differential/tolerances.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::differential {
namespace {

constexpr size_t kChunk = 65536;
// More than the buffers of any kernel, for the case that EAGAIN never comes.
constexpr int kMostChunks = 1000;
// The wait for data that must be retransmitted: longer than the minimum
// retransmission timeout.
constexpr int kRetransmissionMs = 1000;
constexpr int kMostRetransmissions = 5;

// Smaller than any segment of a connection whose segment size was not reduced.
constexpr size_t kSureSegment = 16384;

constexpr int kMostPieces = 4;

// Whether the call has no flags.
bool IsOfFiles(Call call) {
  return call == Call::kRead || call == Call::kReadV || call == Call::kWrite ||
         call == Call::kWriteV || call == Call::kSendFile ||
         call == Call::kSplice;
}

// What a pipe has room for.
constexpr size_t kMostInPipe = 65536;

// A non-blocking pipe of a process.
class OwnPipe {
 public:
  explicit OwnPipe(Syscalls& sys)
      : sys_(sys), made_(sys.Pipe2(ends_.data(), O_NONBLOCK)) {}
  OwnPipe(const OwnPipe&) = delete;
  OwnPipe& operator=(const OwnPipe&) = delete;
  ~OwnPipe() {
    for (const int end : ends_) {
      if (end >= 0) static_cast<void>(sys_.Close(end));
    }
  }

  SysResult made() const { return made_; }
  int read() const { return ends_[0]; }
  int write() const { return ends_[1]; }

  // Returns whether these are all bytes in the pipe. Removes them.
  bool Has(absl::string_view bytes) const {
    std::string there(kMostInPipe + 1, '\0');
    size_t size = 0;
    SysResult more;
    do {
      more = sys_.Read(ends_[0], &there[size], there.size() - size);
      if (more.ok()) size += static_cast<size_t>(more.value());
    } while (more.ok() && more.value() > 0);
    return absl::string_view(there).substr(0, size) == bytes;
  }

 private:
  Syscalls& sys_;
  std::array<int, 2> ends_ = {-1, -1};
  const SysResult made_;
};

// A buffer in several parts, for sendmsg(2), readv(2) and the like.
struct SplitMessage {
  SplitMessage(char* data, size_t size, int count) {
    const int used = std::clamp(count, 1, kMostPieces);
    for (int i = 0; i < used; ++i) {
      const size_t part = i + 1 < used ? size / 3 : size;
      vector[static_cast<size_t>(i)] = {data, part};
      if (data != nullptr) data += part;
      size -= part;
    }
    message.msg_iov = vector.data();
    message.msg_iovlen = static_cast<size_t>(used);
  }

  int count() const { return static_cast<int>(message.msg_iovlen); }

  std::array<iovec, kMostPieces> vector = {};
  msghdr message = {};
};

std::vector<char>& Buffer() {
  static auto& buffer = *new std::vector<char>(kMostBytes);
  return buffer;
}

}  // namespace

SysResult Execution::SendBytes(const Step& step, absl::string_view bytes,
                               int flags) {
  const int fd = At(step.slot).fd;
  const char* data = step.null ? nullptr : bytes.data();
  if (IsBlocking(step)) flags |= MSG_DONTWAIT;
  if (step.call == Call::kWrite) return Sys(step).Write(fd, data, bytes.size());
  if (step.call == Call::kSend) {
    return Sys(step).Send(fd, data, bytes.size(), flags);
  }
  if (step.call == Call::kSendTo) {
    const AddressArgument address(step.address, PortOf(step.address));
    return Sys(step).SendTo(fd, data, bytes.size(), flags, address.pointer,
                            address.length);
  }
  if (step.call == Call::kSplice) return SendThroughPipe(step, bytes);
  // sendmsg(2) and writev(2) do not write to the buffers.
  SplitMessage split(const_cast<char*>(data), bytes.size(), step.pieces);
  if (step.call == Call::kWriteV) {
    return Sys(step).WriteV(fd, split.vector.data(), split.count());
  }
  return Sys(step).SendMsg(fd, &split.message, flags);
}

SysResult Execution::SendThroughPipe(const Step& step,
                                     absl::string_view bytes) {
  Syscalls& sys = Sys(step);
  const OwnPipe pipe(sys);
  if (!pipe.made().ok()) return pipe.made();
  const SysResult filled = sys.Write(pipe.write(), bytes.data(), bytes.size());
  if (!filled.ok()) return filled;
  const SysResult sent = sys.Splice(pipe.read(), nullptr, At(step.slot).fd,
                                    nullptr, bytes.size(), 0);
  const size_t gone = sent.ok() ? static_cast<size_t>(sent.value()) : 0;
  return pipe.Has(bytes.substr(gone)) ? sent : SysResult::Error(EILSEQ);
}

void Execution::NoteError(int slot, int error) {
  const End& end = EndAt(slot);
  if (end.known() && error == ECONNRESET) end.in().reset = true;
}

Observation Execution::Send(const Step& step) {
  const size_t size = std::min(
      step.size, step.call == Call::kSplice ? kMostInPipe : kMostBytes);
  const End& end = EndAt(step.slot);
  Direction nowhere;
  Direction& out = end.known() ? end.out() : nowhere;
  const bool sure = !out.uncertain && SurelyFits(out, size, small_buffers_);
  if (!sure && out.unwanted) {
    return Skip("the number of refused bytes is uncertain");
  }
  const bool more = (step.flags & MSG_MORE) != 0 && !IsOfFiles(step.call);
  if (more && overfilled_) return Skip(kTimeMatters);
  if (end.known() && end.in().held) return Skip(kTimeMatters);
  holding_back_ = holding_back_ || more;
  if (holding_back_ && (!sure || size > kSureSegment)) {
    return Skip(kTimeMatters);
  }
  const int64_t outstanding = out.outstanding();
  const SysResult sent =
      SendBytes(step, Payload(out, out.sent, size), step.flags);
  NoteError(step.slot, sent.error());
  if (sent.ok()) out.sent += sent.value();
  if (sent.ok() && sent.value() > 0) out.held = more;
  if (!sure && out.outstanding() > 0) out.uncertain = overfilled_ = true;
  return {.result = sent,
          .text = SendText({sure, step.null}, outstanding, size, sent)};
}

Observation Execution::Fill(const Step& step) {
  const End& end = EndAt(step.slot);
  Direction nowhere;
  Direction& out = end.known() ? end.out() : nowhere;
  if (out.unwanted) return Skip("the number of refused bytes is uncertain");
  if (holding_back_) return Skip(kTimeMatters);
  SysResult sent;
  int chunks = 0;
  do {
    sent = SendBytes(step, Payload(out, out.sent, kChunk), MSG_DONTWAIT);
    if (sent.ok()) out.sent += sent.value();
  } while (sent.ok() && ++chunks < kMostChunks);
  NoteError(step.slot, sent.error());
  if (out.outstanding() > 0) out.uncertain = overfilled_ = true;
  return {.result = sent,
          .text = absl::StrCat(out.outstanding() > 0 ? "full: " : "nothing: ",
                               ErrnoSymbol(sent.error()))};
}

// Compares received bytes with those that were sent.
std::string Execution::Received(const Step& step, int flags,
                                absl::string_view bytes) {
  const End& end = EndAt(step.slot);
  if (!end.known()) {
    return absl::StrCat("from an unknown connection ",
                        absl::BytesToHexString(bytes.substr(0, 16)));
  }
  Direction& in = end.in();
  const bool same = (flags & MSG_TRUNC) != 0 ||
                    bytes == Payload(in, in.received, bytes.size());
  if ((flags & MSG_PEEK) == 0) {
    in.received += static_cast<int64_t>(bytes.size());
  }
  return same ? "as sent" : "not as sent";
}

SysResult Execution::ReceiveThroughPipe(const Step& step, char* buffer,
                                        size_t size) {
  Syscalls& sys = Sys(step);
  const OwnPipe pipe(sys);
  if (!pipe.made().ok()) return pipe.made();
  const SysResult moved =
      sys.SendFile(pipe.write(), At(step.slot).fd, nullptr, size);
  if (!moved.ok() || moved.value() == 0) return moved;
  const auto there = static_cast<size_t>(moved.value());
  const SysResult read = sys.Read(pipe.read(), buffer, there);
  return read == moved && pipe.Has("") ? moved : SysResult::Error(EILSEQ);
}

SysResult Execution::ReceiveBytes(const Step& step, char* buffer, int flags,
                                  std::string& details) {
  const int fd = At(step.slot).fd;
  const size_t size = std::min(step.size, kMostBytes);
  if (IsBlocking(step)) flags |= MSG_DONTWAIT;
  if (step.call == Call::kRead) return Sys(step).Read(fd, buffer, size);
  if (step.call == Call::kRecv) {
    return Sys(step).Recv(fd, buffer, size, flags);
  }
  if (step.call == Call::kSendFile) {
    return ReceiveThroughPipe(step, buffer, size);
  }
  if (step.call == Call::kRecvFrom) {
    sockaddr_storage name = {};
    auto length = step.length == kRightLength
                      ? socklen_t{sizeof(name)}
                      : static_cast<socklen_t>(step.length);
    const SysResult received = Sys(step).RecvFrom(
        fd, buffer, size, flags, reinterpret_cast<sockaddr*>(&name),
        step.null_length ? nullptr : &length);
    details = absl::StrCat(" name ", length);
    return received;
  }
  SplitMessage split(buffer, size, step.pieces);
  if (step.call == Call::kReadV) {
    return Sys(step).ReadV(fd, split.vector.data(), split.count());
  }
  std::array<char, 128> name = {};
  split.message.msg_name = name.data();
  split.message.msg_namelen = name.size();
  const SysResult received = Sys(step).RecvMsg(fd, &split.message, flags);
  if (received.ok()) {
    details = absl::StrCat(" name ", split.message.msg_namelen, " control ",
                           split.message.msg_controllen, " flags ",
                           split.message.msg_flags);
  }
  return received;
}

Observation Execution::Receive(const Step& step) {
  const End& end = EndAt(step.slot);
  if (end.known() && end.in().uncertain) {
    const bool plain = step.flags == 0 && !step.null && step.size > 0;
    return plain ? Drain(step)
                 : Skip("the number of received bytes is uncertain");
  }
  const int flags = IsOfFiles(step.call) ? 0 : step.flags;
  char* buffer = step.null ? nullptr : Buffer().data();
  std::string details;
  const SysResult received = ReceiveBytes(step, buffer, flags, details);
  NoteError(step.slot, received.error());
  if (!received.ok() || received.value() == 0) return Plain(received, details);
  const absl::string_view bytes(Buffer().data(),
                                static_cast<size_t>(received.value()));
  return Plain(received, absl::StrCat(Received(step, flags, bytes), details));
}

Observation Execution::Drain(const Step& step) {
  const int fd = At(step.slot).fd;
  const End& end = EndAt(step.slot);
  const bool uncertain = end.known() && end.in().uncertain;
  int64_t total = 0;
  bool as_sent = true;
  SysResult received;
  int waits = 0;
  for (;;) {
    received = Sys(step).Recv(fd, Buffer().data(), kMostBytes, MSG_DONTWAIT);
    if (received.ok() && received.value() > 0) {
      total += received.value();
      const absl::string_view bytes(Buffer().data(),
                                    static_cast<size_t>(received.value()));
      as_sent = Received(step, 0, bytes) == "as sent" && as_sent;
      continue;
    }
    const bool missing =
        uncertain && received.error() == EAGAIN && end.in().outstanding() > 0;
    if (!missing || ++waits > kMostRetransmissions) break;
    pollfd wanted = {fd, POLLIN, 0};
    const SysResult more = Sys(step).Poll(&wanted, 1, kRetransmissionMs);
    if (!more.ok() || more.value() == 0) break;
  }
  const std::string text =
      uncertain ? DrainedText(end, received, small_buffers_)
                : absl::StrCat(total, ", then ",
                               received.ok() ? "end of stream"
                                             : ErrnoSymbol(received.error()));
  if (uncertain && IsLossless(end, received)) {
    // The number of bytes that arrived in time must not affect later
    // comparisons.
    end.in().uncertain = small_buffers_ || end.in().outstanding() > 0;
  } else if (uncertain) {
    end.in().reset = true;
  }
  return {.result = received,
          .text = absl::StrCat(text, as_sent ? "" : ", not as sent")};
}

}  // namespace net::differential
