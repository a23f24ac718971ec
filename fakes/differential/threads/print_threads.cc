#include "fakes/differential/threads/print_threads.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/differential/print_call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/threads/thread_differ.h"
#include "fakes/differential/threads/threaded_program.h"

namespace net::differential {
namespace {

// Returns the statements of a step.
std::string Statements(CallPrinter& calls, const Step& step,
                       absl::string_view result) {
  const std::string call = calls.Print(step);
  std::string text = calls.declarations();
  if (MakesDescriptor(step) && step.out != kNoSlot) {
    absl::StrAppendFormat(
        &text, "  if (const SysResult made = %s; made.ok()) %s = made.fd();",
        call, calls.Slot(step.out));
  } else {
    absl::StrAppendFormat(&text, "  static_cast<void>(%s);", call);
  }
  if (step.call == Call::kPipe2) {
    const std::string pipe = calls.Own("pipe");
    absl::StrAppendFormat(&text, "\n  %s = %s[0];\n  %s = %s[1];",
                          calls.Slot(step.out), pipe, calls.Slot(step.to),
                          pipe);
  }
  absl::StrAppend(&text, result.empty() ? "" : "  // ", result, "\n");
  return text;
}

std::string Commented(absl::string_view text) {
  return absl::StrCat(
      "//   ",
      absl::StrReplaceAll(text.substr(0, text.size() - 1), {{"\n", "\n//   "}}),
      "\n");
}

// Returns the number of results that two answers have in common.
size_t Likeness(const ThreadedAnswer& one, const ThreadedAnswer& other) {
  const auto equal = [](const std::vector<std::string>& a,
                        const std::vector<std::string>& b) {
    size_t sum = 0;
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      if (a[i] == b[i]) ++sum;
    }
    return sum;
  };
  size_t sum = equal(one.descriptors, other.descriptors);
  for (size_t i = 0; i < one.threads.size(); ++i) {
    sum += equal(one.threads[i], other.threads[i]);
  }
  return sum;
}

}  // namespace

std::string PrintThreadedProgram(absl::string_view name,
                                 const ThreadedProgram& program,
                                 const ThreadedAnswer& expected) {
  CallPrinter calls;
  std::string setup;
  for (const Step& step : program.setup) {
    absl::StrAppend(&setup, Statements(calls, step, ""));
  }
  calls.BeginThread();
  std::string threads;
  for (size_t i = 0; i < program.threads.size(); ++i) {
    std::string body;
    const std::vector<std::string>& results = expected.threads[i];
    for (size_t j = 0; j < program.threads[i].size(); ++j) {
      absl::StrAppend(&body,
                      Statements(calls, program.threads[i][j],
                                 j < results.size() ? results[j] : "not made"));
    }
    absl::StrAppendFormat(&threads, "  const auto thread%d = [&] {\n%s  };\n",
                          i + 1, body);
  }
  std::string text(calls.uses_port_of() ? PortOfText() : "");
  absl::StrAppend(&text, "void ", name,
                  "(Syscalls& sys, FakeKernel& kernel) {\n");
  for (const int slot : calls.slots()) {
    absl::StrAppend(&text, "  int s", slot, " = -1;\n");
  }
  absl::StrAppend(&text, setup);
  for (const int slot : calls.ports()) {
    absl::StrAppendFormat(
        &text, "  const uint16_t port%d = PortOf(sys, s%d);\n", slot, slot);
  }
  if (program.overfills_buffers()) {
    absl::StrAppend(&text, "  // All sockets are made blocking here.\n");
  }
  if (program.free_descriptors >= 0) {
    absl::StrAppend(&text, "  // The process can open ",
                    program.free_descriptors, " more descriptors.\n");
  }
  absl::StrAppend(&text, threads, "  static_cast<void>(RunTasks(kernel, {");
  for (size_t i = 0; i < program.threads.size(); ++i) {
    absl::StrAppendFormat(&text, "%s{\"thread %d\", thread%d}",
                          i == 0 ? "" : ", ", i + 1, i + 1);
  }
  return absl::StrCat(text, "}));\n}\n");
}

std::string PrintThreadedDifference(absl::string_view name,
                                    const ThreadedDifference& difference) {
  std::string text = absl::StrCat(
      difference.start.one_by_one
          ? "// Each thread began when the ones before it had ended or were "
            "blocked.\n"
          : "// All threads began at the same time.\n",
      "// Expected answer, which ", difference.is_exhausted ? "" : "perhaps ",
      "no schedule gives (", difference.schedules, " were tried",
      difference.is_exhausted ? "" : ", which are not all", "):\n",
      Commented(difference.expected.ToText()));
  if (!difference.repeats) {
    absl::StrAppend(&text, "// One schedule gave two answers.\n");
  }
  const auto nearest =
      std::max_element(difference.seen.begin(), difference.seen.end(),
                       [&difference](const auto& a, const auto& b) {
                         return Likeness(a.second.answer, difference.expected) <
                                Likeness(b.second.answer, difference.expected);
                       });
  if (nearest != difference.seen.end()) {
    absl::StrAppend(&text, "// Nearest of the ", difference.seen.size(),
                    " answers, schedule ", nearest->second.schedule, ":\n",
                    Commented(nearest->first));
  }
  return absl::StrCat(text, PrintThreadedProgram(name, difference.program,
                                                 difference.expected));
}

}  // namespace net::differential
