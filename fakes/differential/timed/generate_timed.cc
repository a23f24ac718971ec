#include "fakes/differential/timed/generate_timed.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "fakes/differential/program.h"
#include "fakes/differential/shrink.h"
#include "fakes/differential/timed/timed_program.h"
#include "fakes/differential/timed/timed_writer.h"

namespace net::differential {

TimedProgram TimedProgramOf(uint64_t seed) { return TimedWriter(seed).Write(); }

std::vector<TimedProgram> SmallerPrograms(const TimedProgram& program) {
  std::vector<TimedProgram> all;
  for (size_t size = program.size(); size >= 1; size /= 2) {
    for (size_t first = 0; first + size <= program.size(); first += size) {
      TimedProgram smaller = program;
      const auto begin = smaller.begin() + static_cast<std::ptrdiff_t>(first);
      smaller.erase(begin, begin + static_cast<std::ptrdiff_t>(size));
      all.push_back(std::move(smaller));
    }
  }
  for (size_t i = 0; i < program.size(); ++i) {
    if (program[i].kind != TimedStep::Kind::kCall) continue;
    for (Step& simpler : SimplerSteps(program[i].call)) {
      TimedProgram smaller = program;
      smaller[i].call = std::move(simpler);
      all.push_back(std::move(smaller));
    }
  }
  return all;
}

}  // namespace net::differential
