#include "fakes/kernel/tcp/saved_syn.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "fakes/kernel/options/options.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/receive_window.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {
namespace {

constexpr size_t kV4Header = 20;
constexpr size_t kV6Header = 40;
constexpr size_t kTcpHeader = 20;
constexpr size_t kTcpOptions = 20;
constexpr int kLoopbackMtuV4 = 65535;  // The maximum of an IPv4 packet.
constexpr int kLoopbackMtuV6 = 65536;

// Appends numbers in network byte order.
class Packet {
 public:
  void Put8(uint32_t value) { bytes_.push_back(static_cast<uint8_t>(value)); }
  void Put16(uint32_t value) {
    Put8(value >> 8);
    Put8(value);
  }
  void Put32(uint32_t value) {
    Put16(value >> 16);
    Put16(value);
  }
  void PutAddr(const ip::Addr& addr) {
    if (addr.is_v4()) {
      for (const uint8_t byte : addr.v4_bytes()) Put8(byte);
    } else {
      for (const uint8_t byte : addr.v6_bytes()) Put8(byte);
    }
  }
  void Set16(size_t at, uint32_t value) {
    bytes_[at] = static_cast<uint8_t>(value >> 8);
    bytes_[at + 1] = static_cast<uint8_t>(value);
  }
  // Returns the sum of RFC 1071 of `size` bytes, before it is complemented.
  uint32_t Sum(size_t at, size_t size) const {
    uint32_t sum = 0;
    for (size_t i = at; i < at + size; i += 2) {
      sum += static_cast<uint32_t>(bytes_[i] << 8 | bytes_[i + 1]);
    }
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return sum;
  }
  size_t size() const { return bytes_.size(); }
  std::vector<uint8_t> Take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
};

void PutLinkHeader(bool v6, Packet& packet) {
  for (int i = 0; i < 2 * ETH_ALEN; ++i) packet.Put8(0);
  packet.Put16(v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
}

void PutV4Header(const FourTuple& tuple, const SocketOptions& options,
                 const FakeSysctls& sysctls, Packet& packet) {
  constexpr uint32_t kDontFragment = 0x4000;
  const size_t start = packet.size();
  packet.Put8(0x45);
  packet.Put8(static_cast<uint32_t>(options.tos()));
  packet.Put16(kV4Header + kTcpHeader + kTcpOptions);
  packet.Put16(0);  // Identification.
  packet.Put16(options.fragments() ? 0 : kDontFragment);
  packet.Put8(static_cast<uint32_t>(options.ttl(/*v6=*/false, sysctls)));
  packet.Put8(IPPROTO_TCP);
  packet.Put16(0);
  packet.PutAddr(tuple.local.addr);
  packet.PutAddr(tuple.remote.addr);
  packet.Set16(start + 10, ~packet.Sum(start, kV4Header));
}

void PutV6Header(const FourTuple& tuple, const SocketOptions& options,
                 const FakeSysctls& sysctls, Packet& packet) {
  const auto traffic_class = static_cast<uint32_t>(options.tclass());
  packet.Put32(0x60000000 | traffic_class << 20);
  packet.Put16(kTcpHeader + kTcpOptions);
  packet.Put8(IPPROTO_TCP);
  packet.Put8(static_cast<uint32_t>(options.ttl(/*v6=*/true, sysctls)));
  packet.PutAddr(tuple.local.addr);
  packet.PutAddr(tuple.remote.addr);
}

}  // namespace

std::vector<uint8_t> MakeSyn(const FourTuple& tuple,
                             const SocketOptions& options,
                             const FakeSysctls& sysctls, uint32_t number,
                             bool with_link_header) {
  const bool v6 = tuple.local.addr.is_v6();
  Packet packet;
  if (with_link_header) PutLinkHeader(v6, packet);
  (v6 ? PutV6Header : PutV4Header)(tuple, options, sysctls, packet);
  const size_t addresses = v6 ? 2 * sizeof(in6_addr) : 2 * sizeof(in_addr);
  // The sum of the pseudo header. A network device would add the rest.
  const uint32_t sum = packet.Sum(packet.size() - addresses, addresses) +
                       IPPROTO_TCP + kTcpHeader + kTcpOptions;
  const size_t headers = (v6 ? kV6Header : kV4Header) + kTcpHeader;
  const int most =
      (v6 ? kLoopbackMtuV6 : kLoopbackMtuV4) - static_cast<int>(headers);
  const int mss =
      options.maxseg() != 0 ? std::min(options.maxseg(), most) : most;
  packet.Put16(tuple.local.port);
  packet.Put16(tuple.remote.port);
  packet.Put32(number);
  packet.Put32(0);  // Acknowledgement.
  packet.Put8((kTcpHeader + kTcpOptions) / 4 << 4);
  packet.Put8(TH_SYN);
  packet.Put16(ReceiveWindow::First(static_cast<uint32_t>(options.rcvbuf()),
                                    static_cast<uint32_t>(mss)));
  packet.Put16(sum > 0xffff ? (sum & 0xffff) + (sum >> 16) : sum);
  packet.Put16(0);  // Urgent pointer.
  packet.Put8(TCPOPT_MAXSEG);
  packet.Put8(TCPOLEN_MAXSEG);
  packet.Put16(static_cast<uint32_t>(mss));
  packet.Put8(TCPOPT_SACK_PERMITTED);
  packet.Put8(TCPOLEN_SACK_PERMITTED);
  packet.Put8(TCPOPT_TIMESTAMP);
  packet.Put8(TCPOLEN_TIMESTAMP);
  packet.Put32(number);
  packet.Put32(0);
  packet.Put8(TCPOPT_NOP);
  packet.Put8(TCPOPT_WINDOW);
  packet.Put8(TCPOLEN_WINDOW);
  packet.Put8(static_cast<uint32_t>(options.window_scale(sysctls)));
  return packet.Take();
}

}  // namespace net::fake
