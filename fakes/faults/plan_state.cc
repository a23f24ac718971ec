#include "fakes/faults/plan_state.h"

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/applicable.h"
#include "fakes/faults/effect.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/symbols.h"
#include "syscalls/net/endpoint.h"

namespace net {
namespace {

bool MatchesEndpoint(const EndpointPattern& pattern,
                     const std::optional<ip::Endpoint>& endpoint) {
  if (!endpoint.has_value()) {
    return !pattern.addr.has_value() && !pattern.port.has_value();
  }
  if (pattern.addr.has_value() &&
      pattern.addr->Unmapped() != endpoint->addr.Unmapped()) {
    return false;
  }
  return !pattern.port.has_value() || *pattern.port == endpoint->port;
}

bool TakesRemoteAddress(SyscallId call) {
  return call == SyscallId::kConnect || call == SyscallId::kSendTo;
}

bool MatchesSocket(const FaultSelector& selector, const SocketFacts& socket) {
  return (selector.role == SocketRole::kAny || selector.role == socket.role) &&
         (!selector.nth_socket.has_value() ||
          *selector.nth_socket == socket.nth);
}

// Compares with the argument of the call, else with the socket's address.
bool MatchesAddresses(const FaultSelector& selector, const CallFacts& facts,
                      const SocketFacts& socket) {
  const bool is_bind = facts.call == SyscallId::kBind;
  const bool is_remote =
      TakesRemoteAddress(facts.call) && facts.address.has_value();
  return (!selector.local.has_value() ||
          MatchesEndpoint(*selector.local,
                          is_bind ? facts.address : socket.local)) &&
         (!selector.remote.has_value() ||
          MatchesEndpoint(*selector.remote,
                          is_remote ? facts.address : socket.remote));
}

bool MatchesAnySocket(const FaultSelector& selector, const CallFacts& facts) {
  // socket(2) and calls without a socket have an empty one.
  if (facts.sockets.empty()) {
    return MatchesSocket(selector, {}) && MatchesAddresses(selector, facts, {});
  }
  return std::any_of(facts.sockets.begin(), facts.sockets.end(),
                     [&](const SocketFacts* socket) {
                       return MatchesSocket(selector, *socket) &&
                              MatchesAddresses(selector, facts, *socket);
                     });
}

bool IsIn(const CountRange& range, int number) {
  return range.first <= number && number <= range.last;
}

// Returns a number in [0, 1) for the nth call: equal seeds give equal numbers
// (SplitMix64, Steele et al., 2014).
double Draw(uint64_t seed, int nth) {
  uint64_t z = seed + static_cast<uint64_t>(nth) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30u)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27u)) * 0x94d049bb133111ebu;
  z ^= z >> 31u;
  constexpr double kTwoTo53 = 9007199254740992.0;
  return static_cast<double>(z >> 11u) / kTwoTo53;
}

}  // namespace

PlanState::Armed PlanState::ArmedOf(const FaultRule& rule) {
  Armed armed;
  armed.rule = rule;
  const SyscallSet selected =
      SelectSyscalls(rule.selector.calls).value_or(SyscallSet());
  for (const SyscallId call : kAllSyscallIds) {
    if (selected.contains(call) && IsApplicable(rule.action, call)) {
      armed.calls.insert(call);
    }
  }
  const std::optional<OptionNumber> option =
      OptionFromSymbol(rule.selector.option);
  const std::optional<int> command = FcntlFromSymbol(rule.selector.option);
  if (option.has_value()) {
    armed.option_level = option->level;
    armed.option_name = option->name;
  } else if (command.has_value()) {
    armed.option_level = kFcntlLevel;
    armed.option_name = *command;
  } else if (!rule.selector.option.empty()) {
    armed.calls = SyscallSet();  // An unknown option matches no call.
  }
  if (rule.action.kind == ActionKind::kErrorConsumed) {
    const bool is_other =
        armed.option_level.has_value() &&
        (armed.option_level != SOL_SOCKET || armed.option_name != SO_ERROR);
    if (is_other) armed.calls = SyscallSet();
    armed.option_level = SOL_SOCKET;
    armed.option_name = SO_ERROR;
  }
  return armed;
}

void PlanState::Arm(const FaultPlan& plan) {
  rules_.clear();
  bool needs_addresses = false;
  ++plan_;
  position_ = 0;
  for (std::atomic<int>& count : counts_) count = 0;
  for (const FaultRule& rule : plan.rules) {
    rules_.push_back(ArmedOf(rule));
    needs_addresses |=
        rule.selector.local.has_value() || rule.selector.remote.has_value();
  }
  needs_addresses_ = needs_addresses;
  has_rules_ = !rules_.empty();
}

bool PlanState::Matches(const Armed& armed, const CallFacts& facts) const {
  const FaultSelector& selector = armed.rule.selector;
  if (!armed.calls.contains(facts.call)) return false;
  if (armed.option_level.has_value() &&
      (*armed.option_level != facts.option_level ||
       armed.option_name != facts.option_name)) {
    return false;
  }
  if (selector.position.has_value() &&
      (UsesNoSocket(facts.call) || !IsIn(*selector.position, position_))) {
    return false;
  }
  return MatchesAnySocket(selector, facts) &&
         (selector.call_site.empty() ||
          absl::StrContains(facts.call_site, selector.call_site));
}

bool PlanState::Applies(const Armed& armed) {
  const FaultSelector& selector = armed.rule.selector;
  const int nth = armed.matched;
  if (armed.applied >= armed.rule.times) return false;
  if (!IsIn(selector.occurrence, nth)) return false;
  if ((nth - selector.occurrence.first + 1) % selector.every != 0) return false;
  return !selector.probability.has_value() ||
         Draw(selector.seed, nth) < *selector.probability;
}

std::optional<Decision> PlanState::Decide(const CallFacts& facts) {
  CountOnly(facts.call);
  if (!UsesNoSocket(facts.call)) ++position_;
  std::optional<Decision> decision;
  for (size_t i = 0; i < rules_.size(); ++i) {
    Armed& armed = rules_[i];
    if (!Matches(armed, facts)) continue;
    ++armed.matched;
    if (decision.has_value() || !Applies(armed)) continue;
    ++armed.applied;
    decision = Decision{i, armed.rule.action, plan_};
  }
  if (decision.has_value() && decision->action.effect == Effect::kDefault) {
    decision->action.effect =
        decision->action.kind == ActionKind::kError
            ? DefaultEffect(facts.call, decision->action.error)
            : Effect::kAfter;
  }
  return decision;
}

void PlanState::Retract(const Decision& decision) {
  if (decision.plan == plan_) --rules_[decision.rule].applied;
}

std::vector<FaultRule> PlanState::Unmatched() const {
  std::vector<FaultRule> unmatched;
  for (const Armed& armed : rules_) {
    if (armed.applied == 0) unmatched.push_back(armed.rule);
  }
  return unmatched;
}

int PlanState::Count(absl::string_view calls) const {
  const std::optional<SyscallSet> selected = SelectSyscalls(calls);
  if (!selected.has_value()) return -1;
  int count = 0;
  for (const SyscallId call : kAllSyscallIds) {
    if (selected->contains(call)) count += Count(call);
  }
  return count;
}

}  // namespace net
