#include "fakes/kernel/ports/ports.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {

// A port and its owners.
//
// Linux records the last claim with SO_REUSEPORT, as long as every later claim
// has the option, too. It checks this record before it checks the owners. An
// option changed after bind(2) therefore counts in some cases and not in
// others.
struct PortBucket {
  // The newest owner can be outside the list of the others. An owner that comes
  // and goes quickly then does not touch the others, which can be many and not
  // in the processor's cache.
  PortOwner* newest = nullptr;
  PortOwner* first = nullptr;
  std::unique_ptr<PortClaim> last_reuse_port;
  int explicit_owners = 0;  // By bind(2), listen(2) or accept(2).
  uint16_t port = 0;

  bool taken() const { return newest != nullptr || first != nullptr; }
};

// Buckets are allocated in pages, when a port of the page is first used.
struct PortTable::Page {
  std::array<PortBucket, kPortsOfPage> buckets;
};

namespace {

bool IsV4(const ip::Addr& addr) { return addr.is_v4() || addr.is_v4_mapped(); }
bool IsAnyV6(const ip::Addr& addr) { return addr == ip::kAnyV6; }

// Returns whether two claims have an address in common. `others_wildcard`:
// whether a wildcard of `other` covers all addresses.
bool Overlap(const PortClaim& one, const PortClaim& other,
             bool others_wildcard) {
  if (IsV4(one.addr) && IsV4(other.addr)) {
    // An IPv6-only socket never conflicts with IPv4, whatever its address.
    if (other.v6only) return false;
    const ip::Addr a = one.addr.Unmapped();
    const ip::Addr b = other.addr.Unmapped();
    return a == b || a == ip::kAnyV4 || (others_wildcard && b == ip::kAnyV4);
  }
  if (one.addr == other.addr) return true;
  // From here on, at least one of the two is IPv6.
  if (IsAnyV6(other.addr) && others_wildcard &&
      !(other.v6only && IsV4(one.addr))) {
    return true;
  }
  if (IsAnyV6(one.addr) && !(one.v6only && IsV4(other.addr))) return true;
  // An IPv4 wildcard conflicts with an IPv6 connection unless that is
  // IPv6-only.
  if (one.addr == ip::kAnyV4) return !other.v6only;
  return false;
}

// Returns whether `one` conflicts with the owner `other` of a port.
// `explicitly`: the port was requested by number.
bool Conflict(const PortClaim& one, const PortClaim& other, bool explicitly) {
  const bool share_port = one.reuse_port && other.reuse_port &&
                          (other.time_wait || one.uid == other.uid);
  const bool share_addr =
      one.reuse_addr && other.reuse_addr && !other.listening;
  if (explicitly && (share_port || share_addr)) return false;
  return Overlap(one, other, /*others_wildcard=*/true);
}

bool MatchesLast(const PortBucket& bucket, const PortClaim& claim) {
  const PortClaim* const last = bucket.last_reuse_port.get();
  return last != nullptr && claim.reuse_port && claim.uid == last->uid &&
         Overlap(*last, claim, /*others_wildcard=*/false);
}

bool MayShare(const PortBucket& bucket, const PortOwner& owner,
              const PortClaim& claim, bool explicitly,
              PortOwner* (*next)(const PortOwner&)) {
  const auto may_share_with = [&](const PortOwner& other) {
    return &other == &owner || !Conflict(claim, other.claim(), explicitly);
  };
  if (bucket.newest != nullptr && !may_share_with(*bucket.newest)) return false;
  for (PortOwner* other = bucket.first; other != nullptr;
       other = next(*other)) {
    if (!may_share_with(*other)) return false;
  }
  return true;
}

// Records the claim for the port's later claims.
void Remember(PortBucket& bucket, const PortClaim& claim) {
  if (!claim.reuse_port) {
    bucket.last_reuse_port.reset();
  } else if (!bucket.taken() || !MatchesLast(bucket, claim)) {
    bucket.last_reuse_port = std::make_unique<PortClaim>(claim);
  }
}

}  // namespace

uint16_t PortOwner::port() const {
  return bucket_ == nullptr ? 0 : bucket_->port;
}

PortTable::PortTable(uint64_t seed) : cursor_(seed) {}
PortTable::~PortTable() = default;

PortBucket& PortTable::Bucket(uint16_t port) {
  std::unique_ptr<Page>& page = pages_[port / kPortsOfPage];
  if (page == nullptr) page = std::make_unique<Page>();
  PortBucket& bucket = page->buckets[port % kPortsOfPage];
  bucket.port = port;
  return bucket;
}

// Neither this nor Release() is static, because they are operations of the
// table.
// NOLINTNEXTLINE(readability-convert-member-functions-to-static)
void PortTable::Add(PortBucket& bucket, PortOwner& owner, bool by_connect) {
  owner.bucket_ = &bucket;
  owner.by_connect_ = by_connect;
  if (PortOwner* const older = std::exchange(bucket.newest, &owner)) {
    older->next_ = bucket.first;
    if (bucket.first != nullptr) bucket.first->previous_ = older;
    bucket.first = older;
  }
  if (!by_connect) ++bucket.explicit_owners;
}

bool PortTable::Claim(PortOwner& owner, uint16_t port, Range range) {
  if (port == 0) return PickFree(owner, range);
  const PortClaim claim = owner.claim();
  PortBucket& bucket = Bucket(port);
  if (bucket.taken() && !MatchesLast(bucket, claim) &&
      !MayShare(bucket, owner, claim, /*explicitly=*/true,
                [](const PortOwner& one) { return one.next_; })) {
    return false;
  }
  Remember(bucket, claim);
  if (owner.bucket_ == nullptr) Add(bucket, owner, /*by_connect=*/false);
  return true;
}

bool PortTable::PickFree(PortOwner& owner, Range range) {
  const PortClaim claim = owner.claim();
  const uint64_t count = uint64_t{range.last} - range.first + 1;
  for (uint64_t i = 0; i < count; ++i) {
    const auto port = static_cast<uint16_t>(range.first + cursor_++ % count);
    PortBucket& bucket = Bucket(port);
    if (MayShare(bucket, owner, claim, /*explicitly=*/false,
                 [](const PortOwner& one) { return one.next_; })) {
      Remember(bucket, claim);
      Add(bucket, owner, /*by_connect=*/false);
      return true;
    }
  }
  return false;
}

bool PortTable::ClaimForConnect(PortOwner& owner, Range range,
                                absl::FunctionRef<bool(uint16_t port)> unique) {
  const uint64_t count = uint64_t{range.last} - range.first + 1;
  for (uint64_t i = 0; i < count; ++i) {
    const auto port = static_cast<uint16_t>(range.first + cursor_++ % count);
    PortBucket& bucket = Bucket(port);
    if (bucket.explicit_owners > 0 || !unique(port)) continue;
    Add(bucket, owner, /*by_connect=*/true);
    return true;
  }
  return false;
}

void PortTable::Inherit(PortOwner& heir, const PortOwner& owner) {
  if (owner.bucket_ == nullptr) return;
  Add(*owner.bucket_, heir, /*by_connect=*/false);
}

void PortTable::Remain(PortOwner& timewait, const PortOwner& owner) {
  if (owner.bucket_ == nullptr) return;
  Add(*owner.bucket_, timewait, owner.by_connect_);
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static)
void PortTable::Release(PortOwner& owner) {
  PortBucket* const bucket = std::exchange(owner.bucket_, nullptr);
  if (bucket == nullptr) return;
  if (bucket->newest == &owner) bucket->newest = nullptr;
  if (bucket->first == &owner) bucket->first = owner.next_;
  PortOwner* const previous = std::exchange(owner.previous_, nullptr);
  PortOwner* const next = std::exchange(owner.next_, nullptr);
  if (previous != nullptr) previous->next_ = next;
  if (next != nullptr) next->previous_ = previous;
  if (!owner.by_connect_) --bucket->explicit_owners;
  if (bucket->explicit_owners == 0) bucket->last_reuse_port.reset();
}

bool PortTable::Lists(const PortOwner& owner) {
  const PortBucket* const bucket = owner.bucket_;
  const PortOwner* const previous = owner.previous_;
  const PortOwner* const next = owner.next_;
  if (bucket == nullptr) return previous == nullptr && next == nullptr;
  if (bucket->explicit_owners < (owner.by_connect_ ? 0 : 1)) return false;
  if (bucket->newest == &owner) return previous == nullptr && next == nullptr;
  if (next != nullptr && next->previous_ != &owner) return false;
  return previous == nullptr ? bucket->first == &owner
                             : previous->next_ == &owner;
}

}  // namespace net::fake
