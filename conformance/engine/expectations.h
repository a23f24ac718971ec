#ifndef CONFORMANCE_ENGINE_EXPECTATIONS_H_
#define CONFORMANCE_ENGINE_EXPECTATIONS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"

namespace net::conformance {

// The values that the conditions of expectations (`if=`) are compared with.
struct Surroundings {
  int kernel_major = 0;
  int kernel_minor = 0;
  bool root = false;
  bool fake_kernel = false;  // the implementation runs on the FakeKernel
  std::string version;       // of the implementation; "" while it is unknown

  // Returns the values for this machine and process, and for the given version
  // of the implementation.
  static Surroundings Here(std::string version, bool fake_kernel = false);
};

// The known deviations of one implementation, as listed in a file. A line each:
//
//   connect.flags.close_on_exec_by_default  fail  # The library never sets it.
//   listen.v6only.*  fail axis=v6 error=EINVAL if=kernel>=6.1  # Why.
//   connect.failure.*  leak  # The library keeps the socket.
//
// The words of a line are:
//
// - A glob that matches the ids of cases (see SelectCases()).
// - The expected ending. For the outcome: `fail`, `timeout`, `crash`, or
//   `flaky` (any of these three, or a pass). For descriptors left open: `leak`,
//   or `flaky-leak` (not in every run).
// - Optionally `axis=v4` or `axis=v6`.
// - Optionally `error=` with the errno or kind that was reported before the
//   failure. Not for a leak.
// - Optionally conditions. The line is ignored if one of them does not hold:
//   - `if=root`, `if=unprivileged`
//   - `if=kernel>=M.N`, `if=kernel<M.N`
//   - `if=linux`, `if=fake_kernel`: for two targets that share a file
//   - `if=version>=M.N`, `if=version<M.N`: the version of the implementation.
//     Not for drivers, because their version is known only after they have
//     started.
// - `#` and the reason, which is required.
//
// Lines that begin with `#` are comments. If several lines match a trial, the
// first one counts. Lines about leaks and lines about outcomes are independent,
// so a trial may have one of each. Claims of `unsupported` need no line.
class Expectations {
 public:
  // Makes a list without deviations.
  Expectations() = default;

  // Parses the text of a file. `name` is the file's name, for messages. Errors
  // name the line.
  static absl::StatusOr<Expectations> Parse(absl::string_view text,
                                            absl::string_view name,
                                            const Surroundings& here);

  // Returns true if the trial is expected to hang, always or sometimes.
  bool MayHang(const Trial& trial) const;

  // Changes a record's outcome to expected-fail or unexpected-pass, and its
  // leak to expected-leak or unexpected-no-leak, as the lines require. If a
  // line expects another failure, keeps the outcome and adds the expected
  // failure to the message.
  void Apply(Record& record);

  // Returns the problems of the file after a run of all cases, a line each.
  std::vector<std::string> Problems() const;

  // Returns the text that the file should have after a run of all cases.
  // `records` are as they were before Apply(). Lines that are still right are
  // kept, with their comments. New lines have the reason "?", which Problems()
  // reports until a person replaces it.
  std::string Fix(absl::Span<const Record> records) const;

 private:
  // The two independent endings of a trial.
  enum class Aspect { kOutcome, kLeak };
  static constexpr Aspect kAspects[] = {Aspect::kOutcome, Aspect::kLeak};

  struct Line {
    int number = 0;
    std::string text;  // as in the file
    // The rest is empty in comments.
    std::string glob;
    std::string ending;  // "fail", "timeout", "crash" or "flaky"; or "leak" or
                         // "flaky-leak"
    Aspect aspect = Aspect::kOutcome;
    std::optional<AddressFamily> family;
    std::string error;
    bool active = true;  // its conditions hold
    std::string reason;

    bool matched = false;    // it matched a trial
    bool justified = false;  // ... that ended as expected
    bool possible = false;   // ... that could run and was supported
  };

  static absl::StatusOr<Line> ParseLine(absl::string_view text,
                                        const Surroundings& here);
  static absl::Status ParseWord(absl::string_view word,
                                const Surroundings& here, Line& line);
  static bool IsComment(const Line& line) { return line.glob.empty(); }
  static bool IsOf(const Line& line, Aspect aspect, const Trial& trial);
  static bool IsFlaky(const Line& line);
  static bool EndsSo(const Line& line, const Verdict& verdict);

  // Returns true if the ending is a failure or a leak, which needs a line.
  static bool NeedsLine(Aspect aspect, const Verdict& verdict);
  // Returns true if the trial shows nothing about this aspect.
  static bool IsUnknown(Aspect aspect, const Verdict& verdict);

  // Returns the index of the line that counts for a trial, or nullopt.
  std::optional<size_t> Find(Aspect aspect, const Trial& trial) const;

  void ApplyToOutcome(Record& record);
  void ApplyToLeak(Record& record);

  // One ending of a trial, for a new line: "fail error=EINVAL", "leak".
  using Ending = std::pair<const Record*, Aspect>;
  static std::string NewLines(absl::Span<const Ending> endings);
  std::string Where(const Line& line) const;

  std::string name_;
  std::vector<Line> lines_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_EXPECTATIONS_H_
