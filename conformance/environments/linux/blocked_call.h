#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_BLOCKED_CALL_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_BLOCKED_CALL_H_

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace net::conformance {

// An operation on a socket that may block.
enum class SocketOperation { kAccept, kConnect, kReceive, kSend };

// The system call that a thread sleeps in, as proc(5) shows it.
struct BlockedCall {
  enum class Kind {
    kSocket,  // accept(2), connect(2), recv(2), send(2) and their variants
    kPoll,    // poll(2), select(2) and their variants; splice(2), and
              // sendfile(2) to a pipe
    kEpoll,   // epoll_wait(2) and its variants
    kClose,   // close(2), which blocks with SO_LINGER
    kOpaque,  // may wait for a socket that its arguments do not show:
              // io_uring_enter(2)
    kOther,  // waits for a lock (futex(2)), a time (nanosleep(2)), a child, ...
  };
  // A descriptor that can wake the thread.
  struct Awaited {
    int fd = -1;
    int16_t events = 0;  // as in poll(2)
  };

  // The operation of a call of kind kSocket, and its descriptor.
  struct Direct {
    SocketOperation operation = SocketOperation::kAccept;
    int fd = -1;
  };

  pid_t thread = 0;
  int64_t number = -1;  // of the system call
  std::array<uint64_t, 6> args = {};
  Kind kind = Kind::kOther;
  std::optional<Direct> direct;
  // The descriptors that a call of the kinds kPoll and kEpoll waits for. An
  // epoll(7) descriptor among them is replaced by the descriptors in its set.
  std::vector<Awaited> awaited;
  // If poll(2) reports one of these ready, the thread is about to wake. An
  // epoll(7) descriptor stands for its whole set here, because only it knows
  // which edges were reported.
  std::vector<Awaited> wakers;
  // The number of times that the thread has gone to sleep. As long as it does
  // not change, the thread still sleeps in this call.
  uint64_t times_slept = 0;

  // Returns true if a thread that performs `operation` on `fd` may be in this
  // call.
  bool CanBe(SocketOperation operation, int fd) const;
};

// Returns "thread 4711 sleeps in futex", or "thread 4712 sleeps in accept4 on
// descriptor 5".
std::string Describe(const BlockedCall& call);
// Returns the descriptions of several calls, separated by commas.
std::string Describe(absl::Span<const BlockedCall> calls);

// Returns the events of poll(2) that end the operation's wait.
int16_t EventsOf(SocketOperation operation);

// Returns "accept on descriptor 5", or "connect" if `fd` is nullopt.
std::string Describe(SocketOperation operation, std::optional<int> fd);

// Reads the system calls that threads of a process sleep in. Requires
// permission to trace the process (ptrace(2)): root has it, and so has the
// parent process. Owns a pidfd unless the process is the calling one.
//
// Thread-safe.
class BlockedCallReader {
 public:
  // Throws HarnessError if the process does not exist.
  explicit BlockedCallReader(pid_t pid);
  BlockedCallReader(const BlockedCallReader&) = delete;
  BlockedCallReader& operator=(const BlockedCallReader&) = delete;
  ~BlockedCallReader();

  // Returns the process's threads.
  std::vector<pid_t> Threads() const;

  // Returns the call that a thread sleeps in. Returns nullopt if the thread
  // runs, is in uninterruptible sleep, waits for a trap's decision about the
  // call, or has ended. Fails if the call cannot be read.
  absl::StatusOr<std::optional<BlockedCall>> Read(pid_t thread) const;

  // Returns true if the thread has slept in the call ever since Read(), and
  // nothing is ready that would wake it. The second condition is needed because
  // a thread whose socket is ready still sleeps until it is scheduled.
  bool IsStillBlocked(const BlockedCall& call) const;

  // Returns true if poll(2) reports one of the events for the process's
  // descriptor, or reports that it is not open.
  bool IsReady(int fd, int16_t events) const;

  bool IsSocket(int fd) const;

 private:
  std::string PathOf(pid_t thread, const char* file) const;
  std::string LinkOf(int fd) const;
  bool ReadMemory(uint64_t address, void* to, size_t size) const;
  void FindAwaited(BlockedCall& call) const;
  void AddPollSet(BlockedCall& call) const;
  void AddSelectSets(BlockedCall& call) const;
  // Of splice(2), which waits for bytes or for room.
  void AddSpliceEnds(BlockedCall& call, int from, int to) const;
  // `depth` counts nested epoll(7) sets.
  void Add(BlockedCall& call, BlockedCall::Awaited one, int depth) const;
  void AddEpollSet(BlockedCall& call, int epoll, int depth) const;

  const pid_t pid_;
  const std::string folder_;  // "/proc/4711"
  const int pidfd_;           // -1 if it is this process
  const absl::Status shown_;  // why /proc cannot show the calls, if it cannot
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_BLOCKED_CALL_H_
