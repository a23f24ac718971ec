#include "fakes/differential/print_case.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/differential/differ.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/print_call.h"
#include "fakes/differential/program.h"
#include "fakes/symbols.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/sys_result.h"

namespace net::differential {
namespace {

constexpr absl::string_view kOr = " | ";  // Between flags, in C++.

// Prints the steps of one program in order, with expectations.
class Printer {
 public:
  // Returns the statements of a step.
  std::string Print(const Step& step, const Observation& expected);

  const CallPrinter& calls() const { return calls_; }

 private:
  std::string Numbers(const Step& step, const Observation& expected) const;

  CallPrinter calls_;
};

// Returns expectations for what the call filled in.
std::string Printer::Numbers(const Step& step,
                             const Observation& expected) const {
  std::string text;
  for (size_t i = 0; i < expected.numbers.size(); ++i) {
    const int number = expected.numbers[i];
    if (step.call == Call::kPoll) {
      absl::StrAppendFormat(
          &text, "  EXPECT_EQ(%s[%d].revents, %s);\n", calls_.Own("polled"), i,
          PollEventSymbols(static_cast<int16_t>(number), kOr));
    } else if (!step.null) {
      absl::StrAppendFormat(&text, "  EXPECT_EQ(%s, %d);\n",
                            calls_.Own("value"), number);
    }
  }
  return text;
}

std::string Expectation(const Observation& expected) {
  if (!expected.result.ok()) {
    return absl::StrCat("IsErrno(", ErrnoSymbol(expected.result.error()), ")");
  }
  if (expected.result.value() == 0) return "IsOk()";
  return absl::StrCat("IsOkAndHolds(", expected.result.value(), ")");
}

std::string Printer::Print(const Step& step, const Observation& expected) {
  if (expected.skipped) {
    calls_.Skip();
    return "";
  }
  const std::string call = calls_.Print(step);
  std::string text = calls_.declarations();
  if (step.no_descriptors) {
    absl::StrAppend(&text, "  // The process has no free descriptor:\n");
  }
  if (step.repeated) {
    absl::StrAppend(&text, "  // Repeated until it fails or the stream ends: ",
                    expected.text, "\n  while (", call, ".ok()) {\n  }\n");
    return text;
  }
  if (MakesDescriptor(step) && expected.result.ok() && step.out != kNoSlot) {
    absl::StrAppend(&text, "  ", calls_.Slot(step.out), " = ", call,
                    ".fd();\n");
  } else if (MakesDescriptor(step) && expected.result.ok()) {
    absl::StrAppend(&text, "  EXPECT_THAT(", call, ", IsOk());\n");
  } else if (step.call == Call::kDup3 && expected.result.ok()) {
    absl::StrAppend(&text, "  EXPECT_THAT(", call, ", IsOkAndHolds(",
                    calls_.Slot(step.out), "));\n");
  } else {
    absl::StrAppend(&text, "  EXPECT_THAT(", call, ", ", Expectation(expected),
                    ");\n");
  }
  if (step.call == Call::kPipe2 && expected.result.ok()) {
    absl::StrAppend(&text, "  ", calls_.Slot(step.out), " = ",
                    calls_.Own("pipe"), "[0];\n");
  }
  if (step.call == Call::kClose) {
    absl::StrAppend(&text, "  ", calls_.Slot(step.slot), " = -1;\n");
  }
  absl::StrAppend(&text, Numbers(step, expected));
  // Results without an expectation above.
  const bool told =
      step.call == Call::kAccept || step.call == Call::kAccept4 ||
      step.call == Call::kGetSockName || step.call == Call::kGetPeerName ||
      step.call == Call::kRecvFrom || step.call == Call::kRecvMsg ||
      (step.call == Call::kGetSockOpt && expected.numbers.empty());
  if (told && expected.result.ok()) {
    absl::StrAppend(&text, "  // ", expected.text, "\n");
  }
  return text;
}

}  // namespace

std::string PrintCase(absl::string_view name, const Program& program,
                      const Trace& expected) {
  Printer printer;
  std::string body;
  for (size_t i = 0; i < program.size() && i < expected.size(); ++i) {
    absl::StrAppend(&body, printer.Print(program[i], expected[i]));
  }
  std::string text(printer.calls().uses_port_of() ? PortOfText() : "");
  absl::StrAppend(&text, "void ", name,
                  "(Context& c) {\n  Syscalls& sys = c.sys();\n");
  for (const int slot : printer.calls().slots()) {
    absl::StrAppend(&text, "  int s", slot, " = -1;\n");
  }
  absl::StrAppend(&text, body);
  for (const int slot : printer.calls().slots()) {
    absl::StrAppend(&text, "  if (s", slot, " >= 0) EXPECT_THAT(sys.Close(s",
                    slot, "), IsOk());\n");
  }
  return absl::StrCat(text, "}\n");
}

std::string PrintDifference(absl::string_view name,
                            const Difference& difference) {
  const std::string expected =
      difference.expected.empty() ? "nothing" : difference.expected.back().text;
  const std::string seen =
      difference.seen.empty() ? "nothing" : difference.seen.back().text;
  return absl::StrCat("// Last call, expected: ", expected,
                      "\n// Last call, actual:   ", seen, "\n",
                      PrintCase(name, difference.program, difference.expected));
}

}  // namespace net::differential
