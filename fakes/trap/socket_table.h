#ifndef FAKES_TRAP_SOCKET_TABLE_H_
#define FAKES_TRAP_SOCKET_TABLE_H_

#include <cstdint>
#include <unordered_map>

#include "fakes/faults/plan_state.h"

namespace net::trap {

// The sockets that the target's calls were about, by the kernel's number for a
// socket (SO_COOKIE), which is never reused. The table therefore need not know
// about close(2), and all processes of the target share it.
//
// Not thread-safe. Pointers stay valid.
class SocketTable {
 public:
  // Returns the facts about the socket behind a descriptor of this process, or
  // null if it is not a TCP socket. A socket that was never seen before counts
  // as made since Reset().
  SocketFacts* Find(int fd);

  // Updates the facts by which rules select calls.
  static void Refresh(int fd, SocketFacts& facts, bool with_addresses);

  // Marks all known sockets as made before.
  void Reset();

 private:
  struct Entry {
    bool is_tcp = false;
    SocketFacts facts;
  };
  std::unordered_map<uint64_t, Entry> entries_;
  int made_ = 0;  // Since Reset().
};

}  // namespace net::trap

#endif  // FAKES_TRAP_SOCKET_TABLE_H_
