#ifndef FAKES_EXPLORER_SCHEDULE_RECORD_H_
#define FAKES_EXPLORER_SCHEDULE_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "fakes/schedule/schedule.h"

namespace net {

// A choice of a run, and the participant that was chosen.
struct ChoicePoint {
  HandOver why = HandOver::kBlock;
  int current = -1;
  int chosen = 0;  // The number of a participant.
  // Whether another participant had waited so long for the baton that the
  // current one had to hand it on. See RecordingSchedule::PlainChoice().
  bool is_overdue = false;
  // The participants that could run: their place in ScheduleRecord's list.
  size_t first_runnable = 0;
  size_t runnable_count = 0;
};

// The choices of a run, in order.
class ScheduleRecord {
 public:
  // `chosen` is an index into choice.runnable.
  void Add(const ScheduleChoice& choice, size_t chosen, bool is_overdue);

  size_t size() const { return points_.size(); }
  const ChoicePoint& operator[](size_t index) const { return points_[index]; }
  absl::Span<const int> RunnableAt(size_t index) const;

  // Returns whether it is a preemption to give the baton to `participant` at
  // that choice: the current one could have gone on, and has neither blocked
  // nor yielded nor kept the baton for too long.
  bool IsPreemption(size_t index, int participant) const;
  int Preemptions() const;

  // Returns a digest of the first `count` choices that were made, and of the
  // participants that could run at the next one. If the digests of two runs are
  // equal, they have come to the same choice in the same way.
  uint64_t DigestAt(size_t count) const;
  uint64_t Digest() const;

  // Returns the shortest schedule that makes these choices. It omits the
  // choices that ReplayedSchedule makes by itself.
  Schedule ToSchedule() const;

 private:
  std::vector<ChoicePoint> points_;
  std::vector<int> runnable_;
  // Of the choices before each one, and who could run at it.
  std::vector<uint64_t> digests_;
  uint64_t digest_ = 0;  // Of all choices.
};

}  // namespace net

#endif  // FAKES_EXPLORER_SCHEDULE_RECORD_H_
