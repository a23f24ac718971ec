#include "fakes/faults/line_reader.h"

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "fakes/symbols.h"

namespace net {

absl::string_view LineReader::ReadWord(absl::string_view others) {
  size_t size = 0;
  while (ok() && size < rest_.size() &&
         (absl::ascii_isalnum(static_cast<unsigned char>(rest_[size])) ||
          absl::StrContains(others, rest_[size]))) {
    ++size;
  }
  const absl::string_view word = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return word;
}

absl::string_view LineReader::ReadUntil(char end) {
  const size_t size = rest_.find(end);
  if (size == absl::string_view::npos) {
    Fail(absl::StrCat("\"", std::string(1, end), "\""));
    return "";
  }
  const absl::string_view text = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return text;
}

int64_t LineReader::ReadNumber(int64_t least, int64_t most) {
  const size_t begin = position();
  const absl::string_view text = ReadWord("_|-");
  int64_t value = 0;
  for (const absl::string_view part : absl::StrSplit(text, '|')) {
    int64_t number = 0;
    const std::optional<int64_t> symbol = NumberOfSymbol(part);
    if (symbol.has_value()) {
      number = *symbol;
    } else if (!absl::SimpleAtoi(part, &number)) {
      FailAt(begin, "a symbol or a number");
      return 0;
    }
    value |= number;
  }
  if (value < least || value > most) {
    FailAt(begin, absl::StrCat("a number from ", least, " to ", most));
    return 0;
  }
  return value;
}

uint64_t LineReader::ReadSize() {
  const size_t begin = position();
  uint64_t value = 0;
  if (!absl::SimpleAtoi(ReadWord(""), &value)) FailAt(begin, "a size");
  return value;
}

std::string LineReader::ReadBytes() {
  std::string bytes;
  Read("\"");
  while (ok() && !rest_.empty() && rest_.front() != '"') {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    bytes += c == '\\' ? ReadEscape() : c;
  }
  Read("\"");
  return bytes;
}

char LineReader::ReadEscape() {
  constexpr size_t kMostDigits = 3;
  size_t digits = 0;
  int value = 0;
  while (digits < std::min(kMostDigits, rest_.size()) && rest_[digits] >= '0' &&
         rest_[digits] <= '7') {
    value = value * 8 + (rest_[digits] - '0');
    ++digits;
  }
  if (digits > 0 && value <= UCHAR_MAX) {
    rest_.remove_prefix(digits);
    return static_cast<char>(value);
  }
  const char c = rest_.empty() ? '\0' : rest_.front();
  constexpr absl::string_view kNames = "nrt\"\\";
  const size_t name = kNames.find(c);
  if (c == '\0' || name == absl::string_view::npos) {
    Fail("an escape as in C: n, r, t, a quote, a backslash or an octal number");
    return '\0';
  }
  rest_.remove_prefix(1);
  return "\n\r\t\"\\"[name];
}

}  // namespace net
