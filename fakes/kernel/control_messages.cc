#include "fakes/kernel/control_messages.h"

#include <linux/net_tstamp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "fakes/kernel/user_memory.h"

namespace net::fake {
namespace {

// Types that the libc headers may lack.
constexpr int kScmDevMemDmaBuf = 79;
constexpr uint32_t kTxCompletion = 1U << 18;

constexpr uint32_t kTxRecords =
    SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_TX_SOFTWARE |
    SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_ACK | kTxCompletion;

int CheckPriority(int priority, bool privileged) {
  return (priority >= 0 && priority <= 6) || privileged ? 0 : EPERM;
}

// Returns an errno, or 0 if the message is accepted.
int CheckMessage(const ControlMessage& message, bool privileged) {
  const bool is_number = message.data.size() == sizeof(uint32_t);
  switch (message.type) {
    case SCM_RIGHTS:  // Only Unix sockets act on these two.
    case SCM_CREDENTIALS:
      return 0;
    case SO_MARK:
      if (!privileged) return EPERM;
      return is_number ? 0 : EINVAL;
    case SO_PRIORITY:
      if (!is_number) return EINVAL;
      return CheckPriority(static_cast<int>(message.value()), privileged);
    case SO_TIMESTAMPING_OLD:
    case SO_TIMESTAMPING_NEW:
      return is_number && (message.value() & ~kTxRecords) == 0 ? 0 : EINVAL;
    case kScmDevMemDmaBuf:
      return is_number && message.value() == 0 ? 0 : EINVAL;
    default:
      return EINVAL;
  }
}

}  // namespace

uint32_t ControlMessage::value() const {
  uint32_t value = 0;
  if (data.size() >= sizeof(value)) {
    std::memcpy(&value, data.data(), sizeof(value));
  }
  return value;
}

int ControlMessages::CopyFrom(const msghdr& header) {
  if (header.msg_controllen > INT_MAX) return ENOBUFS;
  if (!IsUserAddress(header.msg_control, header.msg_controllen)) return EFAULT;
  bytes_.resize(header.msg_controllen);
  return CopyIn(bytes_.data(), header.msg_control, bytes_.size()) ? 0 : EFAULT;
}

int ControlMessages::Check(bool privileged) const {
  int error = 0;
  const bool well_formed = ForEach([&](const ControlMessage& message) {
    if (error != 0 || message.level != SOL_SOCKET) return;
    error = CheckMessage(message, privileged);
  });
  return error == 0 && !well_formed ? EINVAL : error;
}

cmsghdr ControlMessages::HeaderAt(size_t at) const {
  cmsghdr header = {};
  std::memcpy(&header, bytes_.data() + at, sizeof(header));
  return header;
}

void ControlWriter::Put(int level, int type, const void* data, size_t size) {
  const size_t left = room_ - used_;
  if (buffer_ == nullptr || left < sizeof(cmsghdr)) {
    flags_ |= MSG_CTRUNC;
    return;
  }
  const size_t length = std::min(CMSG_LEN(size), left);
  if (length < CMSG_LEN(size)) flags_ |= MSG_CTRUNC;
  cmsghdr header = {};
  header.cmsg_len = length;
  header.cmsg_level = level;
  header.cmsg_type = type;
  // As in Linux, a message that cannot be written is left out without an error.
  uint8_t* const to = buffer_ + used_;
  if (!CopyOut(to, &header, sizeof(header))) return;
  if (!CopyOut(to + sizeof(header), data, length - sizeof(header))) return;
  used_ += std::min(CMSG_SPACE(size), left);
}

}  // namespace net::fake
