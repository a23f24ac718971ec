#include "fakes/differential/timed/print_timed.h"

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/differential/print_call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/timed/timed_differ.h"
#include "fakes/differential/timed/timed_program.h"

namespace net::differential {
namespace {

std::string Statement(CallPrinter& calls, const TimedStep& step,
                      absl::string_view result) {
  if (step.kind != TimedStep::Kind::kCall) {
    const bool to_server = step.side == Side::kServer;
    return absl::StrFormat(
        "  kernel.%s({.from = %s, .to = ip::kAnyV4, .both_ways = false});\n",
        step.kind == TimedStep::Kind::kCut ? "Cut" : "Restore",
        to_server ? "kClient" : "kServer");
  }
  const std::string call = calls.Print(step.call);
  std::string text = calls.declarations();
  if (MakesDescriptor(step.call) && step.call.out != kNoSlot) {
    absl::StrAppendFormat(
        &text, "  if (const SysResult made = %s; made.ok()) %s = made.fd();",
        call, calls.Slot(step.call.out));
  } else {
    absl::StrAppendFormat(&text, "  static_cast<void>(%s);", call);
  }
  return absl::StrCat(text, "  // ", result, "\n");
}

}  // namespace

std::string PrintTimedDifference(absl::string_view name,
                                 const TimedDifference& difference) {
  CallPrinter calls;
  std::string body;
  absl::Duration now;
  for (size_t i = 0; i <= difference.first; ++i) {
    const PlannedStep& step = difference.plan[i];
    if (step.at > now) {
      absl::StrAppendFormat(
          &body, "  kernel.Advance(absl::Microseconds(%d));  // At %s.\n",
          absl::ToInt64Microseconds(step.at - now),
          absl::FormatDuration(step.at));
    }
    now = step.end;
    std::string result = difference.expected[i];
    if (i == difference.first) {
      result =
          absl::StrCat("Linux: ", result, "\n  // FakeKernel: ", step.result);
    }
    absl::StrAppend(&body, Statement(calls, step.step, result));
  }
  std::string text = absl::StrCat(
      "void ", name, "(Syscalls& sys, FakeKernel& kernel) {\n",
      "  constexpr ip::Addr kServer = ip::Addr::V4(127, 0, 0, 1);\n"
      "  constexpr ip::Addr kClient = ip::Addr::V4(127, 0, 0, 2);\n");
  for (const int slot : calls.slots()) {
    absl::StrAppend(&text, "  int s", slot, " = -1;\n");
  }
  return absl::StrCat(text, body, "}\n");
}

}  // namespace net::differential
