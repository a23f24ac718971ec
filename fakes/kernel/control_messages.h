#ifndef FAKES_KERNEL_CONTROL_MESSAGES_H_
#define FAKES_KERNEL_CONTROL_MESSAGES_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

// The control messages (ancillary data) of sendmsg(2) and recvmsg(2): see
// cmsg(3).

namespace net::fake {

// A control message.
struct ControlMessage {
  int level;
  int type;
  absl::Span<const uint8_t> data;

  // Returns the first four bytes of the data, or 0 if there are fewer.
  uint32_t value() const;
};

// The control messages of a sendmsg(2), copied from the program.
class ControlMessages {
 public:
  // Copies the messages. Returns an errno, or 0 on success.
  int CopyFrom(const msghdr& header);

  // Returns the errno of sendmsg(2) on a TCP socket with these messages, or 0.
  // Checks only messages of SOL_SOCKET, as Linux does (sock_cmsg_send() in
  // net/core/sock.c). `privileged`: the caller has CAP_NET_ADMIN.
  int Check(bool privileged) const;

  bool empty() const { return bytes_.size() < sizeof(cmsghdr); }

  // Calls `function` with each well-formed message. Returns false if a message
  // is malformed, and stops there.
  template <typename Function>
  bool ForEach(Function function) const {
    for (size_t at = 0; at + sizeof(cmsghdr) <= bytes_.size();) {
      const cmsghdr header = HeaderAt(at);
      if (header.cmsg_len < sizeof(cmsghdr)) return false;
      if (header.cmsg_len > bytes_.size() - at) return false;
      function(ControlMessage{
          header.cmsg_level, header.cmsg_type,
          absl::MakeConstSpan(bytes_).subspan(
              at + sizeof(cmsghdr), header.cmsg_len - sizeof(cmsghdr))});
      at += CMSG_ALIGN(header.cmsg_len);
    }
    return true;
  }

 private:
  cmsghdr HeaderAt(size_t at) const;

  std::vector<uint8_t> bytes_;
};

// Writes the control messages of a recvmsg(2) into the program's buffer.
class ControlWriter {
 public:
  // `buffer` is the program's pointer and may be invalid.
  ControlWriter(void* buffer, size_t room)
      : buffer_(static_cast<uint8_t*>(buffer)), room_(room) {}

  // Appends a message. If there is too little room, cuts the message, or omits
  // it if not even its header fits. flags() then has MSG_CTRUNC.
  void Put(int level, int type, const void* data, size_t size);
  template <typename T>
  void Put(int level, int type, const T& data) {
    Put(level, type, &data, sizeof(data));
  }
  void AddFlags(int flags) { flags_ |= flags; }

  size_t used() const { return used_; }
  int flags() const { return flags_; }

 private:
  uint8_t* buffer_;
  size_t room_;
  size_t used_ = 0;
  int flags_ = 0;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_CONTROL_MESSAGES_H_
