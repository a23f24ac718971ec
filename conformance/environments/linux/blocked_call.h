#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_BLOCKED_CALL_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_BLOCKED_CALL_H_

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace net::conformance {

// An operation of a socket that may block.
enum class SocketOperation { kAccept, kConnect, kReceive, kSend };

// The system call that a thread sleeps in: what proc(5) shows of it.
struct BlockedCall {
  enum class Kind {
    kSocket,  // accept(2), connect(2), recv(2), send(2) and their relatives
    kPoll,    // poll(2), select(2) and their relatives
    kEpoll,   // epoll_wait(2) and its relatives
    kClose,   // close(2), which SO_LINGER makes wait
    kOpaque,  // shows no descriptor though it may wait for one:
              // io_uring_enter(2)
    kOther,   // a lock (futex(2)), a time (nanosleep(2)), a child, ...
  };
  // A descriptor that wakes the thread.
  struct Awaited {
    int fd = -1;
    int16_t events = 0;  // as of poll(2)
  };

  // The operation of a call of the kind kSocket, on `fd`.
  struct Direct {
    SocketOperation operation = SocketOperation::kAccept;
    int fd = -1;
  };

  pid_t thread = 0;
  int64_t number = -1;  // of the system call
  std::array<uint64_t, 6> args = {};
  Kind kind = Kind::kOther;
  std::optional<Direct> direct;
  // Of the kinds kPoll and kEpoll: the set that the call waits for. A set of
  // epoll(7) that is in it is replaced by what that holds.
  std::vector<Awaited> awaited;
  // poll(2) of these shows that the thread is about to wake. (A set of epoll(7)
  // stands for what it holds: it knows which edges were reported.)
  std::vector<Awaited> wakers;
  // How often the thread has gone to sleep: it sleeps in this call for as long
  // as the number stays the same.
  uint64_t times_slept = 0;

  // True if the call can be how a thread carries out `operation` on `fd`.
  bool CanBe(SocketOperation operation, int fd) const;
};

// "thread 4711 sleeps in futex", "thread 4712 sleeps in accept4 on descriptor
// 5".
std::string Describe(const BlockedCall& call);
// The same of several, with commas.
std::string Describe(absl::Span<const BlockedCall> calls);

// The events of poll(2) that end the wait.
int16_t EventsOf(SocketOperation operation);

// "accept on descriptor 5"; "connect" without one.
std::string Describe(SocketOperation operation, std::optional<int> fd);

// Reads what threads of a process sleep in. That needs the right to trace the
// process (ptrace(2)): to be root, or to have started it. Owns a pidfd unless
// the process is this one.
//
// Thread-safe.
class BlockedCallReader {
 public:
  // Throws HarnessError if there is no such process.
  explicit BlockedCallReader(pid_t pid);
  BlockedCallReader(const BlockedCallReader&) = delete;
  BlockedCallReader& operator=(const BlockedCallReader&) = delete;
  ~BlockedCallReader();

  // The process's threads.
  std::vector<pid_t> Threads() const;

  // The call that a thread sleeps in. Nullopt if it runs, waits for a page, or
  // is gone. Fails if that cannot be seen, with the reason.
  absl::StatusOr<std::optional<BlockedCall>> Read(pid_t thread) const;

  // True if nothing is there that would wake the thread, and it has slept in
  // the call ever since Read(). A thread whose socket is ready is shown as
  // blocked until it is scheduled.
  bool IsStillBlocked(const BlockedCall& call) const;

  // True if poll(2) of the process's descriptor shows one of the events, or
  // that it is no descriptor.
  bool IsReady(int fd, int16_t events) const;

  bool IsSocket(int fd) const;

 private:
  std::string PathOf(pid_t thread, const char* file) const;
  std::string LinkOf(int fd) const;
  bool ReadMemory(uint64_t address, void* to, size_t size) const;
  void FindAwaited(BlockedCall& call) const;
  void AddPollSet(BlockedCall& call) const;
  void AddSelectSets(BlockedCall& call) const;
  // `depth`: of sets of epoll(7) in each other.
  void Add(BlockedCall& call, BlockedCall::Awaited one, int depth) const;
  void AddEpollSet(BlockedCall& call, int epoll, int depth) const;

  const pid_t pid_;
  const std::string folder_;  // "/proc/4711"
  const int pidfd_;           // -1: of this process
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_BLOCKED_CALL_H_
