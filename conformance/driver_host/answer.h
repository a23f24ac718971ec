#ifndef CONFORMANCE_DRIVER_HOST_ANSWER_H_
#define CONFORMANCE_DRIVER_HOST_ANSWER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/subject.h"
#include "conformance/suite/result.h"
#include "nlohmann/json.hpp"
#include "syscalls/net/endpoint.h"

// What a driver says (conformance/drivers/PROTOCOL.md).

namespace net::conformance {

// Thrown where a driver does not do its part: it ended, answered what is no
// answer, or says itself that it is at fault. The outcome of the case is
// `crash`, and the driver is not used again.
class DriverError : public SubjectError {
 public:
  using SubjectError::SubjectError;
};

// The driver's own fault: "internal".
struct Internal {
  std::string text;
};

struct Answer {
  uint64_t id = 0;
  // The members of `ok`, or one of the other three.
  std::variant<nlohmann::json, Error, Unsupported, Internal> content;
};

// Reads a message of the driver. An error says in what it is not an answer.
absl::StatusOr<Answer> ParseAnswer(absl::string_view message);

// A member of an `ok`. They throw DriverError if it is not there, or not what
// it must be.
uint64_t NumberIn(const nlohmann::json& ok, const char* name);
// A port: 0 to 65535.
uint16_t PortIn(const nlohmann::json& ok, const char* name);
// A number of a process or a descriptor. `least` is the lowest that may be.
int IntIn(const nlohmann::json& ok, const char* name, int least);
// The member `ports`, with exactly that many ports.
std::vector<uint16_t> PortsIn(const nlohmann::json& ok, const char* name,
                              size_t count);
std::string TextIn(const nlohmann::json& ok, const char* name);
// {"address": "127.0.0.1", "port": 1}.
ip::Endpoint EndpointFrom(const nlohmann::json& json);

// What the handshake says.
struct Hello {
  enum class Capability { kYes, kNo, kPlatform };

  std::string name;
  std::string implementation_version;
  std::string language;
  int pid = 0;                // as the driver counts
  std::optional<int> signal;  // its handler does nothing
  std::map<std::string, Capability> capabilities;
  std::optional<uint64_t> operations;  // limits.operations
  size_t data = 65536;  // limits.data, if a frame has room for so much
};

// Reads the `ok` of `hello`. Throws DriverError.
Hello HelloFrom(const nlohmann::json& ok);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_ANSWER_H_
