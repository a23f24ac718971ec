#ifndef CONFORMANCE_SUITE_CASE_H_
#define CONFORMANCE_SUITE_CASE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "conformance/suite/environment.h"

namespace net::conformance {

class Context;

// How binding a requirement is.
enum class Level {
  kMust,       // fixed by the API's own text and by Linux
  kShould,     // good implementations may differ, and then say why
  kVariation,  // kernels differ; each known behaviour has a name
};
absl::string_view LevelName(Level level);  // "must"

// The address families that a case is run on, each as a trial of its own.
enum class Axes { kV4AndV6, kV4, kV6 };

enum class Axis { kV4, kV6 };
absl::string_view AxisName(Axis axis);  // "v4"

// The axes of a case, in order.
std::vector<Axis> AxesOf(Axes axes);

// One requirement, and the program that finds out whether an implementation (or
// a kernel) meets it. The program (see context.h) uses GoogleTest's assertions;
// a failed one makes the outcome `fail` and is the record's message.
struct Case {
  // Stable and hierarchical: "listen.reuseport.two_listeners". Never contains
  // an implementation's name, an axis or a position.
  absl::string_view id;
  // In one sentence, with "must", "should" or "may".
  absl::string_view requirement;
  // Where that is written: man page and section, RFC, or "contract: backlog",
  // the row of the table in tcp/CONTRACT.md. What is written nowhere and only
  // known by trying is "measured on Linux 6.18".
  absl::string_view source;
  Level level = Level::kMust;
  Axes axes = Axes::kV4AndV6;
  Need needs = Need::kNone;
  void (*run)(Context& c);
};

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_CASE_H_
