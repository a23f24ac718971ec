#ifndef FAKES_FAULTS_LINE_READER_H_
#define FAKES_FAULTS_LINE_READER_H_

#include <climits>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace net {

// Reads the parts of a line from left to right. After the first mistake all
// functions return an empty value, so the caller checks status() at the end.
class LineReader {
 public:
  LineReader(absl::string_view line, int number)
      : line_(line), rest_(line), number_(number) {}

  const absl::Status& status() const { return status_; }
  bool ok() const { return status_.ok(); }
  bool AtEnd() const { return rest_.empty(); }
  // The position of what is read next.
  size_t position() const { return line_.size() - rest_.size(); }

  void Fail(absl::string_view expected) { FailAt(position(), expected); }
  void FailAt(size_t position, absl::string_view expected) {
    if (!ok()) return;
    status_ = absl::InvalidArgumentError(absl::StrCat(
        "line ", number_, ", column ", position + 1, ": expected ", expected));
  }

  bool TryRead(absl::string_view text) {
    return ok() && absl::ConsumePrefix(&rest_, text);
  }
  void Read(absl::string_view text) {
    if (!TryRead(text)) Fail(absl::StrCat("\"", text, "\""));
  }
  bool IsNext(absl::string_view text) const {
    return ok() && absl::StartsWith(rest_, text);
  }

  // Reads letters, digits and the characters of `others`.
  absl::string_view ReadWord(absl::string_view others);
  // Reads up to the character `end`, and leaves that unread.
  absl::string_view ReadUntil(char end);
  void SkipRest() { rest_.remove_prefix(rest_.size()); }

  // Reads symbols and numbers that are joined by "|".
  int64_t ReadNumber(int64_t least = std::numeric_limits<int64_t>::min(),
                     int64_t most = std::numeric_limits<int64_t>::max());
  int ReadInt() { return static_cast<int>(ReadNumber(INT_MIN, INT_MAX)); }
  // Reads a size_t. It may be larger than an int64_t.
  uint64_t ReadSize();
  // Reads "name=" and a number.
  int64_t ReadField(absl::string_view name) {
    Read(name);
    return ReadNumber();
  }
  // Reads a quoted text.
  std::string ReadBytes();

 private:
  char ReadEscape();

  const absl::string_view line_;
  absl::string_view rest_;
  const int number_;
  absl::Status status_;
};

}  // namespace net

#endif  // FAKES_FAULTS_LINE_READER_H_
