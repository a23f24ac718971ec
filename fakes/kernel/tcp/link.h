#ifndef FAKES_KERNEL_TCP_LINK_H_
#define FAKES_KERNEL_TCP_LINK_H_

#include <cstdint>
#include <list>
#include <memory>
#include <random>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/link_options.h"
#include "fakes/kernel/tcp/segment.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {

// One direction of a link that is not perfect.
class Link {
 public:
  // The fate of a segment that is sent now.
  struct Fate {
    enum Kind : uint8_t { kArrives, kLost, kRejected };
    Kind kind = kArrives;
    Nanoseconds when = 0;  // With kArrives.
  };

  Link(const ip::Addr& from, const ip::Addr& to) : from_(from), to_(to) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() = default;

  // Returns whether the link carries segments between these addresses.
  bool Matches(const ip::Addr& from, const ip::Addr& to) const;
  bool Is(const ip::Addr& from, const ip::Addr& to) const {
    return from_ == from && to_ == to;
  }

  void Set(const LinkOptions& options);
  bool set() const { return set_; }
  void set_cut(bool cut) { cut_ = cut; }
  bool cut() const { return cut_; }

  // Sends a segment at the time `now`.
  Fate Send(const Segment& segment, Nanoseconds now);

 private:
  const ip::Addr from_;
  const ip::Addr to_;
  LinkOptions options_;
  bool set_ = false;
  bool cut_ = false;
  std::mt19937_64 random_;
  Nanoseconds free_at_ = 0;       // When the last byte has left.
  Nanoseconds last_arrival_ = 0;  // Of the segment before.
};

// All links that are not perfect.
class Links {
 public:
  bool empty() const { return links_.empty(); }

  void Set(const LinkEnds& ends, const LinkOptions& options);
  void SetCut(const LinkEnds& ends, bool cut);

  // Returns whether a direction between these addresses is cut.
  bool IsCut(const ip::Addr& from, const ip::Addr& to) const;
  // Sends a segment at the time `now`, by the link that was set last for its
  // addresses.
  Link::Fate Send(const Segment& segment, Nanoseconds now);

 private:
  // Returns the link with exactly these ends, which becomes the first one.
  Link& Get(const ip::Addr& from, const ip::Addr& to);

  std::list<Link> links_;  // The one that was set last is the first.
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_LINK_H_
