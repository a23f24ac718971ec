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

// What conditions of expectations are about.
struct Surroundings {
  int kernel_major = 0;
  int kernel_minor = 0;
  bool root = false;
  std::string version;  // of the implementation; "": nobody knows it yet

  // This machine and process, and a column of that version.
  static Surroundings Here(std::string version);
};

// The known differences of one implementation, as a file says them. A line
// each:
//
//   connect.flags.close_on_exec_by_default  fail  # The library never sets it.
//   listen.v6only.*  fail axis=v6 error=EINVAL if=kernel>=6.1  # Why.
//   connect.failure.*  leak  # The library keeps the socket of a failed
//   connect.
//
// - the ids of cases, as a glob (see SelectCases());
// - how they end: `fail`, `timeout` or `crash`; or `flaky`: in one of these
//   ways, or not at all. Or that they leave descriptors open: `leak`; or
//   `flaky-leak`: not always;
// - optionally `axis=v4|v6`; `error=`, the errno or kind that was reported
//   before the failure (not of a leak); `if=root`, `if=unprivileged`,
//   `if=kernel>=M.N`, `if=kernel<M.N`: elsewhere the line says nothing; and so
//   of the implementation's version, `if=version>=M.N`, `if=version<M.N`, which
//   is not there for drivers: theirs is known only when they have been started;
// - `#` and the reason, which must be there.
//
// Lines that begin with `#` are comments. Of two lines for one trial the first
// counts; but lines about leaks and lines about outcomes are counted apart, so
// a trial may have one of each. Claims of `unsupported` need no line.
class Expectations {
 public:
  // None.
  Expectations() = default;

  // `name` is the file's, for messages. An error names the line.
  static absl::StatusOr<Expectations> Parse(absl::string_view text,
                                            absl::string_view name,
                                            const Surroundings& here);

  // Whether a trial that hangs is nothing new.
  bool MayHang(const Trial& trial) const;

  // Turns the outcome of a record to what it is in the light of these:
  // expected-fail, unexpected-pass; or leaves it, with a word in the message if
  // another failure was expected. Turns its leak to expected-leak or
  // unexpected-no-leak in the same way.
  void Apply(Record& record);

  // After a run of all cases: what is wrong with the file, a line each.
  std::vector<std::string> Problems() const;

  // After a run of all cases: the text of the file as it should be for these
  // records, as they were before Apply(). What is still right stays, with its
  // comments; what is new has the reason "?", which is not one: a person has to
  // give it.
  std::string Fix(absl::Span<const Record> records) const;

 private:
  // The ending that a line is about.
  enum class Aspect { kOutcome, kLeak };
  static constexpr Aspect kAspects[] = {Aspect::kOutcome, Aspect::kLeak};

  struct Line {
    int number = 0;
    std::string text;  // as it is in the file
    // Unless it is a comment:
    std::string glob;
    std::string ending;  // "fail", "timeout", "crash" or "flaky"; or "leak" or
                         // "flaky-leak"
    Aspect aspect = Aspect::kOutcome;
    std::optional<Axis> axis;
    std::string error;
    bool active = true;  // its conditions hold
    std::string reason;

    bool matched = false;    // a trial
    bool justified = false;  // one that ended as it says
    bool possible = false;   // one that could be run, and was not unsupported
  };

  static absl::StatusOr<Line> ParseLine(absl::string_view text,
                                        const Surroundings& here);
  static absl::Status ParseWord(absl::string_view word,
                                const Surroundings& here, Line& line);
  static bool IsComment(const Line& line) { return line.glob.empty(); }
  static bool IsOf(const Line& line, Aspect aspect, const Trial& trial);
  static bool IsFlaky(const Line& line);
  static bool EndsSo(const Line& line, const Verdict& verdict);

  // True if the ending of a trial is a failure or a leak, which needs a line.
  static bool NeedsLine(Aspect aspect, const Verdict& verdict);
  // True if the trial shows nothing about this aspect.
  static bool IsUnknown(Aspect aspect, const Verdict& verdict);

  // The index of the line that counts for a trial; nullopt if there is none.
  std::optional<size_t> Find(Aspect aspect, const Trial& trial) const;

  void ApplyToOutcome(Record& record);
  void ApplyToLeak(Record& record);

  // One ending of a trial, as a line has it: "fail error=EINVAL", "leak".
  using Ending = std::pair<const Record*, Aspect>;
  static std::string NewLines(absl::Span<const Ending> endings);
  std::string Where(const Line& line) const;

  std::string name_;
  std::vector<Line> lines_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_EXPECTATIONS_H_
