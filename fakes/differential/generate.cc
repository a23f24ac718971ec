#include "fakes/differential/generate.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "fakes/differential/program.h"
#include "fakes/differential/shrink.h"
#include "fakes/differential/situations.h"
#include "fakes/differential/writer.h"
#include "rapidcheck.h"

namespace net::differential {
namespace {

constexpr size_t kFewestSteps = 12;
constexpr size_t kMostSteps = 60;

// Programs enough for an estimate of what is seldom.
constexpr int kUsualPrograms = 1000;

const SituationCounts& UsualCounts() {
  static const auto& counts = *new SituationCounts(
      CountSituations(/*first=*/0, kUsualPrograms, /*prefer_seldom=*/false));
  return counts;
}

size_t LengthOf(rc::Random& random) {
  const uint64_t length = random.split().next();
  return kFewestSteps + length % (kMostSteps - kFewestSteps + 1);
}

}  // namespace

SituationCounts CountSituations(uint64_t first, int count, bool prefer_seldom) {
  SituationCounts counts;
  for (int i = 0; i < count; ++i) {
    rc::Random random(first + static_cast<uint64_t>(i));
    const size_t most = LengthOf(random);
    Writer writer(random.next(), prefer_seldom ? &UsualCounts() : nullptr);
    writer.Write(most);
    counts.Add(writer.situations());
  }
  return counts;
}

rc::Gen<Program> Programs() {
  return [](rc::Random random, int) {
    const size_t most = LengthOf(random);
    return Shrinking(Writer(random.next(), &UsualCounts()).Write(most));
  };
}

rc::Shrinkable<Program> ProgramOf(uint64_t seed) {
  return Programs()(rc::Random(seed));
}

}  // namespace net::differential
