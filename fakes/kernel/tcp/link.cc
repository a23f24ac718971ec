#include "fakes/kernel/tcp/link.h"

#include <algorithm>
#include <cstdint>
#include <random>

#include "absl/time/time.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/link_options.h"
#include "fakes/kernel/tcp/segment.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {
namespace {

bool Covers(const ip::Addr& pattern, const ip::Addr& addr) {
  return pattern == addr || pattern == ip::kAnyV4 || pattern == ip::kAnyV6;
}

// IP and TCP headers, with timestamps.
int64_t SizeOnTheWire(const Segment& segment) {
  const int headers = segment.ends().local.addr.is_v6() ? 72 : 52;
  return int64_t{segment.size} + headers;
}

}  // namespace

bool Link::Matches(const ip::Addr& from, const ip::Addr& to) const {
  return Covers(from_, from) && Covers(to_, to);
}

void Link::Set(const LinkOptions& options) {
  options_ = options;
  random_.seed(options.seed);
  set_ = true;
}

Link::Fate Link::Send(const Segment& segment, Nanoseconds now) {
  if (options_.rule == LinkOptions::Rule::kDrop) return {Fate::kLost, 0};
  if (options_.rule == LinkOptions::Rule::kReject) return {Fate::kRejected, 0};
  const bool lost = options_.loss > 0 && std::generate_canonical<double, 53>(
                                             random_) < options_.loss;
  Nanoseconds when = now;
  if (options_.bandwidth > 0) {
    constexpr auto kPerSecond = static_cast<double>(kSecond);
    const double span = static_cast<double>(SizeOnTheWire(segment)) *
                        kPerSecond / static_cast<double>(options_.bandwidth);
    free_at_ = std::max(free_at_, now) + static_cast<Nanoseconds>(span);
    when = free_at_;
  }
  when += absl::ToInt64Nanoseconds(options_.delay);
  const int64_t jitter = absl::ToInt64Nanoseconds(options_.jitter);
  if (jitter > 0) {
    when += static_cast<Nanoseconds>(random_() %
                                     (static_cast<uint64_t>(jitter) + 1));
  }
  if (lost) return {Fate::kLost, 0};
  last_arrival_ = std::max(last_arrival_, when);
  return {Fate::kArrives, last_arrival_};
}

Link& Links::Get(const ip::Addr& from, const ip::Addr& to) {
  const auto found =
      std::find_if(links_.begin(), links_.end(),
                   [&](const Link& one) { return one.Is(from, to); });
  if (found == links_.end()) return links_.emplace_front(from, to);
  links_.splice(links_.begin(), links_, found);
  return links_.front();
}

void Links::Set(const LinkEnds& ends, const LinkOptions& options) {
  Get(ends.from, ends.to).Set(options);
  if (ends.both_ways) Get(ends.to, ends.from).Set(options);
}

void Links::SetCut(const LinkEnds& ends, bool cut) {
  Get(ends.from, ends.to).set_cut(cut);
  if (ends.both_ways) Get(ends.to, ends.from).set_cut(cut);
}

bool Links::IsCut(const ip::Addr& from, const ip::Addr& to) const {
  return std::any_of(links_.begin(), links_.end(), [&](const Link& one) {
    return one.cut() && one.Matches(from, to);
  });
}

Link::Fate Links::Send(const Segment& segment, Nanoseconds now) {
  const ip::Addr& from = segment.ends().local.addr;
  const ip::Addr& to = segment.ends().remote.addr;
  if (IsCut(from, to)) return {Link::Fate::kLost, 0};
  for (Link& one : links_) {
    if (one.set() && one.Matches(from, to)) return one.Send(segment, now);
  }
  return {Link::Fate::kArrives, now};
}

}  // namespace net::fake
