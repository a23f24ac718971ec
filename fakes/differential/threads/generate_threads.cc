#include "fakes/differential/threads/generate_threads.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "fakes/differential/program.h"
#include "fakes/differential/shrink.h"
#include "fakes/differential/threads/threaded_program.h"
#include "fakes/differential/threads/threaded_writer.h"

namespace net::differential {
namespace {

// Adds the programs with a smaller `part`, which is a part of `program`.
void ShrinkPart(const ThreadedProgram& program, Program& part,
                const ThreadedProgram& changed,
                std::vector<ThreadedProgram>& out) {
  const Program whole = part;
  for (size_t size = whole.size(); size >= 1; size /= 2) {
    for (size_t first = 0; first + size <= whole.size(); first += size) {
      part = whole;
      const auto begin = part.begin() + static_cast<std::ptrdiff_t>(first);
      part.erase(begin, begin + static_cast<std::ptrdiff_t>(size));
      out.push_back(changed);
    }
  }
  for (size_t i = 0; i < whole.size(); ++i) {
    for (Step& step : SimplerSteps(whole[i])) {
      part = whole;
      part[i] = std::move(step);
      if (changed != program) out.push_back(changed);
    }
  }
}

}  // namespace

ThreadedProgram ThreadedProgramOf(uint64_t seed) {
  return ThreadedWriter(seed).Write();
}

ThreadStart ThreadStartOf(const ThreadedProgram& program, uint64_t seed,
                          int run) {
  ThreadStart start;
  start.order.resize(program.threads.size());
  std::iota(start.order.begin(), start.order.end(), size_t{0});
  std::mt19937_64 random(seed + static_cast<uint64_t>(run));
  for (size_t i = start.order.size(); i > 1; --i) {
    std::swap(start.order[i - 1], start.order[random() % i]);
  }
  start.one_by_one = run % 2 == 0;
  return start;
}

std::vector<ThreadedProgram> SmallerPrograms(const ThreadedProgram& program) {
  std::vector<ThreadedProgram> all;
  if (program.threads.size() > 1) {
    for (size_t i = 0; i < program.threads.size(); ++i) {
      ThreadedProgram smaller = program;
      smaller.threads.erase(smaller.threads.begin() +
                            static_cast<std::ptrdiff_t>(i));
      all.push_back(std::move(smaller));
    }
  }
  if (program.free_descriptors >= 0) {
    all.push_back(program);
    all.back().free_descriptors = -1;
  }
  for (size_t i = 0; i < program.threads.size(); ++i) {
    ThreadedProgram smaller = program;
    ShrinkPart(program, smaller.threads[i], smaller, all);
  }
  ThreadedProgram smaller = program;
  ShrinkPart(program, smaller.setup, smaller, all);
  return all;
}

}  // namespace net::differential
