#ifndef CONFORMANCE_DRIVER_HOST_RECORDING_H_
#define CONFORMANCE_DRIVER_HOST_RECORDING_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/driver_subject.h"

// Sessions with drivers, in a file: a JSON line for each message; and one for
// what the runner did meanwhile, as far as answers can depend on it: the
// connect(2), bind(2) and listen(2) of its peers, and changes to the driver or
// its network.
//
//   {"trial": "listen.plain v4 mine", "to": "driver", "message": {...}}
//   {"trial": "listen.plain v4 mine", "to": "runner", "message": {...}}
//   {"trial": "listen.plain v4 mine", "peer": "connect(5, {AF_INET, ...}) = 0"}
//   {"trial": "listen.plain v4 mine", "world": "limited the descriptors"}

namespace net::conformance {

// Makes the file empty, and returns what writes to it from then on, for
// DriverSubjectOptions::on_frame. Errors name the file and the errno.
absl::Status StartRecording(const std::string& path,
                            DriverSubjectOptions& options);

// Sends the commands of a recording to drivers of their own, one for each
// session, in their order, each after the answers that came before it then; and
// prints what is answered otherwise than then. Ports and sockets that a driver
// reports replace those of the recording.
//
// The runner's peers are not there. Commands whose answers need one, or a
// change that the runner made to the driver's world, are not sent, and named at
// once: see FindUnrepeatable(). So no answer is waited for that cannot come.
//
// True if all that was compared was answered as then.
absl::StatusOr<bool> Replay(const std::string& path,
                            const DriverCommand& command, std::ostream& out);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_RECORDING_H_
