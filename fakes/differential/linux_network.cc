#include "fakes/differential/linux_network.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "fakes/kernel/sysctls.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/ip_addr.h"

namespace net::differential {
namespace {

absl::Status WriteFile(const std::string& path, absl::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoError(errno, absl::StrCat("open ", path));
  const absl::Cleanup close_fd = [fd] { close(fd); };
  if (write(fd, text.data(), text.size()) < 0) {
    return ErrnoError(errno, absl::StrCat("write ", path));
  }
  return absl::OkStatus();
}

absl::Status WriteSysctl(absl::string_view name, absl::string_view value) {
  return WriteFile(
      absl::StrCat("/proc/sys/", absl::StrReplaceAll(name, {{".", "/"}})),
      value);
}

std::string Text(const FakeSysctls::Memory& memory) {
  return absl::StrCat(memory.min, " ", memory.initial, " ", memory.max);
}

// net.core.rmem_max and wmem_max belong to the machine and stay unchanged.
// tcp_no_metrics_save: the metrics of a connection would otherwise outlive its
// program.
absl::Status WriteSysctls(const FakeSysctls& s) {
  const std::vector<std::pair<absl::string_view, std::string>> all = {
      {"net.core.somaxconn", absl::StrCat(s.somaxconn)},
      {"net.ipv4.ip_local_port_range",
       absl::StrCat(s.ip_local_port_range.first, " ",
                    s.ip_local_port_range.last)},
      {"net.ipv4.ip_unprivileged_port_start",
       absl::StrCat(s.ip_unprivileged_port_start)},
      {"net.ipv4.tcp_syn_retries", absl::StrCat(s.tcp_syn_retries)},
      {"net.ipv4.tcp_fin_timeout", absl::StrCat(s.tcp_fin_timeout)},
      {"net.ipv4.tcp_tw_reuse", absl::StrCat(s.tcp_tw_reuse)},
      {"net.ipv4.tcp_rmem", Text(s.tcp_rmem)},
      {"net.ipv4.tcp_wmem", Text(s.tcp_wmem)},
      {"net.ipv4.tcp_keepalive_time", absl::StrCat(s.tcp_keepalive_time)},
      {"net.ipv4.tcp_keepalive_intvl", absl::StrCat(s.tcp_keepalive_intvl)},
      {"net.ipv4.tcp_keepalive_probes", absl::StrCat(s.tcp_keepalive_probes)},
      {"net.ipv6.bindv6only", s.bindv6only ? "1" : "0"},
      {"net.ipv4.tcp_no_metrics_save", "1"},
  };
  for (const auto& [name, value] : all) {
    if (absl::Status status = WriteSysctl(name, value); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status SetLoopbackUp() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return ErrnoError(errno, "socket for interface flags");
  const absl::Cleanup close_fd = [fd] { close(fd); };
  ifreq request = {};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP;
  if (ioctl(fd, SIOCSIFFLAGS, &request) != 0) {
    return ErrnoError(errno, "SIOCSIFFLAGS lo");
  }
  return absl::OkStatus();
}

// A message of rtnetlink(7) about a route to local addresses.
class RouteMessage {
 public:
  RouteMessage(uint16_t type, uint16_t flags, const ip::Addr& addr,
               size_t prefix_bytes) {
    message_.header.nlmsg_len = NLMSG_LENGTH(sizeof(rtmsg));
    message_.header.nlmsg_type = type;
    message_.header.nlmsg_flags =
        static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    message_.route.rtm_family = static_cast<unsigned char>(addr.family());
    message_.route.rtm_dst_len = static_cast<unsigned char>(prefix_bytes * 8);
    message_.route.rtm_table = RT_TABLE_LOCAL;
    message_.route.rtm_protocol = RTPROT_KERNEL;
    message_.route.rtm_scope = addr.is_v4() ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
    message_.route.rtm_type = RTN_LOCAL;
    AppendAddress(RTA_DST, addr);
  }

  void Append(uint16_t type, const void* data, size_t size) {
    const size_t at = NLMSG_ALIGN(message_.header.nlmsg_len);
    const rtattr head = {static_cast<uint16_t>(RTA_LENGTH(size)), type};
    char* start = reinterpret_cast<char*>(&message_) + at;
    std::memcpy(start, &head, sizeof(head));
    std::memcpy(start + RTA_LENGTH(0), data, size);
    message_.header.nlmsg_len =
        static_cast<uint32_t>(at + RTA_ALIGN(head.rta_len));
  }

  // An IPv4 address uses the first four bytes.
  void AppendAddress(uint16_t type, const ip::Addr& addr) {
    Append(type, addr.v6_bytes().data(), addr.is_v4() ? 4 : 16);
  }

  // Sends the message and returns the kernel's response.
  absl::Status Send(int fd) const {
    if (send(fd, &message_, message_.header.nlmsg_len, 0) < 0) {
      return ErrnoError(errno, "send a route");
    }
    struct {
      nlmsghdr header;
      nlmsgerr answer;
      char original[sizeof(message_)];
    } reply = {};
    if (recv(fd, &reply, sizeof(reply), 0) < 0) {
      return ErrnoError(errno, "receive a route's answer");
    }
    if (reply.answer.error != 0) {
      return ErrnoError(-reply.answer.error, "change a loopback route");
    }
    return absl::OkStatus();
  }

 private:
  struct {
    nlmsghdr header;
    rtmsg route;
    char attributes[256];
  } message_ = {};
};

void AppendLoopback(RouteMessage& message) {
  const uint32_t index = if_nametoindex("lo");
  message.Append(RTA_OIF, &index, sizeof(index));
}

void AppendQuickAck(RouteMessage& message) {
  struct {
    rtattr head = {RTA_LENGTH(sizeof(uint32_t)), RTAX_QUICKACK};
    uint32_t value = 1;
  } metric;
  message.Append(RTA_METRICS, &metric, sizeof(metric));
}

absl::Status QuickAckV4(int fd, const ip::Addr& addr, size_t prefix_bytes) {
  RouteMessage message(RTM_NEWROUTE, NLM_F_REPLACE, addr, prefix_bytes);
  AppendLoopback(message);
  message.AppendAddress(RTA_PREFSRC, ip::kLocalV4);  // As in the kernel's own
                                                     // route.
  AppendQuickAck(message);
  return message.Send(fd);
}

// The kernel's own route to ::1 has a priority that no other route can have, so
// it cannot be replaced.
absl::Status QuickAckV6(int fd, const ip::Addr& addr) {
  RouteMessage away(RTM_DELROUTE, 0, addr, 16);
  AppendLoopback(away);
  if (absl::Status status = away.Send(fd); !status.ok()) return status;
  RouteMessage message(RTM_NEWROUTE, NLM_F_CREATE, addr, 16);
  AppendLoopback(message);
  AppendQuickAck(message);
  return message.Send(fd);
}

absl::Status SetQuickAckRoutes() {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return ErrnoError(errno, "netlink socket");
  const absl::Cleanup close_fd = [fd] { close(fd); };
  absl::Status status = QuickAckV4(fd, ip::kLocalV4, 4);
  if (status.ok()) status = QuickAckV4(fd, ip::Addr::V4(127, 0, 0, 0), 1);
  if (status.ok()) status = QuickAckV6(fd, ip::kLocalV6);
  return status;
}

// Makes the process root in a new user namespace, which has no other user.
absl::Status EnterUserNamespace() {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return ErrnoError(errno, "unshare: no network namespace of its own");
  }
  absl::Status status = WriteFile("/proc/self/setgroups", "deny");
  if (status.ok()) {
    status = WriteFile("/proc/self/uid_map", absl::StrCat("0 ", uid, " 1"));
  }
  if (status.ok()) {
    status = WriteFile("/proc/self/gid_map", absl::StrCat("0 ", gid, " 1"));
  }
  return status;
}

}  // namespace

absl::Status EnterNewNetwork(const FakeSysctls& sysctls) {
  if (unshare(CLONE_NEWNET) != 0) {
    if (absl::Status status = EnterUserNamespace(); !status.ok()) return status;
  }
  absl::Status status = SetLoopbackUp();
  if (status.ok()) status = SetQuickAckRoutes();
  if (status.ok()) status = WriteSysctls(sysctls);
  return status;
}

namespace {

struct Capabilities {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

  bool Get() { return syscall(SYS_capget, &header, data) == 0; }
  bool Set() { return syscall(SYS_capset, &header, data) == 0; }
};

}  // namespace

bool DropPrivileges() {
  Capabilities now;
  if (!now.Get()) return false;
  for (__user_cap_data_struct& part : now.data) part.effective = 0;
  return now.Set();
}

bool RestorePrivileges() {
  Capabilities now;
  if (!now.Get()) return false;
  for (__user_cap_data_struct& part : now.data) part.effective = part.permitted;
  return now.Set();
}

}  // namespace net::differential
