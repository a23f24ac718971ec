#ifndef FAKES_FAULTS_PLAN_STATE_H_
#define FAKES_FAULTS_PLAN_STATE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "syscalls/net/endpoint.h"

namespace net {

// The facts about a TCP socket (SOCK_STREAM of AF_INET or AF_INET6) by which
// rules select calls. All duplicates of a descriptor are one socket.
struct SocketFacts {
  // kListener since a successful listen(2). kConnection since a connect(2) that
  // succeeded or continues (EINPROGRESS, EINTR), or since accept. Else kAny.
  SocketRole role = SocketRole::kAny;
  // The nth TCP socket that socket(2) and accept made since Arm(), from 1.
  // 0 if it was made before.
  int nth = 0;
  // The names, as far as they are known. Needed only if
  // PlanState::needs_addresses().
  std::optional<ip::Endpoint> local;
  std::optional<ip::Endpoint> remote;
};

// The level of an option that is a command of fcntl(2).
inline constexpr int kFcntlLevel = -1;

// A call that is about to be made, as it is before the call.
struct CallFacts {
  SyscallId call = SyscallId::kSocket;
  // The TCP sockets that the call is about: one, or those that a call of the
  // family poll waits for. Empty for socket(2) and for UsesNoSocket(call).
  absl::Span<const SocketFacts* const> sockets;
  // The address that is an argument of bind(2), connect(2) or sendto(2).
  std::optional<ip::Endpoint> address;
  // Of setsockopt(2) and getsockopt(2); for fcntl(2) kFcntlLevel and the
  // command.
  int option_level = 0;
  int option_name = 0;
  absl::string_view call_site;  // "" where unknown.
};

// A rule that applies to a call.
struct Decision {
  size_t rule = 0;     // The index in the plan.
  FaultAction action;  // Its effect is not kDefault.
  int plan = 0;        // Which plan: the number of Arm() calls before it.
};

// The state of a plan that is being carried out: it counts calls and decides
// which rule applies to a call. FaultInjector and SyscallTrap use it.
//
// Call Decide() once for each call that counts, before it is made:
//   - a call on a TCP socket, and a call of the family poll that waits for one;
//   - socket(2) that makes a TCP socket;
//   - a call that UsesNoSocket(). It is in no "*" and has no position.
// A call for another kind of descriptor does not count, whatever its name.
//
// Thread-safety: CountOnly(), Count(), has_rules() and needs_addresses() may be
// called at any time from any thread. The caller serialises the other methods.
class PlanState {
 public:
  PlanState() = default;
  explicit PlanState(const FaultPlan& plan) { Arm(plan); }

  // Replaces the plan. All counts start at 0.
  void Arm(const FaultPlan& plan);

  // Counts a call. Returns the first rule that applies to it, or nullopt. Does
  // not allocate memory.
  std::optional<Decision> Decide(const CallFacts& facts);

  // Takes back a decision that could not be carried out (for example fd0 while
  // the descriptor 0 is open): the rule has not applied to the call. Does
  // nothing if another plan has been armed since.
  void Retract(const Decision& decision);

  // Counts a call, as Decide() does for a plan without rules. Takes no lock.
  void CountOnly(SyscallId call) {
    counts_[static_cast<size_t>(call)].fetch_add(1, std::memory_order_relaxed);
  }

  bool has_rules() const { return has_rules_.load(std::memory_order_relaxed); }

  // Returns whether a rule has an address that the call's arguments do not
  // show.
  bool needs_addresses() const {
    return needs_addresses_.load(std::memory_order_relaxed);
  }

  // Returns the rules that have applied to no call, in the order of the plan.
  std::vector<FaultRule> Unmatched() const;

  // Returns how many of the calls that `calls` selects ("accept4", "recv", "*")
  // were counted. Returns -1 if the text selects none.
  int Count(absl::string_view calls) const;
  int Count(SyscallId call) const {
    return counts_[static_cast<size_t>(call)].load(std::memory_order_relaxed);
  }

  // Returns the position in the trace of the last call that has one; 0 if no
  // such call was made.
  int position() const { return position_; }

 private:
  // A rule as it is matched.
  struct Armed {
    FaultRule rule;
    SyscallSet calls;  // Those that the action is applicable to.
    std::optional<int> option_level;
    int option_name = 0;
    int matched = 0;  // Calls that match all but occurrence, every, chance.
    int applied = 0;
  };

  static Armed ArmedOf(const FaultRule& rule);
  static bool Applies(const Armed& armed);
  bool Matches(const Armed& armed, const CallFacts& facts) const;

  std::vector<Armed> rules_;
  std::atomic<bool> has_rules_ = false;
  std::atomic<bool> needs_addresses_ = false;
  int plan_ = 0;
  int position_ = 0;
  std::array<std::atomic<int>, kSyscallIdCount> counts_ = {};
};

}  // namespace net

#endif  // FAKES_FAULTS_PLAN_STATE_H_
