#include "fakes/differential/situations.h"

#include <array>
#include <cstdint>

#include "fakes/call.h"
#include "fakes/differential/program.h"

namespace net::differential {
namespace {

int64_t Pair(int64_t first, int64_t second) { return first << 32 ^ second; }

// Sizes and values are left out: they have too many values, and large ones
// cost time.
int64_t ArgumentOf(const Step& step) {
  switch (step.call) {
    case Call::kSetSockOpt:
    case Call::kGetSockOpt:
      return Pair(step.level, step.name);
    case Call::kFcntl:
    case Call::kIoctl:
      return step.name;
    case Call::kBind:
    case Call::kConnect:
      return Pair(static_cast<int>(step.address.host),
                  static_cast<int>(step.address.port));
    case Call::kListen:
    case Call::kShutdown:
      return step.number;
    case Call::kSocket:
      return Pair(step.domain, Pair(step.type, step.protocol));
    default:
      return step.flags;
  }
}

bool IsOdd(const Step& step) {
  return step.null || step.null_length || step.no_descriptors ||
         step.length != kRightLength || step.address.length != kRightLength;
}

}  // namespace

std::array<Situation, 2> SituationsOf(const Step& step, SlotState state,
                                      Call before) {
  return {Situation{.state = state,
                    .call = step.call,
                    .argument = 2 * ArgumentOf(step) + (IsOdd(step) ? 1 : 0)},
          Situation{.state = state,
                    .call = step.call,
                    .is_transition = true,
                    .before = before}};
}

}  // namespace net::differential
