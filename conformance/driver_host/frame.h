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

// A message as a frame: its length in decimal digits, a newline, the message.
std::string EncodeFrame(absl::string_view message);

// Cuts a stream of bytes into messages.
class FrameReader {
 public:
  void Append(absl::string_view bytes) { absl::StrAppend(&bytes_, bytes); }

  // The next message; nullopt if more bytes are needed. An error says why what
  // has come is no frame; nothing comes after that.
  absl::StatusOr<std::optional<std::string>> Next();

  // What has come of a frame that is not whole yet.
  absl::string_view rest() const { return bytes_; }
  // The same for people: "the frame announces 133 bytes, 128 came"; "" if
  // nothing has come.
  std::string DescribeRest() const;

 private:
  std::string bytes_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_FRAME_H_
