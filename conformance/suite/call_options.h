#ifndef CONFORMANCE_SUITE_CALL_OPTIONS_H_
#define CONFORMANCE_SUITE_CALL_OPTIONS_H_

#include <cstdint>
#include <optional>

// The arguments of Implementation's methods.

namespace net::conformance {

// Identifies a socket of the implementation under test. The implementation
// chooses the number.
enum class Handle : uint64_t {};

struct ListenOptions {
  bool nonblock = false;    // O_NONBLOCK
  bool no_cloexec = false;  // the descriptor stays open across exec
  bool keepalive = false;   // SO_KEEPALIVE
  bool reuseaddr = false;   // SO_REUSEADDR
  bool reuseport = false;   // SO_REUSEPORT
  // The backlog, as for listen(2). If nullopt, the API uses its default.
  std::optional<int> backlog;
  // A place for the port, written on success only; null if the case does not
  // need it.
  uint16_t* port = nullptr;
};

struct ConnectOptions {
  bool nonblock = false;
  bool no_cloexec = false;
  bool keepalive = false;
};

struct AcceptOptions {
  bool nonblock = false;
  bool no_cloexec = false;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_CALL_OPTIONS_H_
