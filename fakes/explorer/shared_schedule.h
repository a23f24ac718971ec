#ifndef FAKES_EXPLORER_SHARED_SCHEDULE_H_
#define FAKES_EXPLORER_SHARED_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "fakes/schedule/schedule.h"

namespace net {

// The choices of a run in a child process, in memory that it shares with its
// parent: the parent knows the run's schedule even if it crashes the child.
class SharedChoices {
 public:
  // Fails if there is no memory.
  static absl::StatusOr<SharedChoices> Make();

  void Clear();
  // Adds a choice that is to be made. There is room for about a million
  // choices; beyond it, aborts the process.
  void Add(const ScheduleChoice& choice);
  // Makes the policy repeat the choices. It then has the same state as its copy
  // in the child.
  void MakeAgain(SchedulePolicy& policy) const;

 private:
  struct Unmap {
    void operator()(int32_t* words) const;
  };

  explicit SharedChoices(int32_t* words) : words_(words) {}

  // words_[0]: how many words follow. A choice is its reason, its current
  // participant, and the number of those that can run before their numbers.
  std::unique_ptr<int32_t, Unmap> words_;
};

// Records each choice, and lets another policy make it.
class SharedSchedule final : public SchedulePolicy {
 public:
  SharedSchedule(SchedulePolicy& policy, SharedChoices& choices)
      : policy_(policy), choices_(choices) {}

  size_t Choose(const ScheduleChoice& choice) override {
    choices_.Add(choice);
    return policy_.Choose(choice);
  }
  bool ChoosesAtEachCall() const override {
    return policy_.ChoosesAtEachCall();
  }

 private:
  SchedulePolicy& policy_;
  SharedChoices& choices_;
};

}  // namespace net

#endif  // FAKES_EXPLORER_SHARED_SCHEDULE_H_
