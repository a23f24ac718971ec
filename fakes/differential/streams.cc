#include "fakes/differential/streams.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "syscalls/net/endpoint.h"

namespace net::differential {
namespace {

// The period of the payload, a prime, so that no size of a call or buffer is a
// multiple of it.
constexpr size_t kPeriod = 65521;

const std::string& PayloadTable() {
  static const auto& table = *[] {
    auto* bytes = new std::string(kPeriod + kMostBytes, '\0');
    uint32_t state = 1;
    for (size_t i = 0; i < kPeriod; ++i) {
      state = state * 1664525 + 1013904223;
      (*bytes)[i] = static_cast<char>(state >> 24);
    }
    for (size_t i = kPeriod; i < bytes->size(); ++i) {
      (*bytes)[i] = (*bytes)[i - kPeriod];
    }
    return bytes;
  }();
  return table;
}

ip::Endpoint Plain(const ip::Endpoint& endpoint) {
  return {endpoint.addr.Unmapped(), endpoint.port};
}

}  // namespace

End Streams::Connected(const ip::Endpoint& local, const ip::Endpoint& peer) {
  auto connection = std::make_shared<Connection>();
  connection->there.seed = 2 * connections_.size();
  connection->back.seed = 2 * connections_.size() + 1;
  const bool to_itself = Plain(local) == Plain(peer);
  connections_.push_back({.local = Plain(local),
                          .peer = Plain(peer),
                          .connection = connection,
                          .waits = !to_itself});
  return End(connection, /*connector=*/true, to_itself);
}

End Streams::Accepted(const ip::Endpoint& local,
                      const std::optional<ip::Endpoint>& peer) {
  const auto found = std::find_if(
      connections_.begin(), connections_.end(), [&](const Known& known) {
        return known.waits && known.peer == Plain(local) &&
               (!peer.has_value() || known.local == Plain(*peer));
      });
  if (found == connections_.end()) return End();
  found->waits = false;
  return End(found->connection, /*connector=*/false, /*to_itself=*/false);
}

bool Streams::HaveMet(uint16_t local_port, uint16_t peer_port) const {
  return std::any_of(
      connections_.begin(), connections_.end(), [&](const Known& known) {
        return known.local.port == local_port && known.peer.port == peer_port;
      });
}

bool Streams::MayHaveEnded(uint16_t port) const {
  return std::any_of(
      connections_.begin(), connections_.end(), [port](const Known& known) {
        if (known.local.port != port && known.peer.port != port) return false;
        const Direction& there = known.connection->there;
        const Direction& back = known.connection->back;
        return there.torn || back.torn || there.unclear() || back.unclear();
      });
}

absl::string_view Payload(const Direction& direction, int64_t position,
                          size_t size) {
  const size_t start =
      (direction.seed * 4099 + static_cast<size_t>(position)) % kPeriod;
  return absl::string_view(PayloadTable()).substr(start, size);
}

}  // namespace net::differential
