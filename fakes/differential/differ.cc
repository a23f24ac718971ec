#include "fakes/differential/differ.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/differential/execution.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"
#include "fakes/differential/worlds.h"
#include "rapidcheck.h"

namespace net::differential {
namespace {

// The number of times that a difference must be reproduced. A timer that
// expired once is unlikely to expire at the same step again.
constexpr int kConfirmations = 2;

Difference Cut(const Program& program, const Trace& expected, const Trace& seen,
               size_t at) {
  const auto head = [at](const auto& all) {
    auto cut = all;
    if (cut.size() > at + 1) cut.resize(at + 1);
    return cut;
  };
  return {head(program), head(expected), head(seen)};
}

absl::StatusOr<Trace> Run(absl::StatusOr<std::unique_ptr<World>> world,
                          const Program& program, bool note_states) {
  if (!world.ok()) return world.status();
  return RunProgram(program, **world, note_states);
}

}  // namespace

absl::StatusOr<std::optional<Difference>> Differ::Compare(
    const Program& program, Watcher watcher) {
  ++programs_;
  const absl::StatusOr<Trace> first = Run(oracle_.Make(), program, true);
  if (!first.ok()) return first.status();
  watcher(program, *first);
  absl::StatusOr<Trace> seen = Run(candidate_.Make(), program, false);
  if (!seen.ok()) return seen.status();
  if (!FirstDifference(*first, *seen).has_value()) return std::nullopt;

  const absl::StatusOr<Trace> expected =
      Run(oracle_.MakeDelivering(), program, false);
  if (!expected.ok()) return expected.status();
  seen = Run(candidate_.MakeDelivering(), program, false);
  if (!seen.ok()) return seen.status();
  const std::optional<size_t> at = FirstDifference(*expected, *seen);
  if (!at.has_value()) {
    const bool was_late = FirstDifference(*first, *expected).has_value();
    ++(was_late ? late_ : unstable_);
    return std::nullopt;
  }

  Difference found = Cut(program, *expected, *seen, *at);
  for (int i = 0; i < kConfirmations; ++i) {
    const absl::StatusOr<Trace> again =
        Run(oracle_.MakeDelivering(), found.program, false);
    if (!again.ok()) return again.status();
    const absl::StatusOr<Trace> seen_again =
        Run(candidate_.MakeDelivering(), found.program, false);
    if (!seen_again.ok()) return seen_again.status();
    if (FirstDifference(*again, found.expected).has_value() ||
        FirstDifference(*seen_again, found.seen).has_value()) {
      ++unstable_;
      return std::nullopt;
    }
  }
  return found;
}

absl::StatusOr<std::optional<Difference>> Differ::Compare(
    const Program& program) {
  return Compare(program, [](const Program&, const Trace&) {});
}

absl::StatusOr<Difference> Differ::Shrink(
    const rc::Shrinkable<Program>& program, Difference found,
    absl::Time deadline) {
  rc::Seq<rc::Shrinkable<Program>> smaller = program.shrinks();
  while (absl::Now() < deadline) {
    const rc::Maybe<rc::Shrinkable<Program>> next = smaller.next();
    if (!next) break;
    absl::StatusOr<std::optional<Difference>> difference =
        Compare(next->value());
    if (!difference.ok()) return difference.status();
    if (!difference->has_value()) continue;
    found = **std::move(difference);
    smaller = next->shrinks();
  }
  return found;
}

}  // namespace net::differential
