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

absl::string_view AddressFamilyName(AddressFamily family) {
  return family == AddressFamily::kV4 ? "v4" : "v6";
}

std::vector<AddressFamily> AddressFamiliesOf(AddressFamilies families) {
  switch (families) {
    case AddressFamilies::kV4AndV6:
      return {AddressFamily::kV4, AddressFamily::kV6};
    case AddressFamilies::kV4:
      return {AddressFamily::kV4};
    case AddressFamilies::kV6:
      return {AddressFamily::kV6};
  }
  return {};
}

}  // namespace net::conformance
