#ifndef CONFORMANCE_DRIVER_HOST_RECORDING_H_
#define CONFORMANCE_DRIVER_HOST_RECORDING_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/driver_subject.h"

// Recorded sessions with drivers. The file has a JSON line for each message,
// and for each action of the runner that answers can depend on: the connect(2),
// bind(2) and listen(2) of its peers, and changes to the driver or its network.
//
//   {"trial": "listen.plain v4 mine", "to": "driver", "message": {...}}
//   {"trial": "listen.plain v4 mine", "to": "runner", "message": {...}}
//   {"trial": "listen.plain v4 mine", "peer": "connect(5, {AF_INET, ...}) = 0"}
//   {"trial": "listen.plain v4 mine", "world": "limited the descriptors"}

namespace net::conformance {

// Truncates the file and sets the callbacks of `options` that write to it.
// Errors name the file and the errno.
absl::Status StartRecording(const std::string& path,
                            DriverSubjectOptions& options);

// Replays a recording. Starts a driver for each session, and sends the commands
// of the session in order, each after the answers that preceded it. Prints
// answers that differ from the recorded ones. Ports and sockets that the driver
// reports replace the recorded ones.
//
// The runner's peers do not exist in a replay. A command is not sent if its
// answer depends on a peer, or on a change that the runner made to the driver's
// environment (see FindUnrepeatable()). Such commands are printed first. The
// replay therefore never waits for an answer that cannot arrive.
//
// Returns true if all compared answers are equal.
absl::StatusOr<bool> Replay(const std::string& path,
                            const DriverCommand& command, std::ostream& out);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_RECORDING_H_
