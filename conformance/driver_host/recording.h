#ifndef CONFORMANCE_DRIVER_HOST_RECORDING_H_
#define CONFORMANCE_DRIVER_HOST_RECORDING_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/driver_subject.h"

// What was said to drivers, in a file: a JSON line for each message,
//
//   {"trial": "listen.plain v4 driver", "to": "driver", "message": {...}}
//   {"trial": "listen.plain v4 driver", "to": "runner", "message": {...}}

namespace net::conformance {

// Makes the file empty, and returns what writes to it from then on, for
// DriverSubjectOptions::on_frame. Errors name the file and the errno.
absl::Status StartRecording(const std::string& path,
                            DriverSubjectOptions& options);

// Says the commands of a recording to drivers of their own, one for each trial,
// in their order, each after the answers that came before it then; and prints
// what is answered otherwise than then. Ports and sockets that a driver reports
// replace those of the recording.
//
// Nobody else is there: what a peer of the runner's did then is not done again,
// and an answer that waits for it does not come. It is waited for for five
// seconds.
//
// True if all was answered as then.
absl::StatusOr<bool> Replay(const std::string& path,
                            const DriverCommand& command, std::ostream& out);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_RECORDING_H_
