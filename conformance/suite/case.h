#ifndef CONFORMANCE_SUITE_CASE_H_
#define CONFORMANCE_SUITE_CASE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "conformance/suite/need.h"

namespace net::conformance {

class Context;

// The strength of a requirement.
enum class Level {
  kMust,       // Required by the API's own text and by Linux.
  kShould,     // Good implementations may differ, for a documented reason.
  kVariation,  // Kernels differ. Each known behaviour has a name.
};
// Returns the level's name in lower case, such as "must".
absl::string_view LevelName(Level level);

// The address families that a case runs on. Each is a trial of its own.
enum class AddressFamilies { kV4AndV6, kV4, kV6 };

enum class AddressFamily { kV4, kV6 };
// Returns "v4" or "v6".
absl::string_view AddressFamilyName(AddressFamily family);

// Returns the address families of a case, v4 before v6.
std::vector<AddressFamily> AddressFamiliesOf(AddressFamilies families);

// A requirement, and the program that checks whether an implementation (or a
// kernel) meets it. The program (see context.h) uses GoogleTest's assertions. A
// failed assertion makes the outcome `fail`, and its text the record's message.
struct Case {
  // Hierarchical, such as "listen.reuseport.two_listeners". Never changes, and
  // never contains an implementation's name, an address family or a position.
  absl::string_view id;
  // One sentence with "must", "should" or "may".
  absl::string_view requirement;
  // The text that contains the requirement:
  // - a man page and its section, or an RFC;
  // - "contract: backlog": a row of the table in tcp/CONTRACT.md;
  // - "measured on Linux 6.18": no text does.
  absl::string_view source;
  Level level = Level::kMust;
  AddressFamilies families = AddressFamilies::kV4AndV6;
  Need needs = Need::kNone;
  void (*run)(Context& c);
};

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_CASE_H_
