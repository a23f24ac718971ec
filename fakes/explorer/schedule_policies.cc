#include "fakes/explorer/schedule_policies.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "fakes/explorer/schedule_record.h"
#include "fakes/schedule/schedule.h"

namespace net {
namespace {

constexpr int kNone = -1;

// Returns the participant's index in `runnable`, or kNone.
int IndexOf(absl::Span<const int> runnable, int participant) {
  for (size_t i = 0; i < runnable.size(); ++i) {
    if (runnable[i] == participant) return static_cast<int>(i);
  }
  return kNone;
}

template <typename T>
T& At(std::vector<T>& by_participant, int participant) {
  const auto index = static_cast<size_t>(participant);
  if (index >= by_participant.size()) by_participant.resize(index + 1);
  return by_participant[index];
}

}  // namespace

size_t RecordingSchedule::Choose(const ScheduleChoice& choice) {
  FindOverdue(choice);
  const size_t chosen = ChooseNext(choice, record_.size());
  record_.Add(choice, chosen, overdue_ != kNone);
  NoteWaiting(choice, chosen);
  return chosen;
}

void RecordingSchedule::FindOverdue(const ScheduleChoice& choice) {
  overdue_ = kNone;
  if (choice.why == HandOver::kWake) return;
  int most = kPatience;
  for (size_t i = 0; i < choice.runnable.size(); ++i) {
    const int waited = At(waited_, choice.runnable[i]);
    if (waited < most) continue;
    most = waited + 1;
    overdue_ = static_cast<int>(i);
  }
}

void RecordingSchedule::NoteWaiting(const ScheduleChoice& choice,
                                    size_t chosen) {
  if (choice.why == HandOver::kWake) return;
  for (const int participant : choice.runnable) ++At(waited_, participant);
  At(waited_, choice.runnable[chosen]) = 0;
}

size_t RecordingSchedule::PlainChoice(const ScheduleChoice& choice) const {
  if (overdue_ != kNone) return static_cast<size_t>(overdue_);
  if (choice.why == HandOver::kWake) return 0;
  const int current = IndexOf(choice.runnable, choice.current);
  if (current != kNone && choice.why != HandOver::kYield) {
    return static_cast<size_t>(current);
  }
  if (choice.why != HandOver::kYield) return 0;
  const auto* const next = std::upper_bound(
      choice.runnable.begin(), choice.runnable.end(), choice.current);
  return next == choice.runnable.end()
             ? 0
             : static_cast<size_t>(next - choice.runnable.begin());
}

size_t DeviatingSchedule::ChooseNext(const ScheduleChoice& choice,
                                     size_t number) {
  if (next_ < deviations_.size() && deviations_[next_].point == number) {
    const int index =
        IndexOf(choice.runnable, deviations_[next_++].participant);
    if (index != kNone) return static_cast<size_t>(index);
    has_missed_ = true;
  }
  return PlainChoice(choice);
}

PctSchedule::PctSchedule(uint64_t seed, int depth, size_t length)
    : state_(seed) {
  for (int i = 1; i < depth; ++i) {
    change_points_.push_back(static_cast<size_t>(Random() % length));
  }
  std::sort(change_points_.begin(), change_points_.end());
}

uint64_t PctSchedule::Random() {
  // SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
  // Generators, 2014).
  state_ += 0x9e3779b97f4a7c15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

int64_t& PctSchedule::PriorityOf(int participant) {
  int64_t& priority = At(priorities_, participant);
  // Positive, so above all priorities that change points give.
  if (priority == 0) priority = static_cast<int64_t>(Random() >> 1) | 1;
  return priority;
}

size_t PctSchedule::ChooseNext(const ScheduleChoice& choice, size_t number) {
  if (choice.why == HandOver::kWake) return Random() % choice.runnable.size();
  const auto highest = [&] {
    size_t best = 0;
    for (size_t i = 1; i < choice.runnable.size(); ++i) {
      if (PriorityOf(choice.runnable[i]) > PriorityOf(choice.runnable[best])) {
        best = i;
      }
    }
    return best;
  };
  // A participant that yields, or that keeps another one waiting too long, runs
  // after all others.
  if ((choice.why == HandOver::kYield || Overdue() != kNone) &&
      IndexOf(choice.runnable, choice.current) != kNone) {
    PriorityOf(choice.current) = --lowest_;
  }
  for (; next_change_ < change_points_.size() &&
         change_points_[next_change_] <= number;
       ++next_change_) {
    PriorityOf(choice.runnable[highest()]) = --lowest_;
  }
  return highest();
}

std::vector<ScheduleSegment> SegmentsOf(const ScheduleRecord& record) {
  std::vector<ScheduleSegment> segments;
  for (size_t i = 0; i < record.size(); ++i) {
    if (record[i].why == HandOver::kWake) continue;
    const int chosen = record[i].chosen;
    if (segments.empty() || segments.back().participant != chosen) {
      segments.push_back({.participant = chosen, .choices = 1});
    } else {
      ++segments.back().choices;
    }
  }
  return segments;
}

size_t SegmentedSchedule::ChooseNext(const ScheduleChoice& choice,
                                     size_t /*number*/) {
  if (choice.why == HandOver::kWake) return 0;
  while (next_ < segments_.size()) {
    ScheduleSegment& segment = segments_[next_];
    const int index = IndexOf(choice.runnable, segment.participant);
    // A participant that blocks ends its segment, unless it goes on at once.
    if (segment.choices > 0 && index != kNone) {
      --segment.choices;
      return static_cast<size_t>(index);
    }
    ++next_;
  }
  return PlainChoice(choice);
}

}  // namespace net
