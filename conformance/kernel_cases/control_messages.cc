#include "conformance/kernel_cases/control_messages.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string>

#include "conformance/loopback/loopback.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

Message RecvMsg(const loopback::RawSocket& socket, size_t size, int flags,
                size_t room) {
  std::string data(size, '\0');
  alignas(cmsghdr) std::array<char, 512> control = {};
  iovec part = {.iov_base = data.data(), .iov_len = size};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = room;
  Message message;
  message.result = socket.syscalls().RecvMsg(socket.fd(), &header, flags);
  if (!message.result.ok()) return message;
  message.flags = header.msg_flags;
  data.resize(static_cast<size_t>(message.result.value()));
  message.data = data;
  for (size_t at = 0; at + sizeof(cmsghdr) <= header.msg_controllen;) {
    cmsghdr one = {};
    std::memcpy(&one, control.data() + at, sizeof(one));
    message.control.push_back({one.cmsg_level, one.cmsg_type,
                               std::string(control.data() + at + sizeof(one),
                                           one.cmsg_len - sizeof(one))});
    at += CMSG_ALIGN(one.cmsg_len);
  }
  return message;
}

}  // namespace net::conformance
