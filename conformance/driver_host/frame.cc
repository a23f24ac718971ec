#include "conformance/driver_host/frame.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace net::conformance {
namespace {

constexpr size_t kMaxDigits = 8;

absl::Status NoFrame(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(
      "expected a length and a newline, got '",
      absl::CHexEscape(what.substr(0, 60)), what.size() > 60 ? "..." : "",
      "' (did the driver print to the channel, or was the previous length "
      "wrong?)"));
}

}  // namespace

std::string EncodeFrame(absl::string_view message) {
  return absl::StrCat(message.size(), "\n", message);
}

absl::StatusOr<std::optional<std::string>> FrameReader::Next() {
  const size_t newline = bytes_.find('\n');
  const absl::string_view digits =
      absl::string_view(bytes_).substr(0, std::min(newline, kMaxDigits + 1));
  if (digits.size() > kMaxDigits ||
      !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit)) {
    return NoFrame(bytes_);
  }
  if (newline == std::string::npos) return std::nullopt;
  size_t size = 0;
  if (!absl::SimpleAtoi(digits, &size)) return NoFrame(bytes_);
  if (size > kMaxFrame) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a frame of ", size, " bytes; at most ", kMaxFrame, " are allowed"));
  }
  if (bytes_.size() - newline - 1 < size) return std::nullopt;
  std::string message = bytes_.substr(newline + 1, size);
  bytes_.erase(0, newline + 1 + size);
  return message;
}

std::string FrameReader::DescribeRest() const {
  if (bytes_.empty()) return "";
  const size_t newline = bytes_.find('\n');
  if (newline == std::string::npos) {
    return absl::StrCat("'", absl::CHexEscape(bytes_),
                        "' arrived, and no newline after it");
  }
  return absl::StrCat("the frame announces ", bytes_.substr(0, newline),
                      " bytes, ", bytes_.size() - newline - 1, " arrived");
}

}  // namespace net::conformance
