#include "fakes/differential/names.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/differential/program.h"

namespace net::differential {

std::string Names::Port(uint16_t port) {
  if (port < 1024) return absl::StrCat(port);
  for (int i = 0; i < kFixedPorts; ++i) {
    if (fixed_ports_[static_cast<size_t>(i)] == port) {
      return absl::StrCat("fixed", i);
    }
  }
  const auto found = std::find(picked_.begin(), picked_.end(), port);
  const auto index = found - picked_.begin();
  if (found == picked_.end()) picked_.push_back(port);
  return absl::StrCat("picked", index);
}

std::string Names::Bytes(absl::string_view address) {
  constexpr size_t kPortEnd = offsetof(sockaddr_in, sin_port) + 2;
  static_assert(kPortEnd == offsetof(sockaddr_in6, sin6_port) + 2);
  if (address.size() < kPortEnd) {
    return absl::StrCat("cut ", absl::BytesToHexString(address));
  }
  sa_family_t family = AF_UNSPEC;
  std::memcpy(&family, address.data(), sizeof(family));
  in_port_t port = 0;
  std::memcpy(&port, address.data() + offsetof(sockaddr_in, sin_port),
              sizeof(port));
  return absl::StrCat("family ", family, " port ", Port(ntohs(port)), " rest ",
                      absl::BytesToHexString(address.substr(kPortEnd)));
}

}  // namespace net::differential
