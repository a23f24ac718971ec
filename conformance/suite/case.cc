#include "conformance/suite/case.h"

#include <vector>

#include "absl/strings/string_view.h"

namespace net::conformance {

absl::string_view LevelName(Level level) {
  switch (level) {
    case Level::kMust:
      return "must";
    case Level::kShould:
      return "should";
    case Level::kVariation:
      return "variation";
  }
  return "";
}

absl::string_view AxisName(Axis axis) {
  return axis == Axis::kV4 ? "v4" : "v6";
}

std::vector<Axis> AxesOf(Axes axes) {
  switch (axes) {
    case Axes::kV4AndV6:
      return {Axis::kV4, Axis::kV6};
    case Axes::kV4:
      return {Axis::kV4};
    case Axes::kV6:
      return {Axis::kV6};
  }
  return {};
}

}  // namespace net::conformance
