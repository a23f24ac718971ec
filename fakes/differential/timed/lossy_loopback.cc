#include "fakes/differential/timed/lossy_loopback.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "syscalls/errors/error.h"
#include "syscalls/mutex.h"
#include "syscalls/net/ip_addr.h"

namespace net::differential {
namespace {

constexpr uint32_t kIngress = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);

// A message of rtnetlink(7) about traffic control of the interface "lo".
class TrafficMessage {
 public:
  TrafficMessage(uint16_t type, uint32_t parent, uint32_t handle,
                 uint32_t info) {
    nlmsghdr header = {};
    header.nlmsg_type = type;
    header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
    tcmsg traffic = {};
    traffic.tcm_family = AF_UNSPEC;
    traffic.tcm_ifindex = static_cast<int>(if_nametoindex("lo"));
    traffic.tcm_parent = parent;
    traffic.tcm_handle = handle;
    traffic.tcm_info = info;
    Add(&header, sizeof(header));
    Add(&traffic, sizeof(traffic));
  }

  // Begins an attribute, and returns its place for End().
  size_t Begin(uint16_t type) {
    const rtattr head = {0, type};
    const size_t place = bytes_.size();
    Add(&head, sizeof(head));
    return place;
  }
  void End(size_t place) {
    const auto length = static_cast<uint16_t>(bytes_.size() - place);
    std::memcpy(&bytes_[place + offsetof(rtattr, rta_len)], &length,
                sizeof(length));
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }
  void Append(uint16_t type, const void* data, size_t size) {
    const size_t place = Begin(type);
    Add(data, size);
    End(place);
  }
  void AppendText(uint16_t type, absl::string_view text) {
    Append(type, std::string(text).c_str(), text.size() + 1);
  }

  // Sends the message and returns the kernel's response. `operation` is for the
  // error.
  absl::Status Send(int netlink, absl::string_view operation) {
    const auto length = static_cast<uint32_t>(bytes_.size());
    std::memcpy(&bytes_[offsetof(nlmsghdr, nlmsg_len)], &length,
                sizeof(length));
    if (send(netlink, bytes_.data(), bytes_.size(), 0) < 0) {
      return ErrnoError(errno, operation);
    }
    // The response has the original message, which may be cut off.
    struct {
      nlmsghdr header;
      nlmsgerr result;
      char more[256];
    } response = {};
    if (recv(netlink, &response, sizeof(response), 0) < 0) {
      return ErrnoError(errno, operation);
    }
    const int error = -response.result.error;
    return error == 0 ? absl::OkStatus() : ErrnoError(error, operation);
  }

 private:
  void Add(const void* data, size_t size) {
    const char* bytes = static_cast<const char*>(data);
    bytes_.insert(bytes_.end(), bytes, bytes + size);
  }

  std::vector<char> bytes_;
};

uint32_t NumberOf(const ip::Addr& addr) {
  uint32_t number = 0;
  for (const uint8_t byte : addr.v4_bytes()) number = number << 8 | byte;
  return number;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LossyLoopback>> LossyLoopback::Make() {
  const int netlink =
      socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (netlink < 0) return ErrnoError(errno, "netlink socket");
  auto made = absl::WrapUnique(new LossyLoopback(netlink));
  TrafficMessage message(RTM_NEWQDISC, TC_H_CLSACT, TC_H_MAKE(TC_H_CLSACT, 0),
                         0);
  message.AppendText(TCA_KIND, "clsact");
  absl::Status status = message.Send(netlink, "add clsact to lo");
  if (!status.ok()) return status;
  return made;
}

LossyLoopback::~LossyLoopback() { close(netlink_); }

absl::Status LossyLoopback::SetLost(const ip::Addr& from, bool lost) {
  const MutexLock lock(mutex_);
  if (lost) {
    lost_.insert(NumberOf(from));
  } else {
    lost_.erase(NumberOf(from));
  }
  return Install();
}

absl::Status LossyLoopback::Install() {
  // The offset in a packet that begins with an Ethernet header, as over "lo".
  constexpr uint32_t kSource = ETH_HLEN + 12;
  std::vector<sock_filter> program = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSource)};
  for (const uint32_t source : lost_) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, source, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT));
  }
  program.push_back(
      BPF_STMT(BPF_RET | BPF_K, static_cast<uint32_t>(TC_ACT_UNSPEC)));

  constexpr uint32_t kPriority = 1;
  TrafficMessage message(RTM_NEWTFILTER, kIngress, /*handle=*/1,
                         TC_H_MAKE(kPriority << 16, htons(ETH_P_ALL)));
  message.AppendText(TCA_KIND, "bpf");
  const size_t options = message.Begin(TCA_OPTIONS);
  const auto length = static_cast<uint16_t>(program.size());
  message.Append(TCA_BPF_OPS_LEN, &length, sizeof(length));
  message.Append(TCA_BPF_OPS, program.data(),
                 program.size() * sizeof(sock_filter));
  constexpr uint32_t kFlags = TCA_BPF_FLAG_ACT_DIRECT;
  message.Append(TCA_BPF_FLAGS, &kFlags, sizeof(kFlags));
  message.End(options);
  return message.Send(netlink_, "set the filter of lo");
}

}  // namespace net::differential
