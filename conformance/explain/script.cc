#include "conformance/explain/script.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/faults/trace.h"

namespace net::conformance {
namespace {

// An event of a log.
struct Event {
  std::string kind;
  int number = 0;  // of the call, or of the interrupted or blocked thread
  int thread = 0;
  size_t argument = 0;
  int64_t length = 0;  // to which the argument points
  bool is_of_subject = false;
  std::string text;  // the call's line of a trace, or an operation
};

absl::Status BadLine(absl::string_view line) {
  return absl::InternalError(absl::StrCat("not a line of a script: ", line));
}

absl::StatusOr<Event> ParseEvent(absl::string_view line) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(line, absl::MaxSplits(' ', 1));
  Event event = {.kind = std::string(parts.first)};
  if (event.kind == "operation") {
    event.text = std::string(parts.second);
    return event;
  }
  const std::vector<absl::string_view> words =
      absl::StrSplit(parts.second, absl::MaxSplits(' ', 1));
  if (!absl::SimpleAtoi(words.front(), &event.number)) return BadLine(line);
  if (event.kind == "interrupt" || event.kind == "blocked") return event;
  if (words.size() < 2) return BadLine(line);
  if (event.kind == "unreadable") {
    if (!absl::SimpleAtoi(words.back(), &event.argument)) return BadLine(line);
    return event;
  }
  if (event.kind == "length") {
    const std::pair<absl::string_view, absl::string_view> numbers =
        absl::StrSplit(words.back(), absl::MaxSplits(' ', 1));
    if (!absl::SimpleAtoi(numbers.first, &event.argument) ||
        !absl::SimpleAtoi(numbers.second, &event.length)) {
      return BadLine(line);
    }
    return event;
  }
  if (event.kind == "end") {
    event.text = std::string(words.back());
    return event;
  }
  const std::pair<absl::string_view, absl::string_view> who =
      absl::StrSplit(words.back(), absl::MaxSplits(' ', 1));
  if (event.kind != "begin" || !absl::SimpleAtoi(who.first, &event.thread)) {
    return BadLine(line);
  }
  event.is_of_subject = who.second == "subject";
  return event;
}

// Builds a script of the events, one by one.
class Builder {
 public:
  absl::Status Add(const Event& event);
  absl::StatusOr<Script> Finish() &&;

 private:
  struct Open {
    size_t call = 0;
    int thread = 0;
    size_t step = 0;  // of its beginning
    bool has_returned = false;
    std::map<size_t, int64_t> lengths = {};  // by the place of the argument
  };

  // Adds what is known of the arguments of a call that has failed.
  absl::Status AddToArguments(const Event& event);

  absl::Status End(const Event& event);

  // Adds a step of the call that the thread is blocked in.
  void AddToBlocked(int thread, Script::Step::Kind kind);

  // Marks the calls that are in progress as blocked, but for `number`.
  void MarkOthers(int number);

  Script script_;
  std::map<int, Open> by_number_;  // The calls that have begun.
};

void Builder::MarkOthers(int number) {
  for (const auto& [other, open] : by_number_) {
    if (other != number && !open.has_returned) {
      script_.calls[open.call].is_blocked = true;
    }
  }
}

absl::Status Builder::End(const Event& event) {
  const auto it = by_number_.find(event.number);
  if (it == by_number_.end()) return BadLine(event.text);
  absl::StatusOr<CallRecord> record = ParseCallRecord(event.text);
  if (!record.ok()) {
    return absl::UnimplementedError(
        "it gives a call something that no trace can show");
  }
  it->second.has_returned = true;
  for (const auto& [argument, length] : it->second.lengths) {
    record->arguments.at(argument).number = length;
  }
  script_.calls[it->second.call].record = *std::move(record);
  script_.steps.push_back(
      {.kind = Script::Step::Kind::kEnd, .call = it->second.call});
  return absl::OkStatus();
}

absl::Status Builder::AddToArguments(const Event& event) {
  const auto it = by_number_.find(event.number);
  if (it == by_number_.end()) return BadLine(event.kind);
  if (event.kind == "length") {
    it->second.lengths[event.argument] = event.length;
  } else {
    script_.calls[it->second.call].bad_pointers.push_back(event.argument);
  }
  return absl::OkStatus();
}

void Builder::AddToBlocked(int thread, Script::Step::Kind kind) {
  for (const auto& [number, open] : by_number_) {
    if (open.thread != thread || open.has_returned) continue;
    script_.calls[open.call].is_blocked = true;
    const bool is_new = open.step + 1 < script_.steps.size();
    if (kind == Script::Step::Kind::kBlocked && !is_new) continue;
    script_.steps.push_back({.kind = kind, .call = open.call});
  }
}

absl::Status Builder::Add(const Event& event) {
  if (event.kind == "operation") {
    script_.steps.push_back({.kind = Script::Step::Kind::kOperation,
                             .operation = absl::StrSplit(event.text, ' ')});
    return absl::OkStatus();
  }
  if (event.kind == "interrupt") {
    AddToBlocked(event.number, Script::Step::Kind::kInterrupt);
    return absl::OkStatus();
  }
  if (event.kind == "blocked") {
    AddToBlocked(event.number, Script::Step::Kind::kBlocked);
    return absl::OkStatus();
  }
  if (event.kind == "unreadable" || event.kind == "length") {
    return AddToArguments(event);
  }
  MarkOthers(event.number);
  if (event.kind == "end") return End(event);
  by_number_[event.number] = {.call = script_.calls.size(),
                              .thread = event.thread,
                              .step = script_.steps.size()};
  script_.steps.push_back(
      {.kind = Script::Step::Kind::kBegin, .call = script_.calls.size()});
  script_.calls.push_back({.is_of_subject = event.is_of_subject});
  return absl::OkStatus();
}

absl::StatusOr<Script> Builder::Finish() && {
  for (const auto& [number, open] : by_number_) {
    if (!open.has_returned) {
      return absl::UnimplementedError("one of its calls never returns");
    }
  }
  std::erase_if(script_.steps, [&](const Script::Step& step) {
    return step.kind == Script::Step::Kind::kBegin &&
           !script_.calls[step.call].is_blocked;
  });
  return std::move(script_);
}

// Returns the numbers of the calls that read the clock: others do not depend on
// them.
std::map<int, bool> ReadsOfTheClock(const std::vector<Event>& events) {
  std::map<int, bool> reads;
  for (const Event& event : events) {
    if (event.kind != "end") continue;
    reads[event.number] = absl::StrContains(event.text, "clock_gettime(");
  }
  return reads;
}

}  // namespace

std::string BeginLine(int call, int thread, bool is_of_subject) {
  return absl::StrCat("begin ", call, " ", thread, " ",
                      is_of_subject ? "subject" : "case", "\n");
}

std::string UnreadableLine(int call, size_t argument) {
  return absl::StrCat("unreadable ", call, " ", argument, "\n");
}

std::string LengthLine(int call, size_t argument, int64_t length) {
  return absl::StrCat("length ", call, " ", argument, " ", length, "\n");
}

std::string EndLine(int call, const CallRecord& record) {
  return absl::StrCat("end ", call, " ", ToString(record), "\n");
}

std::string InterruptLine(int thread) {
  return absl::StrCat("interrupt ", thread, "\n");
}

std::string BlockedLine(int thread) {
  return absl::StrCat("blocked ", thread, "\n");
}

std::string OperationLine(absl::string_view operation) {
  return absl::StrCat("operation ", operation, "\n");
}

absl::StatusOr<Script> ParseScript(absl::string_view log) {
  std::vector<Event> events;
  for (const absl::string_view line :
       absl::StrSplit(log, '\n', absl::SkipEmpty())) {
    absl::StatusOr<Event> event = ParseEvent(line);
    if (!event.ok()) return event.status();
    events.push_back(*std::move(event));
  }
  std::map<int, bool> reads = ReadsOfTheClock(events);
  Builder builder;
  for (const Event& event : events) {
    const bool is_call = event.kind == "begin" || event.kind == "end";
    if (is_call && reads[event.number]) continue;
    if (const absl::Status added = builder.Add(event); !added.ok()) {
      return added;
    }
  }
  absl::StatusOr<Script> script = std::move(builder).Finish();
  if (script.ok()) {
    script->reads_clock =
        std::any_of(reads.begin(), reads.end(),
                    [](const auto& call) { return call.second; });
  }
  return script;
}

}  // namespace net::conformance
