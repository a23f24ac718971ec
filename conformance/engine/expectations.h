#ifndef CONFORMANCE_ENGINE_EXPECTATIONS_H_
#define CONFORMANCE_ENGINE_EXPECTATIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/case.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"

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
//
// - the ids of cases, as a glob (see SelectCases());
// - how they end: `fail`, `timeout` or `crash`; or `flaky`: in one of these
//   ways, or not at all;
// - optionally `axis=v4|v6`; `error=`, the errno or kind that was reported
//   before the failure; `if=root`, `if=unprivileged`,
//   `if=kernel>=M.N`, `if=kernel<M.N`: elsewhere the line says nothing; and so
//   of the implementation's version, `if=version>=M.N`, `if=version<M.N`, which
//   is not there for drivers: theirs is known only when they have been started;
// - `#` and the reason, which must be there.
//
// Lines that begin with `#` are comments. Of two lines for one trial the first
// counts. Claims of `unsupported` need no line.
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
  // another failure was expected.
  void Apply(Record& record);

  // After a run of all cases: what is wrong with the file, a line each.
  std::vector<std::string> Problems() const;

  // After a run of all cases: the text of the file as it should be for these
  // records, as they were before Apply(). What is still right stays, with its
  // comments; what is new has the reason "?", which is not one: a person has to
  // give it.
  std::string Fix(absl::Span<const Record> records) const;

 private:
  struct Line {
    int number = 0;
    std::string text;  // as it is in the file
    // Unless it is a comment:
    std::string glob;
    std::string ending;  // "fail", "timeout", "crash" or "flaky"
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
  static bool IsComment(const Line& line) { return line.glob.empty(); }
  static bool IsOf(const Line& line, const Trial& trial);
  static bool EndsSo(const Line& line, const Verdict& verdict);
  static std::string NewLines(absl::Span<const Record* const> records);
  std::string Where(const Line& line) const;

  std::string name_;
  std::vector<Line> lines_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_EXPECTATIONS_H_
