#include "fakes/explorer/call_memory.h"

#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/invocation.h"
#include "fakes/kernel/user_memory.h"

namespace net {
namespace {

// No more bytes than this are read or overwritten for one call.
constexpr size_t kMostBytes = 512;

// FNV-1a.
class Digest {
 public:
  void Add(uint64_t number) {
    value_ = (value_ ^ number) * 0x100000001b3u;
    value_ ^= value_ >> 29u;
  }
  void AddBytes(const void* data, size_t size) {
    if (!fake::IsUserAddress(data)) return;
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (size_t i = 0; i < std::min(size, kMostBytes); ++i) Add(bytes[i]);
  }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325u;
};

bool PointsToInput(ArgumentKind kind) {
  return kind == ArgumentKind::kAddressIn || kind == ArgumentKind::kOptionIn ||
         kind == ArgumentKind::kDataIn;
}

void Poison(void* target, size_t size) {
  if (!fake::IsUserAddress(target)) return;
  std::memset(target, CallMonitor::kPoison, std::min(size, kMostBytes));
}

void PoisonCounted(void* target, const socklen_t* size) {
  if (fake::IsUserAddress(size)) Poison(target, *size);
}

void PoisonEach(const iovec* parts, int64_t count) {
  if (!fake::IsUserAddress(parts)) return;
  for (int64_t i = 0; i < count; ++i) {
    Poison(parts[i].iov_base, parts[i].iov_len);
  }
}

void PoisonMessage(const msghdr* message) {
  if (!fake::IsUserAddress(message)) return;
  PoisonEach(message->msg_iov, static_cast<int64_t>(message->msg_iovlen));
}

}  // namespace

uint64_t DigestOf(const Invocation& invocation) {
  Digest digest;
  digest.Add(static_cast<uint64_t>(invocation.call()));
  const auto arguments = invocation.List();
  for (size_t i = 0; i < arguments.size(); ++i) {
    digest.Add(static_cast<uint64_t>(arguments[i].number));
    if (PointsToInput(arguments[i].kind) && i + 1 < arguments.size()) {
      digest.AddBytes(arguments[i].pointer,
                      static_cast<size_t>(arguments[i + 1].number));
    }
  }
  return digest.value();
}

void PoisonOutParameters(Invocation& invocation) {
  if (const auto* accept = invocation.As<Call::kAccept>()) {
    PoisonCounted(accept->addr, accept->len);
  }
  if (const auto* accept4 = invocation.As<Call::kAccept4>()) {
    PoisonCounted(accept4->addr, accept4->len);
  }
  if (const auto* local = invocation.As<Call::kGetSockName>()) {
    PoisonCounted(local->addr, local->len);
  }
  if (const auto* peer = invocation.As<Call::kGetPeerName>()) {
    PoisonCounted(peer->addr, peer->len);
  }
  if (const auto* option = invocation.As<Call::kGetSockOpt>()) {
    PoisonCounted(option->value, option->len);
  }
  if (const auto* recv = invocation.As<Call::kRecv>()) {
    Poison(recv->data, recv->size);
  }
  if (const auto* from = invocation.As<Call::kRecvFrom>()) {
    Poison(from->data, from->size);
    PoisonCounted(from->addr, from->len);
  }
  if (const auto* read = invocation.As<Call::kRead>()) {
    Poison(read->data, read->size);
  }
  if (const auto* pipe = invocation.As<Call::kPipe2>()) {
    Poison(pipe->fds, 2 * sizeof(int));
  }
  if (const auto* timer = invocation.As<Call::kTimerFdGetTime>()) {
    Poison(timer->value, sizeof(itimerspec));
  }
  if (const auto* readv = invocation.As<Call::kReadV>()) {
    PoisonEach(readv->buffers, readv->count);
  }
  if (const auto* message = invocation.As<Call::kRecvMsg>()) {
    PoisonMessage(message->message);
  }
  if (const auto* messages = invocation.As<Call::kRecvMMsg>()) {
    if (!fake::IsUserAddress(messages->messages)) return;
    for (unsigned int i = 0; i < messages->count; ++i) {
      PoisonMessage(&messages->messages[i].msg_hdr);
    }
  }
}

}  // namespace net
