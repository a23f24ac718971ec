#ifndef CONFORMANCE_COVERAGE_SOCKET_HISTORY_H_
#define CONFORMANCE_COVERAGE_SOCKET_HISTORY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "fakes/invocation.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// The states of a descriptor, as account (c) counts them.
enum class SocketState {
  kFresh,
  kBound,
  kListening,
  kConnecting,
  kConnected,
  kHalfClosedHere,  // shut down by its owner
  kHalfClosedByPeer,
  kReset,
  kTimedOut,
  kClosed,  // the number is not open
  // Not counted.
  kRefused,
  kEnded,  // both directions ended by a FIN
  kLost,   // reset, timed out or refused: see SocketHistory::WhenKnown()
};

// Returns "fresh", "half-closed by the peer"...
absl::string_view StateName(SocketState state);

// The states that account (c) counts, in the order of the enum.
std::vector<SocketState> CountedStates();

// The calls that a process has made on its descriptors. They determine the part
// of a socket's state that the kernel does not disclose.
//
// Thread-safe. Holds no lock during a call.
class SocketHistory {
 public:
  SocketHistory() = default;
  SocketHistory(const SocketHistory&) = delete;
  SocketHistory& operator=(const SocketHistory&) = delete;
  ~SocketHistory() = default;

  // Notes a call that has returned.
  void OnReturn(const Invocation& invocation, SysResult result);

  // Returns the state of the socket `fd` of `kernel`, or nullopt if it is not a
  // TCP socket. Makes calls that change nothing.
  std::optional<SocketState> StateOf(Syscalls& kernel, int fd) const;

  // Calls `use` with `state`, unless that is kLost: Linux does not disclose why
  // a connection was lost before it reports the error. For kLost, `use` is
  // called when a call on the socket reports the error, or with kReset when the
  // socket is closed or Finish() is called.
  void WhenKnown(int fd, SocketState state,
                 std::function<void(SocketState)> use);

  // Called when the trial has ended.
  void Finish();

  // Returns a number that differs for each socket that has had this descriptor.
  // Returns 0 if the descriptor is not open.
  uint64_t GenerationOf(int fd) const;

 private:
  struct Socket {
    uint64_t generation = 0;
    bool had_peer = false;
    bool sent_fin = false;
    std::optional<SocketState> end;
    std::vector<std::function<void(SocketState)>> waiting;
  };

  void OnNew(const Invocation& invocation, int fd)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Notes an error that a call on the socket has reported.
  static void OnError(Socket& socket, int error);
  static void Resolve(Socket& socket, SocketState end);

  mutable Mutex mutex_;
  uint64_t last_generation_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<int, Socket> sockets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace net::conformance

#endif  // CONFORMANCE_COVERAGE_SOCKET_HISTORY_H_
