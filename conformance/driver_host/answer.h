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

// The answers of a driver (conformance/drivers/PROTOCOL.md).

namespace net::conformance {

// Thrown when a driver fails: it has ended, its answer is malformed, or it has
// answered `internal`. The outcome of the case is then `crash`, and the driver
// is not used again.
class DriverError : public SubjectError {
 public:
  using SubjectError::SubjectError;
};

// The answer `internal`: a fault of the driver itself.
struct Internal {
  std::string text;
};

struct Answer {
  uint64_t id = 0;
  // The members of `ok`, or one of the other three kinds of answer.
  std::variant<nlohmann::json, Error, Unsupported, Internal> content;
};

// Parses a message of the driver. An error says why the message is not an
// answer.
absl::StatusOr<Answer> ParseAnswer(absl::string_view message);

// Return a member of the `ok` of an answer. Throw DriverError if the member is
// missing or invalid.
//
// Returns an unsigned integer.
uint64_t NumberIn(const nlohmann::json& ok, const char* name);
// Returns a port: 0 to 65535.
uint16_t PortIn(const nlohmann::json& ok, const char* name);
// Returns a process id or a descriptor, at least `least`.
int IntIn(const nlohmann::json& ok, const char* name, int least);
// Returns an array of exactly `count` ports.
std::vector<uint16_t> PortsIn(const nlohmann::json& ok, const char* name,
                              size_t count);
std::string TextIn(const nlohmann::json& ok, const char* name);
// Parses {"address": "127.0.0.1", "port": 1}.
ip::Endpoint EndpointFrom(const nlohmann::json& json);

// The `ok` of `hello`.
struct Hello {
  enum class Capability { kYes, kNo, kPlatform };

  std::string name;
  std::string implementation_version;
  std::string language;
  int pid = 0;                // in the driver's PID namespace
  std::optional<int> signal;  // its handler in the driver does nothing
  std::map<std::string, Capability> capabilities;
  std::optional<uint64_t> operations;  // limits.operations
  size_t data = 65536;  // limits.data, capped so that it fits a frame
};

// Parses the `ok` of `hello`. Throws DriverError.
Hello HelloFrom(const nlohmann::json& ok);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_ANSWER_H_
