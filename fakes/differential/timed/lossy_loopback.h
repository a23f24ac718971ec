#ifndef FAKES_DIFFERENTIAL_TIMED_LOSSY_LOOPBACK_H_
#define FAKES_DIFFERENTIAL_TIMED_LOSSY_LOOPBACK_H_

#include <cstdint>
#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "syscalls/mutex.h"
#include "syscalls/net/ip_addr.h"

namespace net::differential {

// Loses packets on the loopback interface of the process's network namespace,
// which should be one of its own. A classic BPF program at the interface's
// ingress drops them (tc-bpf(8); clsact and cls_bpf of the kernel), so the
// sender gets no error. Packets of sockets that no program can reach any more,
// such as those in TIME-WAIT, are lost, too.
//
// Thread-safe.
class LossyLoopback {
 public:
  // Prepares the interface. Returns an error if the process lacks CAP_NET_ADMIN
  // in the namespace, or if the kernel lacks CONFIG_NET_SCH_INGRESS or
  // CONFIG_NET_CLS_BPF.
  static absl::StatusOr<std::unique_ptr<LossyLoopback>> Make();

  LossyLoopback(const LossyLoopback&) = delete;
  LossyLoopback& operator=(const LossyLoopback&) = delete;
  ~LossyLoopback();

  // Sets whether all packets from an IPv4 address are lost from now on.
  absl::Status SetLost(const ip::Addr& from, bool lost)
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  explicit LossyLoopback(int netlink) : netlink_(netlink) {}
  absl::Status Install() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int netlink_;
  Mutex mutex_;
  std::set<uint32_t> lost_ ABSL_GUARDED_BY(mutex_);  // in host byte order
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_TIMED_LOSSY_LOOPBACK_H_
