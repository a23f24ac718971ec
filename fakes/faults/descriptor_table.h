#ifndef FAKES_FAULTS_DESCRIPTOR_TABLE_H_
#define FAKES_FAULTS_DESCRIPTOR_TABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "fakes/faults/plan_state.h"

namespace net {

// The kind of file behind a descriptor.
enum class DescriptorKind : uint8_t {
  kUnknown,     // Never seen.
  kClosed,      // Closed, and not seen since.
  kTcp,         // A TCP socket.
  kEpoll,       // An epoll without a TCP socket.
  kEpollOfTcp,  // An epoll that waits for a TCP socket.
  kOther,       // A pipe or an eventfd.
  kForeign,     // A socket of another kind, a file, ...
};

// The facts of the TCP sockets that a call is about.
using SocketList = absl::InlinedVector<const SocketFacts*, 8>;
using DescriptorList = absl::InlinedVector<int, 8>;

// The descriptors of a process, as far as a fault injector has seen them.
//
// Thread-safety: KindOf() may be called at any time from any thread. The caller
// serialises the other methods.
class DescriptorTable {
 public:
  // Returns the kind. Returns kUnknown for numbers from kFastNumbers on: for
  // these, call SlowKindOf().
  DescriptorKind KindOf(int fd) const {
    if (fd < 0) return DescriptorKind::kForeign;
    if (fd >= kFastNumbers) return DescriptorKind::kUnknown;
    return kinds_[static_cast<size_t>(fd)].load(std::memory_order_relaxed);
  }
  DescriptorKind SlowKindOf(int fd) const;

  // Forgets which descriptors and sockets are new. Keeps all other facts.
  void Arm();

  // Record a new descriptor. If another descriptor had the number, that one is
  // closed. Number TCP sockets since Arm().
  void AddTcp(int fd, SocketRole role);
  void Add(int fd, DescriptorKind kind);
  void AddDuplicate(int old_fd, int new_fd);

  // Record a descriptor that was not made through the injector.
  void LearnTcp(int fd, const SocketFacts& facts);
  void Learn(int fd, DescriptorKind kind);

  // Records that the descriptor is closed.
  void Remove(int fd);

  // Returns the facts of a kTcp; null for any other kind.
  SocketFacts* FactsOf(int fd);

  void AddToEpoll(int epoll_fd, int fd);
  void RemoveFromEpoll(int epoll_fd, int fd);

  // Appends the descriptors of the epoll that are TCP sockets.
  void AppendEpollMembers(int epoll_fd, DescriptorList& fds) const;

  // Returns the open descriptors that were made since Arm(), in ascending
  // order, without kForeign.
  std::vector<int> OpenSinceArm() const;

 private:
  static constexpr int kFastNumbers = 1024;

  struct Entry {
    DescriptorKind kind = DescriptorKind::kUnknown;
    bool since_arm = false;
    size_t facts = 0;  // The index in facts_, for kTcp.
  };
  struct SharedFacts {
    SocketFacts facts;
    int descriptors = 0;  // The number that share it; 0: it is free.
  };
  struct EpollMember {
    int epoll_fd;
    int fd;
  };

  Entry& EntryOf(int fd);
  void SetKind(int fd, DescriptorKind kind);
  void Put(int fd, DescriptorKind kind, bool since_arm);
  void PutTcp(int fd, const SocketFacts& facts, bool since_arm);
  void UpdateEpoll(int epoll_fd);

  // The kinds of the first numbers, which are read without a lock.
  std::array<std::atomic<DescriptorKind>, kFastNumbers> kinds_ = {};
  std::vector<Entry> entries_;  // By number.
  std::vector<SharedFacts> facts_;
  std::vector<size_t> free_facts_;
  std::vector<EpollMember> epoll_members_;
  int sockets_ = 0;  // That were made since Arm().
};

}  // namespace net

#endif  // FAKES_FAULTS_DESCRIPTOR_TABLE_H_
