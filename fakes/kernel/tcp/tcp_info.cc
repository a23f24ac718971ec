#include "fakes/kernel/tcp/tcp_info.h"

#include <netinet/tcp.h>

#include <cstdint>

#include "fakes/kernel/tcp/tcp_state.h"

namespace net::fake {
namespace {

// TCPI_OPT_TIMESTAMPS, TCPI_OPT_SACK and TCPI_OPT_WSCALE: what two Linux
// machines agree upon, with a window scale of 10 on either side.
constexpr uint8_t kUsualOptions = 7;
constexpr uint8_t kUsualWindowScales = 0xaa;

// A listener has a queue, and hardly anything else.
TcpInfo ListenerInfo(const TcpInfoSource& source) {
  TcpInfo info;
  info.rto = 0;
  info.snd_mss = 0;
  info.rttvar = 0;
  info.snd_ssthresh = 0;
  info.min_rtt = 0;
  info.unacked = source.queued;
  info.sacked = source.backlog;
  return info;
}

void AddConnection(const TcpInfoSource& source, TcpInfo& info) {
  info.options = kUsualOptions;
  info.window_scales = kUsualWindowScales;
  info.ato = source.ato;
  info.rcv_mss = source.rcv_mss;
  info.pmtu = source.path_mtu;
  info.rcv_ssthresh = 65495;
  info.advmss = source.advmss;
  // Of a round trip over Linux's loopback interface, whose time is not
  // modelled.
  info.rtt = 50;
  info.rttvar = 25;
  info.min_rtt = 50;
  if (source.rtt > 0) {
    info.rtt = source.rtt;
    info.rttvar = source.rttvar;
  }
  info.rcv_space = 65495;
}

}  // namespace

TcpInfo MakeTcpInfo(TcpState state, const TcpInfoSource& source,
                    uint64_t max_pacing_rate) {
  TcpInfo info;
  if (state == TcpState::kListen) {
    info = ListenerInfo(source);
  } else {
    if (state != TcpState::kClosed && state != TcpState::kSynSent) {
      AddConnection(source, info);
    }
    info.retransmits = source.retransmits;
    info.probes = source.probes;
    info.backoff = source.backoff;
    info.rto = source.rto;
    info.segs_in = source.segs_in;
    info.segs_out = source.segs_out;
    info.data_segs_in = source.data_segs_in;
    info.data_segs_out = source.data_segs_out;
    info.total_retrans = source.total_retrans;
    info.snd_cwnd = source.congestion_window;
    info.unacked = source.unacked;
    info.sacked = source.selected;
    info.lost = source.lost;
    info.retrans = source.retrans;
    if (source.lost > 0) info.ca_state = TCP_CA_Loss;
    info.snd_mss = source.mss;
    info.bytes_sent = source.bytes_sent + source.bytes_sent_again;
    info.bytes_retrans = source.bytes_sent_again;
    info.bytes_acked = source.bytes_acked;
    info.bytes_received = source.bytes_received;
    info.notsent_bytes = source.notsent_bytes;
    info.snd_wnd = source.snd_wnd;
    info.rcv_wnd = source.rcv_wnd;
    info.last_data_sent = source.last_data_sent;
    info.last_data_recv = source.last_data_recv;
    info.last_ack_recv = source.last_ack_recv;
  }
  info.state = static_cast<uint8_t>(state);
  info.max_pacing_rate = max_pacing_rate;
  return info;
}

}  // namespace net::fake
