#ifndef FAKES_TRAP_CONTROL_MESSAGE_H_
#define FAKES_TRAP_CONTROL_MESSAGE_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace net::trap {

// Messages of the control channel (fakes/trap/trap_control.h): a packet of a
// SOCK_SEQPACKET socket each.

// The maximum size of a message in bytes. A longer message would not fit into a
// packet of AF_UNIX with default limits (net.core.wmem_default is 212992).
inline constexpr size_t kLongestMessage = 160 << 10;

// Sends a message. Fails with the errno of send(2).
absl::Status SendMessage(int channel, const std::string& text);

// Waits for a message. Returns nullopt at the end of the channel.
absl::StatusOr<std::optional<std::string>> ReceiveMessage(int channel);

}  // namespace net::trap

#endif  // FAKES_TRAP_CONTROL_MESSAGE_H_
