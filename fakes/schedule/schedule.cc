#include "fakes/schedule/schedule.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace net {
namespace {

constexpr int kLetters = 26;
constexpr absl::string_view kAtEachCall = "call";
// More repetitions are an error of the text, not a schedule.
constexpr int kMaxRepetitions = 1 << 28;

std::string NameOf(int participant) {
  if (participant < kLetters) {
    return std::string(1, static_cast<char>('a' + participant));
  }
  if (participant < 2 * kLetters) {
    return std::string(1, static_cast<char>('A' + participant - kLetters));
  }
  return absl::StrCat("{", participant, "}");
}

// Removes digits from the front of `text`. Returns false if there are none or
// the number is too large.
bool ConsumeNumber(absl::string_view& text, int* number) {
  size_t length = 0;
  while (length < text.size() &&
         absl::ascii_isdigit(static_cast<unsigned char>(text[length])))
    ++length;
  const bool ok = absl::SimpleAtoi(text.substr(0, length), number);
  text.remove_prefix(length);
  return ok;
}

bool ConsumeParticipant(absl::string_view& text, int* participant) {
  const char first = text.front();
  text.remove_prefix(1);
  if (first >= 'a' && first <= 'z') {
    *participant = first - 'a';
    return true;
  }
  if (first >= 'A' && first <= 'Z') {
    *participant = first - 'A' + kLetters;
    return true;
  }
  return first == '{' && ConsumeNumber(text, participant) &&
         absl::ConsumePrefix(&text, "}");
}

// Removes what stands before the choices.
bool ConsumePoints(absl::string_view& text, Schedule* schedule) {
  schedule->at_each_call = absl::ConsumePrefix(&text, kAtEachCall);
  if (!schedule->at_each_call &&
      (!ConsumeNumber(text, &schedule->calls_without_blocking) ||
       schedule->calls_without_blocking < 1)) {
    return false;
  }
  return absl::ConsumePrefix(&text, ":");
}

}  // namespace

size_t SeededSchedule::Choose(const ScheduleChoice& choice) {
  // SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
  // Generators, 2014): every seed is good, also 0 and 1.
  state_ += 0x9e3779b97f4a7c15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  z ^= z >> 31;
  return static_cast<size_t>(z % choice.runnable.size());
}

std::string Schedule::ToString() const {
  std::string text = at_each_call ? absl::StrCat(kAtEachCall, ":")
                                  : absl::StrCat(calls_without_blocking, ":");
  for (size_t i = 0; i < choices.size();) {
    size_t end = i + 1;
    while (end < choices.size() && choices[end] == choices[i]) ++end;
    absl::StrAppend(&text, NameOf(choices[i]));
    if (end - i > 1) absl::StrAppend(&text, end - i);
    i = end;
  }
  return text;
}

absl::StatusOr<Schedule> ParseSchedule(absl::string_view text) {
  const auto error = [text](absl::string_view rest) {
    return absl::InvalidArgumentError(absl::StrCat(
        "schedule \"", text, "\": cannot be parsed at \"", rest, "\""));
  };
  Schedule schedule;
  absl::string_view rest = text;
  if (!ConsumePoints(rest, &schedule)) return error(text);
  while (!rest.empty()) {
    const absl::string_view here = rest;
    int participant = 0;
    int count = 1;
    if (!ConsumeParticipant(rest, &participant)) return error(here);
    if (!rest.empty() &&
        absl::ascii_isdigit(static_cast<unsigned char>(rest.front())) &&
        (!ConsumeNumber(rest, &count) || count < 1 ||
         count > kMaxRepetitions)) {
      return error(here);
    }
    schedule.choices.insert(schedule.choices.end(), static_cast<size_t>(count),
                            participant);
  }
  return schedule;
}

size_t ReplayedSchedule::Choose(const ScheduleChoice& choice) {
  int wanted = choice.current;
  const bool prescribed = next_ < schedule_.choices.size();
  if (prescribed) wanted = schedule_.choices[next_++];
  const auto* const found =
      std::find(choice.runnable.begin(), choice.runnable.end(), wanted);
  if (found != choice.runnable.end()) {
    return static_cast<size_t>(found - choice.runnable.begin());
  }
  if (prescribed && diverged_at_ < 0) {
    diverged_at_ = static_cast<int>(next_) - 1;
  }
  return 0;
}

}  // namespace net
