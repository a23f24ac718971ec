#include "conformance/coverage/socket_history.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/socket_names.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// Returns the end of a connection that an errno reports; kLost if it reports
// none.
SocketState EndOf(int error) {
  switch (error) {
    case ECONNRESET:
    case EPIPE:
      return SocketState::kReset;
    case ECONNREFUSED:
      return SocketState::kRefused;
    case ETIMEDOUT:
      return SocketState::kTimedOut;
    default:
      return SocketState::kLost;
  }
}

// Returns the errno that a getsockopt(2) for SO_ERROR has read; 0 if it read
// none or was another call.
int ErrorRead(const Invocation& invocation) {
  const auto* const get = invocation.As<Call::kGetSockOpt>();
  if (get == nullptr || get->level != SOL_SOCKET || get->name != SO_ERROR ||
      *get->len < sizeof(int)) {
    return 0;
  }
  return *static_cast<const int*>(get->value);
}

bool SendsFin(const Invocation& invocation) {
  const auto* const shutdown = invocation.As<Call::kShutdown>();
  return shutdown != nullptr &&
         (shutdown->how == SHUT_WR || shutdown->how == SHUT_RDWR);
}

}  // namespace

absl::string_view StateName(SocketState state) {
  switch (state) {
    case SocketState::kFresh:
      return "fresh";
    case SocketState::kBound:
      return "bound";
    case SocketState::kListening:
      return "listening";
    case SocketState::kConnecting:
      return "connecting";
    case SocketState::kConnected:
      return "connected";
    case SocketState::kHalfClosedHere:
      return "half-closed here";
    case SocketState::kHalfClosedByPeer:
      return "half-closed by the peer";
    case SocketState::kReset:
      return "reset";
    case SocketState::kTimedOut:
      return "timed out";
    case SocketState::kClosed:
      return "closed";
    case SocketState::kRefused:
      return "refused";
    case SocketState::kEnded:
      return "ended";
    case SocketState::kLost:
      return "lost";
  }
  return "?";
}

std::vector<SocketState> CountedStates() {
  return {SocketState::kFresh,
          SocketState::kBound,
          SocketState::kListening,
          SocketState::kConnecting,
          SocketState::kConnected,
          SocketState::kHalfClosedHere,
          SocketState::kHalfClosedByPeer,
          SocketState::kReset,
          SocketState::kTimedOut,
          SocketState::kClosed};
}

void SocketHistory::Finish() {
  const MutexLock lock(mutex_);
  for (auto& [fd, socket] : sockets_) Resolve(socket, SocketState::kReset);
}

void SocketHistory::OnReturn(const Invocation& invocation, SysResult result) {
  const MutexLock lock(mutex_);
  if (result.ok() && invocation.makes_descriptor()) {
    OnNew(invocation, result.fd());
    return;
  }
  const auto found = sockets_.find(invocation.fd());
  if (found == sockets_.end()) return;
  Socket& socket = found->second;
  if (invocation.call() == Call::kClose) {
    Resolve(socket, SocketState::kReset);
    sockets_.erase(found);
    return;
  }
  if (invocation.call() == Call::kConnect &&
      (result.ok() || result.error() == EINPROGRESS ||
       result.error() == EINTR ||
       EndOf(result.error()) != SocketState::kLost)) {
    socket.had_peer = true;
    socket.end = std::nullopt;
  }
  if (result.ok() && SendsFin(invocation)) socket.sent_fin = true;
  OnError(socket, result.ok() ? ErrorRead(invocation) : result.error());
}

void SocketHistory::OnNew(const Invocation& invocation, int fd) {
  Socket made{.generation = ++last_generation_};
  made.had_peer =
      invocation.call() == Call::kAccept || invocation.call() == Call::kAccept4;
  // dup(2) makes another number for the same socket.
  const auto original = sockets_.find(invocation.fd());
  if (original != sockets_.end() && !made.had_peer) {
    made.had_peer = original->second.had_peer;
    made.sent_fin = original->second.sent_fin;
    made.end = original->second.end;
  }
  sockets_[fd] = std::move(made);
}

void SocketHistory::OnError(Socket& socket, int error) {
  const SocketState end = EndOf(error);
  if (end == SocketState::kLost || !socket.had_peer) return;
  // send(2) fails with EPIPE after the socket's own shutdown(2), too.
  if (error == EPIPE && socket.sent_fin) return;
  // An EPIPE may follow the error that ended the connection.
  socket.end = socket.end.value_or(end);
  Resolve(socket, *socket.end);
}

void SocketHistory::Resolve(Socket& socket, SocketState end) {
  for (const auto& use : std::exchange(socket.waiting, {})) use(end);
}

std::optional<SocketState> SocketHistory::StateOf(Syscalls& kernel,
                                                  int fd) const {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  const SysResult read =
      kernel.GetSockOpt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
  if (!read.ok()) {
    if (read.error() == EBADF) return SocketState::kClosed;
    return std::nullopt;
  }
  switch (info.tcpi_state) {
    case TCP_LISTEN:
      return SocketState::kListening;
    case TCP_SYN_SENT:
    case TCP_SYN_RECV:
      return SocketState::kConnecting;
    case TCP_ESTABLISHED:
      return SocketState::kConnected;
    case TCP_FIN_WAIT1:
    case TCP_FIN_WAIT2:
      return SocketState::kHalfClosedHere;
    case TCP_CLOSE_WAIT:
      return SocketState::kHalfClosedByPeer;
    case TCP_CLOSE:
      break;
    default:
      return SocketState::kEnded;
  }
  const absl::StatusOr<ip::Endpoint> local = LocalEndpoint(kernel, fd);
  const MutexLock lock(mutex_);
  const auto found = sockets_.find(fd);
  if (found == sockets_.end() || !found->second.had_peer) {
    return local.ok() && local->port != 0 ? SocketState::kBound
                                          : SocketState::kFresh;
  }
  if (found->second.end.has_value()) return found->second.end;
  return found->second.sent_fin ? SocketState::kEnded : SocketState::kLost;
}

void SocketHistory::WhenKnown(int fd, SocketState state,
                              std::function<void(SocketState)> use) {
  if (state == SocketState::kLost) {
    const MutexLock lock(mutex_);
    const auto found = sockets_.find(fd);
    if (found != sockets_.end()) {
      found->second.waiting.push_back(std::move(use));
      return;
    }
    state = SocketState::kReset;
  }
  use(state);
}

uint64_t SocketHistory::GenerationOf(int fd) const {
  const MutexLock lock(mutex_);
  const auto found = sockets_.find(fd);
  return found == sockets_.end() ? 0 : found->second.generation;
}

}  // namespace net::conformance
