#ifndef FAKES_KERNEL_SYSCTLS_H_
#define FAKES_KERNEL_SYSCTLS_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace net {

// The settings of a FakeKernel's machine that Linux has below /proc/sys, with
// Linux's defaults (ip-sysctl.rst of the kernel's documentation, tcp(7), ip(7),
// socket(7), proc_sys_fs(5)). Each field is named as the file.
struct FakeSysctls {
  // net.core
  int somaxconn = 4096;
  int rmem_max = 4194304;  // bytes; the ceiling of SO_RCVBUF
  int wmem_max = 4194304;
  int rmem_default = 212992;  // of sockets that are not TCP's
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
  int tcp_fin_timeout = 60;  // seconds
  int tcp_tw_reuse = 2;      // 0 never, 1 always, 2 over loopback
  struct Memory {
    int min, initial, max;  // bytes
  };
  Memory tcp_rmem = {4096, 131072, 33554432};
  Memory tcp_wmem = {4096, 16384, 4194304};
  int tcp_keepalive_time = 7200;  // seconds
  int tcp_keepalive_intvl = 75;   // seconds
  int tcp_keepalive_probes = 9;
  int ip_default_ttl = 64;
  int tcp_rto_max_ms = 120000;
  int tcp_rto_min_us = 200000;
  int tcp_fastopen = 1;  // bit 0: clients may, bit 1: servers may
  enum class CongestionControl : uint8_t { kCubic, kReno };
  CongestionControl tcp_congestion_control = CongestionControl::kCubic;

  // net.ipv6
  bool bindv6only = false;
  int hop_limit = 64;         // net.ipv6.conf.default.hop_limit
  bool disable_ipv6 = false;  // net.ipv6.conf.all.disable_ipv6

  // fs.file-max: open files of the whole machine
  int64_t file_max = 1000000;

  // Sets one by its name in sysctl(8) and its text there:
  // "net.ipv4.ip_local_port_range", "40000 40007". False if there is no such
  // name here, or the text is not a value of it.
  bool Set(absl::string_view name, absl::string_view text);
};

}  // namespace net

#endif  // FAKES_KERNEL_SYSCTLS_H_
