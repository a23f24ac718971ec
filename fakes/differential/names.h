#ifndef FAKES_DIFFERENTIAL_NAMES_H_
#define FAKES_DIFFERENTIAL_NAMES_H_

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/differential/program.h"

namespace net::differential {

// Gives the ports of one run names that are those of every other run of the
// same program: a kernel picks ephemeral ports as it likes, but when it picks a
// new one, and when it tells one again, is its behaviour.
class Names {
 public:
  // The ports that the world keeps free: "fixed0", "fixed1", "fixed2".
  explicit Names(const std::array<uint16_t, kFixedPorts>& fixed_ports)
      : fixed_ports_(fixed_ports) {}

  // "0", "80", "fixed1"; "picked0" for the first other port that is told,
  // "picked1" for the next.
  std::string Port(uint16_t port);

  // A socket address, or its first bytes: family, port by name, the rest in
  // hexadecimal.
  std::string Bytes(absl::string_view address);

 private:
  std::array<uint16_t, kFixedPorts> fixed_ports_;
  std::vector<uint16_t> picked_;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_NAMES_H_
