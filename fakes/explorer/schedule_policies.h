#ifndef FAKES_EXPLORER_SCHEDULE_POLICIES_H_
#define FAKES_EXPLORER_SCHEDULE_POLICIES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "fakes/explorer/schedule_record.h"
#include "fakes/schedule/schedule.h"

// The policies of ExploreSchedules(). Each chooses at every call and records
// the choices of one run.

namespace net {

// A policy that records its choices. Used for one run.
class RecordingSchedule : public SchedulePolicy {
 public:
  size_t Choose(const ScheduleChoice& choice) final;
  bool ChoosesAtEachCall() const final { return true; }

  const ScheduleRecord& record() const { return record_; }

 protected:
  // The number of successive choices after which a participant that could run
  // but was not chosen is overdue. The plain choice then takes it. A loop that
  // polls therefore lets the others run.
  static constexpr int kPatience = 200;

  // Returns an index into choice.runnable, the `number`th choice of the run.
  virtual size_t ChooseNext(const ScheduleChoice& choice, size_t number) = 0;

  // Returns the index of a participant that is overdue, or -1.
  int Overdue() const { return overdue_; }
  // The plain choice: a participant that is overdue; else the current one, if
  // it can go on and has not yielded; after a yield, the next number that can
  // run; else the lowest one.
  size_t PlainChoice(const ScheduleChoice& choice) const;

 private:
  void FindOverdue(const ScheduleChoice& choice);
  void NoteWaiting(const ScheduleChoice& choice, size_t chosen);

  ScheduleRecord record_;
  // By participant: the choices in a row at which it was not chosen.
  std::vector<int> waited_;
  int overdue_ = -1;
};

// A choice other than the plain choice, at one point.
struct Deviation {
  size_t point = 0;     // The number of the choice, from 0.
  int participant = 0;  // Who is chosen.

  friend bool operator==(const Deviation&, const Deviation&) = default;
};

// Makes the plain choices, except for some deviations.
class DeviatingSchedule final : public RecordingSchedule {
 public:
  // `deviations` are in the order of their points, and outlive this.
  explicit DeviatingSchedule(absl::Span<const Deviation> deviations)
      : deviations_(deviations) {}

  // Returns whether every deviation could be made.
  bool has_made_all() const {
    return next_ == deviations_.size() && !has_missed_;
  }

 private:
  size_t ChooseNext(const ScheduleChoice& choice, size_t number) override;

  const absl::Span<const Deviation> deviations_;
  size_t next_ = 0;
  bool has_missed_ = false;
};

// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi,
// Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees of Finding
// Bugs, 2010). Each participant has a random priority. Of those that can run,
// the one with the highest priority runs. At depth - 1 random choices, the
// participant that would run next gets the lowest priority so far. A bug that
// needs `depth` ordered events, in a run of n participants with k choices,
// shows with a probability of at least 1 / (n * k^(depth - 1)).
class PctSchedule final : public RecordingSchedule {
 public:
  // `length` is the expected number of choices of a run, at least 1.
  PctSchedule(uint64_t seed, int depth, size_t length);

 private:
  size_t ChooseNext(const ScheduleChoice& choice, size_t number) override;
  uint64_t Random();
  int64_t& PriorityOf(int participant);

  uint64_t state_;
  std::vector<size_t> change_points_;  // Ascending.
  size_t next_change_ = 0;
  // By participant, made when it can run for the first time; 0: not yet.
  std::vector<int64_t> priorities_;
  int64_t lowest_ = 0;  // Negative: the lowest priority that was given.
};

// A participant and the choices at which it runs.
struct ScheduleSegment {
  int participant = 0;
  int choices = 1;
};

// Returns the segments of a run.
std::vector<ScheduleSegment> SegmentsOf(const ScheduleRecord& record);

// Runs the participant of each segment for the segment's number of choices, or
// until it cannot run; then that of the next segment. Makes the plain choices
// after the last segment.
class SegmentedSchedule final : public RecordingSchedule {
 public:
  explicit SegmentedSchedule(std::vector<ScheduleSegment> segments)
      : segments_(std::move(segments)) {}

 private:
  size_t ChooseNext(const ScheduleChoice& choice, size_t number) override;

  std::vector<ScheduleSegment> segments_;
  size_t next_ = 0;
};

}  // namespace net

#endif  // FAKES_EXPLORER_SCHEDULE_POLICIES_H_
