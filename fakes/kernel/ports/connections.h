#ifndef FAKES_KERNEL_PORTS_CONNECTIONS_H_
#define FAKES_KERNEL_PORTS_CONNECTIONS_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

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

  // Return this as a socket, or as a TIME-WAIT entry. Exactly one of the two is
  // not null.
  virtual TcpSocket* socket() { return nullptr; }
  virtual TimeWait* time_wait() { return nullptr; }

  // The socket at the other end, while both are in the table; else null. A
  // TIME-WAIT entry has none.
  TcpSocket* peer() const { return peer_; }

  const FourTuple& tuple() const { return tuple_; }
  bool in_table() const { return in_table_; }

 protected:
  // Requires that it is not in the table.
  virtual ~ConnectionEnd() = default;

  void set_peer(TcpSocket* peer) { peer_ = peer; }

 private:
  friend class ConnectionTable;
  friend struct StateCorruption;

  TcpSocket* peer_ = nullptr;
  FourTuple tuple_;
  // In the table:
  ConnectionEnd* next_ = nullptr;  // In its bucket.
  uint32_t hash_ = 0;
  bool in_table_ = false;
};

// All connections of the machine, by four-tuple. Guarded by the kernel's mutex.
//
// A hash table whose buckets are lists of the ends themselves. An end stores
// its hash, so that removing it and finding its peer need no further hash.
class ConnectionTable {
 public:
  ConnectionTable() : buckets_(kFewestBuckets) {}
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;
  ~ConnectionTable() = default;

  // Returns the end with this tuple, or null if there is none.
  ConnectionEnd* Find(const FourTuple& tuple) const {
    return FindHashed(Hash(tuple), tuple.local, tuple.remote);
  }
  // Returns the end with the mirrored tuple of `end`, or null if there is none.
  // `end` is, or was, in a table.
  ConnectionEnd* FindPeer(const ConnectionEnd& end) const {
    return FindHashed(end.hash_, end.tuple_.remote, end.tuple_.local);
  }

  // Inserts an end. Requires that there is none with this tuple.
  void Insert(ConnectionEnd& end, const FourTuple& tuple) {
    InsertHashed(end, tuple, Hash(tuple));
  }
  // Does the same with the mirrored tuple of `peer`, which is, or was, in a
  // table.
  void InsertPeer(ConnectionEnd& end, const ConnectionEnd& peer) {
    InsertHashed(end, peer.tuple_.Mirrored(), peer.hash_);
  }

  size_t size() const { return size_; }

  void Remove(ConnectionEnd& end) {
    if (!end.in_table_) return;
    end.in_table_ = false;
    --size_;
    ConnectionEnd** place = &Bucket(end.hash_);
    while (*place != &end) place = &(*place)->next_;
    *place = end.next_;
  }

 private:
  static constexpr size_t kFewestBuckets = 16;

  // In a table of a million connections, cache misses determine the cost. The
  // hash therefore puts ends that are used together close together: the two
  // ends of a connection into one bucket, and connections of neighbouring
  // ports, which are assigned in order, into the eight buckets of one cache
  // line.
  //
  // Mixing the addresses and the ports takes a few cycles.
  static uint32_t Hash(const FourTuple& tuple) {
    const uint32_t ports = uint32_t{tuple.local.port} + tuple.remote.port;
    const uint64_t mixed = Mix(OfEnd(tuple.local) + OfEnd(tuple.remote));
    return static_cast<uint32_t>(mixed) ^ (ports % kNeighbours);
  }
  static uint64_t OfEnd(const ip::Endpoint& end) {
    const auto words = end.addr.words();
    const uint64_t word = words[0] ^ words[1];
    const uint64_t neighbours = end.port / kNeighbours;
    return Mix(word + neighbours * 0x9e3779b97f4a7c15U);
  }
  static uint64_t Mix(uint64_t word) {
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9U;
    return word ^ (word >> 31);
  }
  static constexpr uint32_t kNeighbours = 8;

  void InsertHashed(ConnectionEnd& end, const FourTuple& tuple, uint32_t hash) {
    if (size_ == buckets_.size()) Grow();
    ++size_;
    end.tuple_ = tuple;
    end.hash_ = hash;
    end.in_table_ = true;
    Link(end);
  }

  // The number of buckets is a power of 2.
  ConnectionEnd*& Bucket(uint32_t hash) {
    return buckets_[hash & (buckets_.size() - 1)];
  }
  ConnectionEnd* FindHashed(uint32_t hash, const ip::Endpoint& local,
                            const ip::Endpoint& remote) const {
    ConnectionEnd* end = buckets_[hash & (buckets_.size() - 1)];
    while (end != nullptr &&
           !(end->hash_ == hash && end->tuple_.local == local &&
             end->tuple_.remote == remote)) {
      end = end->next_;
    }
    return end;
  }
  void Link(ConnectionEnd& end) {
    end.next_ = std::exchange(Bucket(end.hash_), &end);
  }
  void Grow();

  std::vector<ConnectionEnd*> buckets_;
  size_t size_ = 0;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_PORTS_CONNECTIONS_H_
