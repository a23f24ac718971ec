#include "fakes/differential/generate.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "fakes/differential/program.h"
#include "fakes/differential/shrink.h"
#include "fakes/differential/writer.h"
#include "rapidcheck.h"

namespace net::differential {
namespace {

constexpr size_t kFewestSteps = 12;
constexpr size_t kMostSteps = 60;

}  // namespace

rc::Gen<Program> Programs() {
  return [](rc::Random random, int) {
    const uint64_t length = random.split().next();
    const size_t most = kFewestSteps + length % (kMostSteps - kFewestSteps + 1);
    return Shrinking(Writer(random.next()).Write(most));
  };
}

rc::Shrinkable<Program> ProgramOf(uint64_t seed) {
  return Programs()(rc::Random(seed));
}

}  // namespace net::differential
