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

// Names the ports of one run in a way that is equal for every run of the same
// program. A kernel may choose any ephemeral port. Whether it chooses a new
// port or an earlier one again is compared.
class Names {
 public:
  // `fixed_ports` are the ports that the world reserves for the program:
  // "fixed0", "fixed1", "fixed2".
  explicit Names(const std::array<uint16_t, kFixedPorts>& fixed_ports)
      : fixed_ports_(fixed_ports) {}

  // Returns the name of a port: "0", "80", "fixed1"; "picked0" for the first
  // other port that appears, "picked1" for the next.
  std::string Port(uint16_t port);

  // Returns the first bytes of a socket address as text: family, port by name,
  // the rest in hexadecimal.
  std::string Bytes(absl::string_view address);

 private:
  std::array<uint16_t, kFixedPorts> fixed_ports_;
  std::vector<uint16_t> picked_;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_NAMES_H_
