#ifndef FAKES_KERNEL_INVARIANT_WALK_H_
#define FAKES_KERNEL_INVARIANT_WALK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/kernel/kernel.h"

namespace net::fake {

class DescriptorTable;
class File;
class TcpSocket;
class TimeWait;
struct Host;

// One check of a kernel's invariants (see Invariants).
class InvariantWalk {
 public:
  // `processes` are the descriptor tables of all processes. `in_call`: a call
  // is under way, and may have references to files. `files` is scratch memory.
  InvariantWalk(const Kernel& kernel,
                absl::Span<const DescriptorTable* const> processes,
                bool in_call, std::vector<const File*>& files)
      : kernel_(kernel),
        processes_(processes),
        in_call_(in_call),
        files_(files) {}
  InvariantWalk(const InvariantWalk&) = delete;
  InvariantWalk& operator=(const InvariantWalk&) = delete;
  ~InvariantWalk() = default;

  // Checks the whole machine.
  void WalkAll();
  // Checks a part of bounded size. `next` is the result of the last check: the
  // socket at which this one begins. Returns the socket at which the next one
  // begins. `number` is the number of the check.
  const TcpSocket* WalkPart(const TcpSocket* next, uint64_t number);

  // Returns the report of the first violation, or an empty text.
  std::string Report() const;
  bool found() const { return !invariant_.empty(); }

 private:
  // Counts of a walk of all sockets, to be compared with the tables.
  struct Counts {
    int64_t timers = 0;
    size_t connections = 0;  // Ends in the tables of connections.
    size_t listeners = 0;
    int64_t queued = 0;         // In the accept queues, as listeners say.
    int64_t in_queue = 0;       // As the connections say.
    int64_t half_open = 0;      // As listeners say.
    int64_t are_half_open = 0;  // As the connections say.
  };

  // Notes a violation unless `holds`. `invariant` is a literal.
  void Expect(bool holds, absl::string_view invariant) {
    if (!holds && invariant_.empty()) Note(invariant);
  }
  void Note(absl::string_view invariant);

  // invariant_walk.cc
  void CheckSockets(size_t most);
  void CheckTimeWaits(size_t most);
  void CheckTimeWait(const TimeWait& entry);
  void CheckNetwork(size_t most);
  void CheckDescriptors();
  void CheckTotals();
  bool IsHost(const Host* host) const;
  std::string Numbers(const TcpSocket& socket) const;

  // invariant_walk_sockets.cc
  // Quick: without searching in a table.
  void CheckSocket(const TcpSocket& socket);
  // The rest.
  void CheckTablesOf(const TcpSocket& socket);
  void CheckDead(const TcpSocket& socket);
  void CheckClosed(const TcpSocket& socket);
  void CheckListener(const TcpSocket& socket);
  void CheckAcceptQueue(const TcpSocket& socket);
  void CheckSharing(const TcpSocket& socket);
  void CheckConnection(const TcpSocket& socket);
  void CheckHandshake(const TcpSocket& socket);
  void CheckSequenceNumbers(const TcpSocket& socket);
  void CheckBytes(const TcpSocket& socket);
  void CheckTimers(const TcpSocket& socket);
  void CheckQueueMemory(const TcpSocket& socket);

  const Kernel& kernel_;
  const absl::Span<const DescriptorTable* const> processes_;
  const bool in_call_;
  std::vector<const File*>& files_;
  Counts counts_;
  bool complete_ = true;               // Everything was counted.
  const TcpSocket* socket_ = nullptr;  // The socket being checked.
  absl::string_view invariant_;        // The first that is violated.
  std::string where_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_INVARIANT_WALK_H_
