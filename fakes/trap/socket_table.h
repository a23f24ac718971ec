#ifndef FAKES_TRAP_SOCKET_TABLE_H_
#define FAKES_TRAP_SOCKET_TABLE_H_

#include <cstdint>
#include <unordered_map>

#include "fakes/faults/plan_state.h"

namespace net::trap {

// The sockets that the target's calls were about, by the kernel's number for a
// socket (SO_COOKIE), which no other socket ever gets. The table therefore
// needs no notice of close(2), and all processes of the target share it.
//
// Not thread-safe. Pointers stay valid.
class SocketTable {
 public:
  // Returns what is known of the socket behind a descriptor of this process, or
  // null if it is no TCP socket. A socket that was never seen before is taken
  // for one that was made since Reset().
  SocketFacts* Find(int fd);

  // Brings the facts up to date that a rule can ask for.
  static void Refresh(int fd, SocketFacts& facts, bool with_addresses);

  // Marks all known sockets as those from before.
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
