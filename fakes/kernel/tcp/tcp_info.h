#ifndef FAKES_KERNEL_TCP_TCP_INFO_H_
#define FAKES_KERNEL_TCP_TCP_INFO_H_

#include <sys/socket.h>

#include <cstdint>

#include "fakes/kernel/tcp/tcp_state.h"

namespace net::fake {

// The value of TCP_INFO (tcp(7)) in Linux 6.18's layout, which is longer than
// that of <netinet/tcp.h> and begins like it. getsockopt(2) returns as much of
// it as fits the program's buffer.
//
// The defaults are those of a socket that was never connected. Times are in
// microseconds where they end in `us` or say a round trip, and in milliseconds
// where they begin with `last`.
struct TcpInfo {
  uint8_t state = static_cast<uint8_t>(TcpState::kClosed);
  uint8_t ca_state = 0;
  uint8_t retransmits = 0;
  uint8_t probes = 0;
  uint8_t backoff = 0;
  uint8_t options = 0;        // TCPI_OPT_*
  uint8_t window_scales = 0;  // the peer's in the low half, ours in the high
  uint8_t flags = 0;          // application limited, fast open's failure
  uint32_t rto = 1000000;     // the retransmission timeout, in us
  uint32_t ato = 0;           // the delayed acknowledgement's, in us
  uint32_t snd_mss = 536;     // bytes
  uint32_t rcv_mss = 0;       // bytes
  uint32_t unacked = 0;       // segments; of a listener: connections queued
  uint32_t sacked = 0;        // segments; of a listener: the backlog
  uint32_t lost = 0;
  uint32_t retrans = 0;
  uint32_t fackets = 0;
  uint32_t last_data_sent = 0;
  uint32_t last_ack_sent = 0;
  uint32_t last_data_recv = 0;
  uint32_t last_ack_recv = 0;
  uint32_t pmtu = 0;
  uint32_t rcv_ssthresh = 0;
  uint32_t rtt = 0;
  uint32_t rttvar = 250000;
  uint32_t snd_ssthresh = 0x7fffffff;
  uint32_t snd_cwnd = 10;  // segments
  uint32_t advmss = 0;
  uint32_t reordering = 3;
  uint32_t rcv_rtt = 0;
  uint32_t rcv_space = 0;
  uint32_t total_retrans = 0;
  uint64_t pacing_rate = ~uint64_t{0};  // bytes per second
  uint64_t max_pacing_rate = ~uint64_t{0};
  uint64_t bytes_acked = 0;
  uint64_t bytes_received = 0;
  uint32_t segs_out = 0;
  uint32_t segs_in = 0;
  uint32_t notsent_bytes = 0;
  uint32_t min_rtt = ~uint32_t{0};
  uint32_t data_segs_in = 0;
  uint32_t data_segs_out = 0;
  uint64_t delivery_rate = 0;
  uint64_t busy_time = 0;
  uint64_t rwnd_limited = 0;
  uint64_t sndbuf_limited = 0;
  uint32_t delivered = 0;
  uint32_t delivered_ce = 0;
  uint64_t bytes_sent = 0;
  uint64_t bytes_retrans = 0;
  uint32_t dsack_dups = 0;
  uint32_t reord_seen = 0;
  uint32_t rcv_ooopack = 0;
  uint32_t snd_wnd = 0;
  uint32_t rcv_wnd = 0;
  uint32_t rehash = 0;
  uint16_t total_rto = 0;
  uint16_t total_rto_recoveries = 0;
  uint32_t total_rto_time = 0;
  uint32_t accurate_ecn[8] = {};
};
static_assert(sizeof(TcpInfo) == 280);

// The state of a socket that getsockopt(2) returns: the source of TCP_INFO and
// of the options that can only be read.
struct TcpInfoSource {
  // A listener's queue, and its backlog as it took effect.
  uint32_t queued = 0;
  uint32_t backlog = 0;

  // A connection. Bytes are of the program's data.
  uint32_t mss = 536;     // what TCP_MAXSEG says: bytes
  uint32_t path_mtu = 0;  // bytes; 0: there is no route
  uint8_t retransmits = 0;
  uint8_t probes = 0;
  uint8_t backoff = 0;
  uint32_t rto = 1000000;  // us
  uint32_t ato = 0;        // us
  // The smoothed round-trip time and its deviation in us; 0: round trips take
  // no time, or there was none.
  uint32_t rtt = 0;
  uint32_t rttvar = 0;
  uint32_t advmss = 0;     // bytes
  uint32_t rcv_mss = 536;  // bytes
  uint32_t segs_in = 0;
  uint32_t segs_out = 0;
  uint32_t data_segs_in = 0;
  uint32_t data_segs_out = 0;
  uint32_t total_retrans = 0;       // segments
  uint32_t congestion_window = 10;  // segments
  // Segments in flight. After a timeout: those that count as lost, and of them
  // those that were sent again.
  uint32_t unacked = 0;
  uint32_t lost = 0;
  uint32_t retrans = 0;
  // Those in flight that were selectively acknowledged.
  uint32_t selected = 0;
  uint64_t bytes_sent = 0;  // Without those that were sent again.
  uint64_t bytes_sent_again = 0;
  uint64_t bytes_acked = 0;
  uint64_t bytes_received = 0;
  uint32_t notsent_bytes = 0;
  uint32_t snd_wnd = 0;  // bytes
  uint32_t rcv_wnd = 0;
  uint32_t last_data_sent = 0;  // ms ago
  uint32_t last_data_recv = 0;
  uint32_t last_ack_recv = 0;

  // The address that it is, or was, connected to, as SO_PEERNAME and
  // getpeername(2) have it; of size 0 if there is none.
  sockaddr_storage peer = {};
  socklen_t peer_size = 0;
  // An IPv4 connection of an IPv6 socket.
  bool v4_mapped = false;
  uint16_t local_port = 0;

  uint64_t cookie = 1;       // SO_COOKIE: unlike that of any other socket
  uint32_t timestamp = 0;    // TCP_TIMESTAMP: ms
  uint32_t read_memory = 0;  // SO_MEMINFO: bytes that wait to be read
  uint32_t write_memory = 0;
};

// Returns the value of TCP_INFO in a state.
TcpInfo MakeTcpInfo(TcpState state, const TcpInfoSource& source,
                    uint64_t max_pacing_rate);

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_TCP_INFO_H_
