#include "fakes/explorer/schedule_record.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "fakes/schedule/schedule.h"

namespace net {
namespace {

uint64_t Mix(uint64_t digest, int value) {
  // FNV-1a (Fowler, Noll, Vo), a word at a time.
  return (digest ^ static_cast<uint64_t>(value + 2)) * 0x100000001b3u;
}

// Returns what ReplayedSchedule chooses after the end of its schedule.
int ChoiceAfterEnd(const ChoicePoint& point, absl::Span<const int> runnable) {
  const bool can_go_on = std::find(runnable.begin(), runnable.end(),
                                   point.current) != runnable.end();
  return can_go_on ? point.current : runnable.front();
}

}  // namespace

void ScheduleRecord::Add(const ScheduleChoice& choice, size_t chosen,
                         bool is_overdue) {
  points_.push_back({.why = choice.why,
                     .current = choice.current,
                     .chosen = choice.runnable[chosen],
                     .is_overdue = is_overdue,
                     .first_runnable = runnable_.size(),
                     .runnable_count = choice.runnable.size()});
  runnable_.insert(runnable_.end(), choice.runnable.begin(),
                   choice.runnable.end());
  digest_ = Mix(Mix(digest_, static_cast<int>(choice.why)), choice.current);
  for (const int participant : choice.runnable) {
    digest_ = Mix(digest_, participant);
  }
  digests_.push_back(digest_);
  digest_ = Mix(digest_, points_.back().chosen);
}

absl::Span<const int> ScheduleRecord::RunnableAt(size_t index) const {
  const ChoicePoint& point = points_[index];
  return absl::MakeSpan(runnable_).subspan(point.first_runnable,
                                           point.runnable_count);
}

bool ScheduleRecord::IsPreemption(size_t index, int participant) const {
  const ChoicePoint& point = points_[index];
  if (point.why != HandOver::kCall && point.why != HandOver::kQuota) {
    return false;
  }
  const absl::Span<const int> runnable = RunnableAt(index);
  return participant != point.current && !point.is_overdue &&
         std::find(runnable.begin(), runnable.end(), point.current) !=
             runnable.end();
}

int ScheduleRecord::Preemptions() const {
  int count = 0;
  for (size_t i = 0; i < points_.size(); ++i) {
    if (IsPreemption(i, points_[i].chosen)) ++count;
  }
  return count;
}

uint64_t ScheduleRecord::DigestAt(size_t count) const {
  return count < digests_.size() ? digests_[count] : digest_;
}

uint64_t ScheduleRecord::Digest() const { return digest_; }

Schedule ScheduleRecord::ToSchedule() const {
  Schedule schedule;
  schedule.at_each_call = true;
  size_t size = points_.size();
  while (size > 0 &&
         points_[size - 1].chosen ==
             ChoiceAfterEnd(points_[size - 1], RunnableAt(size - 1))) {
    --size;
  }
  schedule.choices.reserve(size);
  for (size_t i = 0; i < size; ++i) {
    schedule.choices.push_back(points_[i].chosen);
  }
  return schedule;
}

}  // namespace net
