#include "fakes/explorer/schedule_shrink.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "fakes/explorer/schedule_policies.h"
#include "fakes/explorer/schedule_record.h"

namespace net {
namespace {

constexpr int kMostRuns = 400;

std::vector<ScheduleSegment> Without(std::vector<ScheduleSegment> segments,
                                     size_t index) {
  segments.erase(segments.begin() + static_cast<std::ptrdiff_t>(index));
  return segments;
}

// Returns the segments without the `from`th one, whose choices are made with
// the `to`th one, of the same participant.
std::vector<ScheduleSegment> Merged(std::vector<ScheduleSegment> segments,
                                    size_t from, size_t to) {
  segments[to].choices += segments[from].choices;
  return Without(std::move(segments), from);
}

// Whether `a` is simpler than `b`.
bool IsSimpler(const ScheduleRecord& a, const ScheduleRecord& b) {
  if (a.Preemptions() != b.Preemptions()) {
    return a.Preemptions() < b.Preemptions();
  }
  return a.ToSchedule().choices.size() < b.ToSchedule().choices.size();
}

class Shrinker {
 public:
  Shrinker(ScheduleRecord record,
           absl::FunctionRef<bool(RecordingSchedule& policy)> shows)
      : best_(std::move(record)), shows_(shows) {}

  ScheduleRecord Shrink() {
    while (MakeStep()) {
    }
    return best_;
  }

 private:
  bool MakeStep() {
    const std::vector<ScheduleSegment> segments = SegmentsOf(best_);
    for (size_t end = segments.size(); end > 0; --end) {
      // The plain choices after the first segments are simplest.
      if (Try({segments.begin(),
               segments.begin() + static_cast<std::ptrdiff_t>(end - 1)})) {
        return true;
      }
    }
    for (size_t one = 0; one < segments.size(); ++one) {
      size_t next = one + 1;
      while (next < segments.size() &&
             segments[next].participant != segments[one].participant) {
        ++next;
      }
      // After the last choice it runs without one.
      if (next == segments.size()) {
        if (Try(Without(segments, one))) return true;
        continue;
      }
      // It runs on at once, or it runs later.
      if (Try(Merged(segments, next, one)) ||
          Try(Merged(segments, one, next))) {
        return true;
      }
    }
    return false;
  }

  bool Try(std::vector<ScheduleSegment> segments) {
    if (++runs_ > kMostRuns) return false;
    SegmentedSchedule policy(std::move(segments));
    if (!shows_(policy) || !IsSimpler(policy.record(), best_)) return false;
    best_ = policy.record();
    return true;
  }

  ScheduleRecord best_;
  const absl::FunctionRef<bool(RecordingSchedule& policy)> shows_;
  int runs_ = 0;
};

}  // namespace

ScheduleRecord ShrinkSchedule(
    const ScheduleRecord& record,
    absl::FunctionRef<bool(RecordingSchedule& policy)> shows) {
  return Shrinker(record, shows).Shrink();
}

}  // namespace net
