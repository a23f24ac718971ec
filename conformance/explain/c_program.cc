#include "conformance/explain/c_program.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "conformance/engine/trial.h"
#include "conformance/explain/c_call.h"
#include "conformance/explain/merged_runs.h"
#include "conformance/explain/prologue.h"
#include "conformance/explain/recording.h"
#include "conformance/explain/reproducible.h"
#include "conformance/explain/script.h"
#include "conformance/suite/case.h"
#include "conformance/suite/environment.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/syscall_id.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/syscall_table.h"

namespace net::conformance {
namespace {

using Kind = Script::Step::Kind;

// The statements of main(), and the definitions before it.
struct Body {
  std::vector<Statement> definitions;
  std::vector<Statement> statements;
  std::optional<int> fill;  // the character of `payload`
};

// Writes the steps of a script.
class BodyWriter {
 public:
  explicit BodyWriter(const Script& script) : script_(script), calls_(script) {
    has_threads_ =
        std::any_of(script.calls.begin(), script.calls.end(),
                    [](const Script::Call& call) { return call.is_blocked; });
  }

  absl::StatusOr<Body> Write();

 private:
  absl::Status Step(size_t& step);
  absl::Status Operation(const std::vector<std::string>& words);
  absl::Status Begin(size_t call);
  absl::Status End(size_t call);
  absl::Status Inline(size_t& step);
  // Writes the calls of a run (RunFrom()) in one statement.
  absl::Status Run(size_t step, size_t last);

  void Comment(bool is_of_subject);
  void Add(Statement statement, absl::string_view before = "");
  void AddChecks(size_t call, absl::string_view suffix);
  const CallRecord& RecordAt(size_t step) const {
    return script_.calls[script_.steps[step].call].record;
  }
  // Returns the last step of the calls from `step` on that transfer data one
  // after the other in the same way; `step` if that is none but itself.
  size_t RunFrom(size_t step) const;

  static std::string SuffixOf(size_t call) { return absl::StrCat("_", call); }
  std::string NameOf(size_t call) const {
    return absl::StrCat(SyscallName(script_.calls[call].record.call),
                        SuffixOf(call));
  }

  const Script& script_;
  CallWriter calls_;
  bool has_threads_ = false;
  std::optional<bool> of_subject_;  // who made the last call
  int64_t transferred_ = 0;         // by statements with UNTIL_FAILS()
  Body body_;
};

// Declares a variable of main(). A thread uses only global ones, so `line`
// becomes the assignment.
void MakeGlobal(std::string& line, std::vector<Statement>& definitions) {
  absl::string_view rest = line;
  if (!absl::ConsumePrefix(&rest, "int ")) return;
  const std::string name(rest.substr(0, rest.find_first_of(" [")));
  const bool is_pair = absl::StrContains(rest, "[2] = {");
  Statement definition = {
      .line = absl::StrCat("static int ", name, is_pair ? "[2];" : ";")};
  definition.without_value = definition.line;
  definitions.push_back(std::move(definition));
  line = is_pair ? absl::StrCat("memcpy(", name, ", pair, sizeof(pair));")
                 : std::string(rest);
}

void BodyWriter::Add(Statement statement, absl::string_view before) {
  if (has_threads_) {
    const bool is_same = statement.line == statement.without_value;
    MakeGlobal(statement.line, body_.definitions);
    if (is_same) statement.without_value = statement.line;
  }
  statement.line = absl::StrCat(before, statement.line);
  if (!statement.without_value.empty()) {
    statement.without_value = absl::StrCat(before, statement.without_value);
  }
  body_.statements.push_back(std::move(statement));
}

void BodyWriter::AddChecks(size_t call, absl::string_view suffix) {
  for (Statement& check : calls_.Checks(call, suffix)) Add(std::move(check));
}

void BodyWriter::Comment(bool is_of_subject) {
  if (of_subject_ == is_of_subject) return;
  of_subject_ = is_of_subject;
  const std::string line =
      is_of_subject ? "/* The implementation. */"
                    : "/* The case: its peers, and what it checks. */";
  body_.statements.push_back({.line = "", .without_value = ""});
  body_.statements.push_back({.line = line, .without_value = line});
}

absl::Status BodyWriter::Operation(const std::vector<std::string>& words) {
  const std::string& what = words.front();
  std::string line;
  if (what == "limit") {
    line = absl::StrCat("limit_descriptors(", words.at(1), ");");
  } else if (what == "unlimit") {
    line = "limit_descriptors(-1);";
  } else if (what == "drop_privileged_ports") {
    line = "drop_privileged_ports();";
  } else if (what == "loopback") {
    line = words.at(1) == "up" ? "set_loopback(1);" : "set_loopback(0);";
  } else if (what == "sysctl") {
    line = absl::StrCat(
        "set_sysctl(\"/proc/sys/",
        absl::StrReplaceAll(words.at(1), {{".", "/"}}), "\", \"",
        absl::StrJoin(words.begin() + 2, words.end(), " "), "\");");
  } else if (what == "exec") {
    // Only the descriptors that the program knows.
    for (const auto& [fd, name] : calls_.names().open()) {
      const bool is_open = std::find(words.begin() + 1, words.end(),
                                     absl::StrCat(fd)) != words.end();
      Add({.line = absl::StrCat("IS(", is_open ? 1 : 0, ", open_after_exec(",
                                name, "));")});
    }
    return absl::OkStatus();
  } else if (what == "fill") {
    int fill = 0;
    const bool is_known = absl::SimpleAtoi(words.at(1), &fill) && fill >= 0;
    if (!is_known || body_.fill.value_or(fill) != fill) {
      return absl::UnimplementedError("it sends long data of many values");
    }
    body_.fill = fill;
    return absl::OkStatus();
  } else if (what == "other_user") {
    return absl::UnimplementedError("it runs as another user");
  } else if (what == "fork") {
    return absl::UnimplementedError("another process makes calls, too");
  } else if (what == "route") {
    return absl::UnimplementedError("it adds a route");
  } else {
    return absl::UnimplementedError(absl::StrCat("it does: ", what));
  }
  Add({.line = line, .without_value = line});
  return absl::OkStatus();
}

absl::Status BodyWriter::Begin(size_t call) {
  absl::StatusOr<CallInC> text = calls_.Write(call, SuffixOf(call));
  if (!text.ok()) return text.status();
  Comment(script_.calls[call].is_of_subject);
  const std::string name = NameOf(call);
  Statement definition = {
      .line = absl::StrCat("BLOCKED(", name, ", ", text->call, ")")};
  definition.without_value = definition.line;
  body_.definitions.push_back(std::move(definition));
  const std::string start = absl::StrCat("START(", name, ");");
  Add({.line = start, .without_value = start}, text->before);
  return absl::OkStatus();
}

absl::Status BodyWriter::End(size_t call) {
  Comment(script_.calls[call].is_of_subject);
  Add(calls_.Line(call, absl::StrCat("END(", NameOf(call), ")"), "int "));
  AddChecks(call, SuffixOf(call));
  return absl::OkStatus();
}

// Returns the number of bytes that a call has transferred.
int64_t Transferred(const CallRecord& record) {
  return record.result.ok() ? record.result.value() : 0;
}

bool IsSameTransfer(const CallRecord& one, const CallRecord& other) {
  const auto flags_of = [](const CallRecord& record) {
    const size_t i = ArgumentIndex(record.call, ArgumentKind::kMessageFlags);
    return i < record.arguments.size() ? record.arguments[i].number : 0;
  };
  return one.call == other.call &&
         one.arguments[0].number == other.arguments[0].number &&
         flags_of(one) == flags_of(other);
}

size_t BodyWriter::RunFrom(size_t step) const {
  const CallRecord& first = RecordAt(step);
  const bool transfers =
      first.call == SyscallId::kSend || first.call == SyscallId::kRecv ||
      first.call == SyscallId::kWrite || first.call == SyscallId::kRead;
  if (!transfers || Transferred(first) <= 0) return step;
  size_t last = step;
  while (last + 1 < script_.steps.size()) {
    const Script::Step& next = script_.steps[last + 1];
    if (next.kind != Kind::kEnd || script_.calls[next.call].is_blocked ||
        script_.calls[next.call].is_of_subject !=
            script_.calls[script_.steps[step].call].is_of_subject ||
        !IsSameTransfer(RecordAt(last + 1), first)) {
      break;
    }
    ++last;
    if (Transferred(RecordAt(last)) <= 0) break;
  }
  // Small messages one after the other are shown one after the other.
  const bool is_large = first.arguments[2].number >= kLargeTransfer;
  return is_large ? last : step;
}

absl::Status BodyWriter::Run(size_t step, size_t last) {
  const CallRecord& first = RecordAt(step);
  const CallRecord& end = RecordAt(last);
  int64_t total = 0;
  for (size_t i = step; i <= last; ++i) {
    total += Transferred(RecordAt(i));
  }
  absl::StatusOr<CallInC> text = calls_.Write(script_.steps[step].call, "");
  if (!text.ok()) return text.status();
  std::string line;
  if (!end.result.ok()) {
    line = absl::StrCat("UNTIL_FAILS(", ErrnoSymbol(end.result.error()), ", ",
                        text->call, ");");
    transferred_ += total;
  } else if (end.result.value() == 0) {
    line = absl::StrCat("UNTIL_RETURNS(0, ", text->call, ");");
  } else if (first.call == SyscallId::kWrite ||
             first.call == SyscallId::kRead) {
    return absl::UnimplementedError("a large read(2) or write(2)");
  } else {
    const bool is_send = first.call == SyscallId::kSend;
    if (!is_send && transferred_ > 0 && total != transferred_) {
      return absl::UnimplementedError(
          "what it receives depends on the sizes of buffers");
    }
    const std::string size =
        !is_send && total == transferred_ ? "transferred" : absl::StrCat(total);
    line =
        absl::StrCat(is_send ? "SENDS(" : "RECEIVES(", size, ", ",
                     calls_.names().OfDescriptor(first.arguments[0].number),
                     ", ", text->call.substr(text->call.rfind(", ") + 2), ";");
  }
  Add({.line = line, .without_value = line}, text->before);
  for (size_t i = step; i <= last; ++i) {
    static_cast<void>(calls_.Checks(script_.steps[i].call, ""));
  }
  return absl::OkStatus();
}

absl::Status BodyWriter::Inline(size_t& step) {
  const size_t call = script_.steps[step].call;
  Comment(script_.calls[call].is_of_subject);
  const size_t last = RunFrom(step);
  const bool is_whole =
      Transferred(RecordAt(step)) == RecordAt(step).arguments[2].number;
  const bool is_large_transfer =
      last > step ||
      (is_whole && Transferred(RecordAt(step)) >= kLargeTransfer &&
       (RecordAt(step).call == SyscallId::kSend ||
        RecordAt(step).call == SyscallId::kRecv));
  if (is_large_transfer) {
    const size_t first = step;
    step = last;
    return Run(first, last);
  }
  absl::StatusOr<CallInC> text = calls_.Write(call, "");
  if (!text.ok()) return text.status();
  Add(calls_.Line(call, text->call, "int "), text->before);
  AddChecks(call, "");
  return absl::OkStatus();
}

absl::Status BodyWriter::Step(size_t& step) {
  const Script::Step& it = script_.steps[step];
  switch (it.kind) {
    case Kind::kOperation:
      return Operation(it.operation);
    case Kind::kInterrupt: {
      const std::string line =
          absl::StrCat("INTERRUPT(", NameOf(it.call), ");");
      Add({.line = line, .without_value = line});
      return absl::OkStatus();
    }
    case Kind::kBegin:
      return Begin(it.call);
    case Kind::kBlocked: {
      const std::string line =
          absl::StrCat("STILL_BLOCKED(", NameOf(it.call), ");");
      Add({.line = line, .without_value = line});
      return absl::OkStatus();
    }
    case Kind::kEnd:
      return script_.calls[it.call].is_blocked ? End(it.call) : Inline(step);
  }
  return absl::OkStatus();
}

absl::StatusOr<Body> BodyWriter::Write() {
  for (size_t step = 0; step < script_.steps.size(); ++step) {
    if (const absl::Status status = Step(step); !status.ok()) return status;
    if (body_.statements.size() > kMostStatements) {
      return absl::UnimplementedError(
          absl::StrCat("it makes ", script_.calls.size(), " calls"));
    }
  }
  return std::move(body_);
}

// Returns `text` as lines of a comment.
std::string Wrapped(absl::string_view text) {
  constexpr size_t kWidth = 76;
  std::string lines;
  std::string line = " *";
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    if (line.size() + 1 + word.size() > kWidth) {
      absl::StrAppend(&lines, line, "\n");
      line = " *";
    }
    absl::StrAppend(&line, " ", absl::StrReplaceAll(word, {{"*/", "* /"}}));
  }
  return absl::StrCat(lines, line, "\n");
}

std::string Heading(const Trial& trial) {
  utsname kernel = {};
  const std::string release = uname(&kernel) == 0 ? kernel.release : "?";
  const Case& test_case = *trial.test_case;
  return absl::StrCat(
      "/*\n",
      Wrapped(
          absl::StrCat(test_case.id, " on ",
                       trial.family == AddressFamily::kV6 ? "IPv6" : "IPv4")),
      " *\n",
      Wrapped(absl::StrCat("Requirement (", LevelName(test_case.level),
                           "): ", test_case.requirement)),
      Wrapped(absl::StrCat("Source: ", test_case.source)), " *\n",
      Wrapped(absl::StrCat(
          "The system calls of this case with their results on Linux ", release,
          ". The program prints each. It exits with 0 if this kernel returns "
          "the same results, and with 1 at the first that differs. Build and "
          "run it with:")),
      " *\n *   cc -pthread demo.c && ./a.out\n */\n");
}

bool NeedsOwnNetwork(const Trial& trial, const Script& script) {
  return Includes(trial.test_case->needs, Need::kOwnNetwork) ||
         std::any_of(script.steps.begin(), script.steps.end(),
                     [](const Script::Step& step) {
                       return step.kind == Kind::kOperation &&
                              (step.operation.front() == "sysctl" ||
                               step.operation.front() == "loopback");
                     });
}

// Returns the size of buffers that have room for all data of the calls.
size_t BufferSize(const Script& script) {
  int64_t size = 4096;
  for (const Script::Call& call : script.calls) {
    const absl::Span<const ArgumentKind> kinds =
        ArgumentKindsOf(call.record.call);
    for (size_t i = 1; i < kinds.size(); ++i) {
      const bool is_data = kinds[i - 1] == ArgumentKind::kDataIn ||
                           kinds[i - 1] == ArgumentKind::kDataOut;
      if (is_data) size = std::max(size, call.record.arguments[i].number);
    }
    for (const RecordedMessage& message : call.record.messages) {
      const size_t all = std::accumulate(message.buffer_sizes.begin(),
                                         message.buffer_sizes.end(), size_t{});
      size = std::max(size, static_cast<int64_t>(all));
    }
  }
  constexpr int64_t kMost = 64 << 20;  // Larger ones are mistakes on purpose.
  return static_cast<size_t>(std::min(size, kMost));
}

// Returns the plans of a log, without repetitions.
std::vector<std::string> PlansOf(absl::string_view log) {
  std::vector<std::string> plans;
  for (absl::string_view line : absl::StrSplit(log, '\n')) {
    if (!absl::ConsumePrefix(&line, "operation plan ")) continue;
    if (std::find(plans.begin(), plans.end(), line) == plans.end()) {
      plans.emplace_back(line);
    }
  }
  return plans;
}

absl::StatusOr<std::string> ProgramOfLogs(
    const Trial& trial, const absl::StatusOr<std::string>& one,
    const absl::StatusOr<std::string>& other) {
  if (!one.ok()) return one.status();
  if (!other.ok()) return other.status();
  if (const std::vector<std::string> plans = PlansOf(*one); !plans.empty()) {
    return absl::UnimplementedError(absl::StrCat(
        "it injects faults. Try them with any program:\n",
        absl::StrJoin(
            plans, "\n", [](std::string* out, const std::string& plan) {
              absl::StrAppend(out, "    ./bazelw run //fakes:trap -- --plan='",
                              plan, "' -- PROGRAM");
            })));
  }
  const absl::StatusOr<Script> first = ParseScript(*one);
  if (!first.ok()) return first.status();
  const absl::StatusOr<Script> second = ParseScript(*other);
  if (!second.ok()) return second.status();
  return CProgram(trial, *first, *second);
}

}  // namespace

absl::StatusOr<std::string> CProgram(const Trial& trial, const Script& one,
                                     const Script& other) {
  for (const Script* script : {&one, &other}) {
    if (const absl::Status status = CheckReproducible(*script); !status.ok()) {
      return status;
    }
  }
  absl::StatusOr<Body> first = BodyWriter(one).Write();
  if (!first.ok()) return first.status();
  absl::StatusOr<Body> second = BodyWriter(other).Write();
  if (!second.ok()) return second.status();
  const auto definitions = MergeRuns(first->definitions, second->definitions);
  if (!definitions.ok()) return definitions.status();
  auto statements = MergeRuns(first->statements, second->statements);
  if (!statements.ok()) return statements.status();
  std::string code;
  for (const std::string& line : *definitions) {
    absl::StrAppend(&code, line, "\n");
  }
  absl::StrAppend(&code, definitions->empty() ? "" : "\n",
                  "int main(void) {\n  alarm(60);  /* for a call that should "
                  "not block */\n");
  if (NeedsOwnNetwork(trial, one)) absl::StrAppend(&code, "  own_network();\n");
  std::string main;
  for (const std::string& line : *statements) {
    absl::StrAppend(&main, line.empty() ? "" : "  ", line, "\n");
  }
  if (first->fill.has_value()) {
    absl::StrAppend(&code, "  memset(payload, ", *first->fill,
                    ", sizeof(payload));\n");
  }
  absl::StrAppend(&code, main, "  puts(\"All results are as expected.\");\n",
                  "  return 0;\n}\n");
  return absl::StrCat(Heading(trial), PrologueFor(code, BufferSize(one)), "\n",
                      code);
}

std::vector<absl::StatusOr<std::string>> ProgramsOf(
    absl::Span<const Trial> trials, int jobs) {
  std::vector<absl::StatusOr<std::string>> programs(trials.size(),
                                                    RunsDiffer());
  // Threads that race may take the same order in other runs.
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<size_t> left;
    std::vector<Trial> again;
    for (size_t i = 0; i < trials.size(); ++i) {
      if (programs[i].status() != RunsDiffer()) continue;
      left.push_back(i);
      again.push_back(trials[i]);
    }
    if (left.empty()) break;
    const auto one = RecordTrials(again, jobs);
    const auto other = RecordTrials(again, jobs);
    for (size_t i = 0; i < left.size(); ++i) {
      programs[left[i]] = ProgramOfLogs(again[i], one[i], other[i]);
    }
  }
  return programs;
}

}  // namespace net::conformance
