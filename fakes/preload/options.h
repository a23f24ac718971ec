#ifndef FAKES_PRELOAD_OPTIONS_H_
#define FAKES_PRELOAD_OPTIONS_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/kernel/link_options.h"

// The options of on_fake_kernel, which passes them to libnet_fake.so in
// environment variables.

namespace net::preload {

// The names of an option: `flag` on the command line of on_fake_kernel, and
// `variable`, the environment variable.
struct OptionName {
  absl::string_view flag;
  const char* variable;
};
inline constexpr OptionName kSeed = {"seed", "NET_FAKE_SEED"};
inline constexpr OptionName kPlan = {"plan", "NET_FAKE_PLAN"};
inline constexpr OptionName kLinks = {"link", "NET_FAKE_LINK"};
inline constexpr OptionName kSysctls = {"sysctl", "NET_FAKE_SYSCTL"};
inline constexpr OptionName kTrace = {"trace", "NET_FAKE_TRACE"};
inline constexpr OptionName kNativeWait = {"native-wait",
                                           "NET_FAKE_NATIVE_WAIT"};
inline constexpr OptionName kStallLimit = {"stall-limit",
                                           "NET_FAKE_STALL_LIMIT"};
inline constexpr OptionName kAllOptions[] = {
    kSeed, kPlan, kLinks, kSysctls, kTrace, kNativeWait, kStallLimit};

// A link, and its properties. `cut`: FakeKernel::Cut().
struct LinkRule {
  LinkEnds ends;
  LinkOptions options;
  bool cut = false;

  friend bool operator==(const LinkRule&, const LinkRule&) = default;
};
std::ostream& operator<<(std::ostream& os, const LinkRule& rule);

struct Options {
  uint64_t seed = 1;
  FaultPlan plan;
  std::vector<LinkRule> links;
  // Names and values as in sysctl(8).
  std::vector<std::pair<std::string, std::string>> sysctls;
  // The file to which the trace is written. "-" is standard error; "" writes
  // none.
  std::string trace;
  // The real time for which native descriptors must have no event before the
  // virtual clock may jump.
  absl::Duration native_wait = absl::Milliseconds(10);
  // HangLimits::real_time.
  absl::Duration stall_limit = absl::Seconds(10);
};

// Parses links: "FROM <-> TO WORD...; ...", or -> for one direction. FROM and
// TO are addresses, or * for all. The words are delay=DURATION,
// jitter=DURATION, bandwidth=BYTES (a second), loss=PROBABILITY, seed=N, drop,
// reject and cut, which are fields of LinkOptions and FakeKernel::Cut().
//
//   * <-> 127.0.0.2 delay=20ms loss=0.01; 127.0.0.1 -> 127.0.0.3 cut
//
// Fails with kInvalidArgument; the message quotes the word.
absl::StatusOr<std::vector<LinkRule>> ParseLinks(absl::string_view text);

// Parses all options. `text` returns an option's text, or null if it is not
// given. Fails with kInvalidArgument; the message names the flag.
absl::StatusOr<Options> ParseOptions(
    absl::FunctionRef<const char*(const OptionName&)> text);

}  // namespace net::preload

#endif  // FAKES_PRELOAD_OPTIONS_H_
