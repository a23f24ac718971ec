#ifndef CONFORMANCE_DRIVER_HOST_FRAME_H_
#define CONFORMANCE_DRIVER_HOST_FRAME_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace net::conformance {

// The largest message of a frame (conformance/drivers/PROTOCOL.md).
inline constexpr size_t kMaxFrame = 1 << 20;

// Encodes a message as a frame: its length in decimal digits, a newline, the
// message.
std::string EncodeFrame(absl::string_view message);

// Splits a stream of bytes into messages.
class FrameReader {
 public:
  void Append(absl::string_view bytes) { absl::StrAppend(&bytes_, bytes); }

  // Returns the next message, or nullopt if more bytes are needed. An error
  // says why the bytes are not a frame. After an error, every call fails.
  absl::StatusOr<std::optional<std::string>> Next();

  // The received part of an incomplete frame.
  absl::string_view rest() const { return bytes_; }
  // Describes rest() for people: "the frame announces 133 bytes, 128 arrived".
  // Returns "" if nothing has arrived.
  std::string DescribeRest() const;

 private:
  std::string bytes_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_FRAME_H_
