#ifndef CONFORMANCE_DRIVER_HOST_SERVED_COMMANDS_H_
#define CONFORMANCE_DRIVER_HOST_SERVED_COMMANDS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "nlohmann/json.hpp"
#include "syscalls/mutex.h"

namespace net::conformance {

// Carries out the commands of the driver protocol with an Implementation.
// Thread-safe.
class ServedCommands {
 public:
  // `name` and `version` are those of hello.
  ServedCommands(std::string name, std::string version,
                 std::unique_ptr<Implementation> implementation)
      : name_(std::move(name)),
        version_(std::move(version)),
        implementation_(std::move(implementation)) {}

  // Carries out a command, and returns the answer. For an exception, the answer
  // is `internal`.
  nlohmann::json Answer(const nlohmann::json& command);

 private:
  using Json = nlohmann::json;

  // A socket of the implementation. close(2) must not run beside another
  // operation on the same socket, so operations are counted.
  struct Socket {
    Handle handle = {};
    int operations = 0;
  };
  // An operation on a socket. The socket stays open while this object exists.
  class Operation;

  // Returns the members of `ok`.
  Result<Json> Run(const std::string& name, const Json& command);
  Result<Json> Hello(const Json& command) const;
  Result<Json> Listen(const Json& command);
  Result<Json> Connect(const Json& command);
  Result<Json> Accept(Handle listener, const Json& command);
  Result<Json> Adopt(const Json& command);
  Result<Json> OnSocket(const std::string& name, Handle socket,
                        const Json& command);
  Result<Json> Close(uint64_t number);
  Result<Json> Reset();

  // Returns the port that a listener's descriptor is bound to; `requested` if
  // the descriptor is not known.
  Result<uint16_t> PortOf(const Result<Handle>& listener, uint16_t requested);
  // Gives a new socket a number.
  Result<Json> Keep(const Result<Handle>& handle);
  // Waits until no operation uses a socket, and removes it.
  Handle Take(uint64_t number);

  const std::string name_;
  const std::string version_;
  const std::unique_ptr<Implementation> implementation_;
  Mutex mutex_;
  CondVar operation_ended_;
  uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Socket> sockets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_SERVED_COMMANDS_H_
