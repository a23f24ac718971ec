#ifndef CONFORMANCE_KERNEL_CASES_CONTROL_MESSAGES_H_
#define CONFORMANCE_KERNEL_CASES_CONTROL_MESSAGES_H_

#include <cstddef>
#include <cstring>
#include <ostream>
#include <string>
#include <vector>

#include "conformance/loopback/loopback.h"
#include "gmock/gmock.h"
#include "syscalls/sys_result.h"

// recvmsg(2) with control messages.

namespace net::conformance {

// A control message that was received.
struct Received {
  int level;
  int type;
  std::string data;

  // Returns the data as a value of a type, from its start.
  template <typename T>
  T As(size_t offset = 0) const {
    T value = {};
    if (data.size() >= offset + sizeof(value)) {
      std::memcpy(&value, data.data() + offset, sizeof(value));
    }
    return value;
  }

  friend std::ostream& operator<<(std::ostream& os, const Received& one) {
    return os << "level " << one.level << " type " << one.type << " with "
              << one.data.size() << " bytes";
  }
};

// Matches a message by its level, type and the size of its data.
MATCHER_P3(IsMessage, level, type, size, "") {
  return arg.level == level && arg.type == type &&
         arg.data.size() == static_cast<size_t>(size);
}

// The results of a recvmsg(2).
struct Message {
  SysResult result;
  int flags = 0;
  std::string data;
  std::vector<Received> control;
};

// Calls recvmsg(2) once for `size` bytes, with room for control messages: at
// most 512 bytes.
Message RecvMsg(const loopback::RawSocket& socket, size_t size, int flags = 0,
                size_t room = 512);

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_CONTROL_MESSAGES_H_
