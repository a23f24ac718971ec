#ifndef FAKES_KERNEL_PORTS_CONNECTIONS_H_
#define FAKES_KERNEL_PORTS_CONNECTIONS_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_set.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {

class TcpSocket;
class TimeWait;

// The identity of a connection (RFC 9293, section 3.3.1): its two endpoints, as
// seen from one of them. IPv4 addresses are in IPv4 form, also those of IPv6
// sockets.
struct FourTuple {
  ip::Endpoint local;
  ip::Endpoint remote;

  FourTuple Mirrored() const { return {remote, local}; }

  friend bool operator==(const FourTuple&, const FourTuple&) = default;
};

// One end of a connection: a socket, or a TIME-WAIT entry.
class ConnectionEnd {
 public:
  ConnectionEnd() = default;
  ConnectionEnd(const ConnectionEnd&) = delete;
  ConnectionEnd& operator=(const ConnectionEnd&) = delete;

  // Exactly one of the two is not null.
  virtual TcpSocket* socket() { return nullptr; }
  virtual TimeWait* time_wait() { return nullptr; }

  const FourTuple& tuple() const { return tuple_; }
  bool in_table() const { return in_table_; }

 protected:
  // Requires that it is not in the table.
  virtual ~ConnectionEnd() = default;

 private:
  friend class ConnectionTable;
  friend struct StateCorruption;

  FourTuple tuple_;
  bool in_table_ = false;
};

// All connections of the machine, by four-tuple. Guarded by the kernel's mutex.
class ConnectionTable {
 public:
  // Returns the end with this tuple, or null if there is none.
  ConnectionEnd* Find(const FourTuple& tuple) const {
    const auto found = ends_.find(tuple);
    return found == ends_.end() ? nullptr : *found;
  }

  // Inserts an end. Requires that there is none with this tuple.
  void Insert(ConnectionEnd& end, const FourTuple& tuple) {
    end.tuple_ = tuple;
    end.in_table_ = true;
    ends_.insert(&end);
  }

  size_t size() const { return ends_.size(); }

  void Remove(ConnectionEnd& end) {
    if (!end.in_table_) return;
    ends_.erase(&end);
    end.in_table_ = false;
  }

 private:
  static const FourTuple& TupleOf(const FourTuple& tuple) { return tuple; }
  static const FourTuple& TupleOf(const ConnectionEnd* end) {
    return end->tuple_;
  }

  // In a table of a million connections, cache misses determine the cost. The
  // hash therefore places close together what is used together: the two ends of
  // a connection, and connections of neighbouring ports, which are assigned in
  // order. Their hashes differ only in the lowest bits, by which the table
  // distinguishes entries of one group.
  //
  // Mixing the addresses and the ports takes a few cycles.
  struct Hash {
    // NOLINTNEXTLINE(readability-identifier-naming): the library requires it
    using is_transparent = void;
    template <typename T>
    size_t operator()(const T& one) const {
      const FourTuple& tuple = TupleOf(one);
      const uint64_t ports = uint64_t{tuple.local.port} + tuple.remote.port;
      constexpr uint64_t kLowestBits = 0x7f;
      return Mix(OfEnd(tuple.local) + OfEnd(tuple.remote)) ^
             (ports & kLowestBits);
    }
    static uint64_t OfEnd(const ip::Endpoint& end) {
      const auto words = end.addr.words();
      const uint64_t word = words[0] ^ words[1];
      const uint64_t neighbours = end.port / 2;
      return Mix(word + neighbours * 0x9e3779b97f4a7c15U);
    }
    static uint64_t Mix(uint64_t word) {
      word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9U;
      return word ^ (word >> 31);
    }
  };
  struct Equal {
    // NOLINTNEXTLINE(readability-identifier-naming): the library requires it
    using is_transparent = void;
    bool operator()(const FourTuple& tuple, const ConnectionEnd* end) const {
      return tuple == end->tuple_;
    }
    bool operator()(const ConnectionEnd* end, const FourTuple& tuple) const {
      return tuple == end->tuple_;
    }
    // No two have one tuple.
    bool operator()(const ConnectionEnd* one,
                    const ConnectionEnd* other) const {
      return one == other;
    }
  };

  absl::flat_hash_set<ConnectionEnd*, Hash, Equal> ends_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_PORTS_CONNECTIONS_H_
