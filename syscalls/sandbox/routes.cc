#include "syscalls/sandbox/routes.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/ip_addr.h"

namespace net::sandbox {
namespace {

// The length of an address, and of the prefix that stands for it alone.
size_t BytesOf(const ip::Addr& addr) { return addr.is_v4() ? 4 : 16; }

// A message of rtnetlink(7) about the route to all addresses that begin with
// the first `prefix_bytes` of an address.
class RouteMessage {
 public:
  // `route` is complete but for the destination.
  RouteMessage(uint16_t type, uint16_t flags, const rtmsg& route,
               const ip::Addr& addr, size_t prefix_bytes) {
    message_.header.nlmsg_len = NLMSG_LENGTH(sizeof(rtmsg));
    message_.header.nlmsg_type = type;
    message_.header.nlmsg_flags =
        static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    message_.route = route;
    message_.route.rtm_family = static_cast<unsigned char>(addr.family());
    message_.route.rtm_dst_len = static_cast<unsigned char>(prefix_bytes * 8);
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
    Append(type, addr.v6_bytes().data(), BytesOf(addr));
  }

  // Sends the message and returns the kernel's response. `operation` is for the
  // error.
  absl::Status Send(absl::string_view operation) const {
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return ErrnoError(errno, "netlink socket");
    const absl::Cleanup close_fd = [fd] { close(fd); };
    if (send(fd, &message_, message_.header.nlmsg_len, 0) < 0) {
      return ErrnoError(errno, operation);
    }
    struct {
      nlmsghdr header;
      nlmsgerr result;
      char original[sizeof(message_)];
    } acknowledgement = {};
    if (recv(fd, &acknowledgement, sizeof(acknowledgement), 0) < 0) {
      return ErrnoError(errno, operation);
    }
    const int error = -acknowledgement.result.error;
    return error == 0 ? absl::OkStatus() : ErrnoError(error, operation);
  }

 private:
  struct {
    nlmsghdr header;
    rtmsg route;
    char attributes[256];
  } message_ = {};
};

absl::StatusOr<unsigned char> RouteTypeFor(int error) {
  switch (error) {
    case EHOSTUNREACH:
      return RTN_UNREACHABLE;
    case EACCES:
      return RTN_PROHIBIT;
    case EINVAL:
      return RTN_BLACKHOLE;
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("no route makes connect(2) fail with errno ", error));
  }
}

// The kernel's own route to an address of the loopback interface.
rtmsg OwnRoute(const ip::Addr& addr) {
  rtmsg route = {};
  route.rtm_table = RT_TABLE_LOCAL;
  route.rtm_protocol = RTPROT_KERNEL;
  route.rtm_scope = addr.is_v4() ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  route.rtm_type = RTN_LOCAL;
  return route;
}

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

absl::Status SetQuickAckV4(const ip::Addr& addr, size_t prefix_bytes) {
  RouteMessage message(RTM_NEWROUTE, NLM_F_REPLACE, OwnRoute(addr), addr,
                       prefix_bytes);
  AppendLoopback(message);
  message.AppendAddress(RTA_PREFSRC, ip::kLocalV4);  // as the kernel's own has
  AppendQuickAck(message);
  return message.Send("replace a loopback route");
}

// The kernel's own route to ::1 has a priority that no other route can have, so
// it cannot be replaced.
absl::Status SetQuickAckV6(const ip::Addr& addr) {
  RouteMessage away(RTM_DELROUTE, 0, OwnRoute(addr), addr, BytesOf(addr));
  AppendLoopback(away);
  absl::Status status = away.Send("delete a loopback route");
  if (!status.ok()) return status;
  RouteMessage message(RTM_NEWROUTE, NLM_F_CREATE, OwnRoute(addr), addr,
                       BytesOf(addr));
  AppendLoopback(message);
  AppendQuickAck(message);
  return message.Send("add a loopback route");
}

}  // namespace

absl::Status AddFailingRoute(const ip::Addr& addr, int error) {
  const absl::StatusOr<unsigned char> type = RouteTypeFor(error);
  if (!type.ok()) return type.status();
  rtmsg route = {};
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_BOOT;
  route.rtm_scope = RT_SCOPE_UNIVERSE;
  route.rtm_type = *type;
  const RouteMessage message(RTM_NEWROUTE, NLM_F_CREATE, route, addr,
                             BytesOf(addr));
  return message.Send(absl::StrCat("route to ", addr.ToString()));
}

absl::Status SetQuickAckOnLoopback() {
  absl::Status status = SetQuickAckV4(ip::kLocalV4, BytesOf(ip::kLocalV4));
  if (status.ok()) status = SetQuickAckV4(ip::Addr::V4(127, 0, 0, 0), 1);
  if (status.ok()) status = SetQuickAckV6(ip::kLocalV6);
  return status;
}

}  // namespace net::sandbox
