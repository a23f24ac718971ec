#ifndef CONFORMANCE_DRIVER_HOST_UNREPEATABLE_H_
#define CONFORMANCE_DRIVER_HOST_UNREPEATABLE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "nlohmann/json.hpp"

namespace net::conformance {

// One line of a recorded session.
// (nlohmann::json's move constructor is noexcept but contains assertions.)
// NOLINTNEXTLINE(bugprone-exception-escape)
struct RecordedLine {
  enum class Kind {
    kCommand,
    kAnswer,
    kPeer,    // a system call of a peer of the runner's
    kChange,  // a change of the driver or its network by the runner
  };
  Kind kind = Kind::kCommand;
  nlohmann::json message;  // of a command or an answer
  std::string text;        // of the other two
};

// Returns the commands of a session that cannot be repeated without the runner:
// their ids, each with the reason. These commands are
//
// - accept on a listener to which a peer of the runner connected, or which
//   accepted more connections than the driver made, or which shares its port
//   with another listener;
// - connect to such a listener, and to a port on which the driver does not
//   listen, unless it was refused;
// - listen on a given port that failed, if a peer of the runner had bound one;
// - adopt, which gets a descriptor from the runner;
// - all that name a socket of such a command;
// - all that were answered after the runner had changed the driver's
//   environment: a signal, the limit of descriptors, a sysctl.
//
// All other commands depend on the driver alone. Their answers can be compared,
// and they do not block.
std::map<int, std::string> FindUnrepeatable(
    absl::Span<const RecordedLine> session);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_REPLAY_PLAN_H_
