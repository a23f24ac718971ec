#ifndef FAKES_KERNEL_SYSCTLS_H_
#define FAKES_KERNEL_SYSCTLS_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace net {

// The settings of a FakeKernel's machine that Linux has in /proc/sys, with
// Linux's defaults. Each field has the name of its file. Sources: ip-sysctl.rst
// of the kernel's documentation, tcp(7), ip(7), socket(7), proc_sys_fs(5).
struct FakeSysctls {
  // net.core
  int somaxconn = 4096;
  int rmem_max = 4194304;  // Bytes; maximum of SO_RCVBUF.
  int wmem_max = 4194304;
  int rmem_default = 212992;  // Sockets other than TCP.
  int wmem_default = 212992;

  // net.ipv4
  struct PortRange {
    uint16_t first = 32768;
    uint16_t last = 60999;
  };
  PortRange ip_local_port_range;
  int ip_unprivileged_port_start = 1024;
  int tcp_syn_retries = 6;
  int tcp_syn_linear_timeouts = 4;
  int tcp_synack_retries = 5;
  int tcp_retries2 = 15;
  int tcp_orphan_retries = 0;  // 0 means 8.
  int tcp_fin_timeout = 60;    // Seconds.
  int tcp_tw_reuse = 2;        // 0: never, 1: always, 2: over loopback.
  struct Memory {
    int min, initial, max;  // Bytes.
  };
  Memory tcp_rmem = {4096, 131072, 33554432};
  Memory tcp_wmem = {4096, 16384, 4194304};
  int tcp_keepalive_time = 7200;  // Seconds.
  int tcp_keepalive_intvl = 75;   // Seconds.
  int tcp_keepalive_probes = 9;
  int ip_default_ttl = 64;
  int tcp_rto_max_ms = 120000;
  int tcp_rto_min_us = 200000;
  int tcp_fastopen = 1;  // Bit 0: clients, bit 1: servers.
  enum class CongestionControl : uint8_t { kCubic, kReno };
  CongestionControl tcp_congestion_control = CongestionControl::kCubic;

  // net.ipv6
  bool bindv6only = false;
  int hop_limit = 64;         // net.ipv6.conf.default.hop_limit
  bool disable_ipv6 = false;  // net.ipv6.conf.all.disable_ipv6

  // fs.file-max: maximum number of open files in the machine.
  int64_t file_max = 1000000;

  // Sets a value by its name and text in sysctl(8), for example
  // "net.ipv4.ip_local_port_range" and "40000 40007". Returns false, with no
  // effect, if the name is unknown or Linux would reject the text.
  bool Set(absl::string_view name, absl::string_view text);
};

}  // namespace net

#endif  // FAKES_KERNEL_SYSCTLS_H_
