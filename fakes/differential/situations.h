#ifndef FAKES_DIFFERENTIAL_SITUATIONS_H_
#define FAKES_DIFFERENTIAL_SITUATIONS_H_

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "fakes/call.h"
#include "fakes/differential/program.h"

namespace net::differential {

// The state of a slot, as the generator guesses it.
enum class SlotState : uint8_t {
  kFree,
  kFresh,
  kBound,
  kListening,
  kConnected,
  kEnded,  // Was connected, or was refused.
  kOther,  // Not a TCP socket.
};

// A situation that a program can test: a call in a state of its slot, with one
// of the following:
// - the argument that distinguishes calls of its kind: the option, the command,
//   the flags, the address, the direction or the backlog, and whether a pointer
//   or a length is wrong;
// - the call before on the same slot: a transition.
struct Situation {
  SlotState state = SlotState::kFree;
  Call call = Call::kSocket;
  bool is_transition = false;
  Call before = Call::kSocket;  // If it is a transition.
  int64_t argument = 0;         // If it is none.

  friend bool operator==(const Situation&, const Situation&) = default;
  template <typename H>
  friend H AbslHashValue(H hash, const Situation& one) {
    return H::combine(std::move(hash), one.state, one.call, one.is_transition,
                      one.before, one.argument);
  }
};

// Returns the situations of `step` on a slot in `state` on which `before` was
// the last call. A new slot's last call is socket(2).
std::array<Situation, 2> SituationsOf(const Step& step, SlotState state,
                                      Call before);

// Counts how often each situation was seen.
class SituationCounts {
 public:
  void Add(const std::vector<Situation>& situations) {
    for (const Situation& situation : situations) ++counts_[situation];
  }
  // Returns the count of a situation; 0 if it was never seen.
  int64_t Count(const Situation& situation) const {
    const auto found = counts_.find(situation);
    return found == counts_.end() ? 0 : found->second;
  }
  const absl::flat_hash_map<Situation, int64_t>& all() const { return counts_; }

 private:
  absl::flat_hash_map<Situation, int64_t> counts_;
};

// Counts the situations of the programs of `count` seeds, beginning with
// `first`. With `prefer_seldom`, these are the programs of ProgramOf().
// Otherwise their scenes are drawn without regard to rarity.
SituationCounts CountSituations(uint64_t first, int count, bool prefer_seldom);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_SITUATIONS_H_
