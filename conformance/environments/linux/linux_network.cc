#include "conformance/environments/linux/linux_network.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "conformance/environments/linux/harness_error.h"
#include "conformance/suite/harness_error.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/ip_addr.h"

namespace net::conformance {
namespace {

void WriteFile(const std::string& path, absl::string_view text) {
  const int fd = CheckedFd(open(path.c_str(), O_WRONLY | O_CLOEXEC), path);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  Checked(write(fd, text.data(), text.size()), path);
}

// In a new user namespace the process is root, and nobody else is known.
void MapToRoot(uid_t uid, gid_t gid) {
  WriteFile("/proc/self/setgroups", "deny");
  WriteFile("/proc/self/uid_map", absl::StrCat("0 ", uid, " 1"));
  WriteFile("/proc/self/gid_map", absl::StrCat("0 ", gid, " 1"));
}

// Throws HarnessError where it fails. Then the process may be in the new
// namespaces, but without rights there, and cannot come back.
void MoveToOwnNetwork() {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (unshare(CLONE_NEWNET) != 0) {
    Checked(unshare(CLONE_NEWUSER | CLONE_NEWNET), "unshare");
    MapToRoot(uid, gid);
  }
  SetLoopback(true);
}

// Tries it in a child. Returns why it fails; nullopt if it does not.
std::optional<std::string> TryOwnNetwork() {
  std::array<int, 2> pipe_fds = {};
  Checked(pipe2(pipe_fds.data(), O_CLOEXEC), "pipe2");
  const auto child = static_cast<pid_t>(Checked(fork(), "fork"));
  if (child == 0) {
    std::string why;
    try {
      MoveToOwnNetwork();
    } catch (const HarnessError& e) {
      why = e.what();
    }
    const bool is_written = write(pipe_fds[1], why.data(), why.size()) ==
                            static_cast<ssize_t>(why.size());
    _exit(is_written && why.empty() ? 0 : 1);
  }
  close(pipe_fds[1]);
  const absl::Cleanup close_pipe = [&] { close(pipe_fds[0]); };
  // Shorter than a pipe's atomic writes are.
  std::array<char, 512> why = {};
  const auto size = static_cast<size_t>(
      Checked(read(pipe_fds[0], why.data(), why.size()), "read"));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status == 0) return std::nullopt;
  return absl::StrCat("no network namespace of its own: ",
                      absl::string_view(why.data(), size));
}

unsigned char RouteTypeFor(int error) {
  switch (error) {
    case EHOSTUNREACH:
      return RTN_UNREACHABLE;
    case EACCES:
      return RTN_PROHIBIT;
    case EINVAL:
      return RTN_BLACKHOLE;
    default:
      throw HarnessError(absl::StrCat("no route answers errno ", error));
  }
}

struct RouteRequest {
  nlmsghdr header;
  rtmsg route;
  rtattr destination;
  ip::Addr::V6Bytes address;
};

RouteRequest MakeRouteRequest(const ip::Addr& addr, int error) {
  const size_t size = addr.is_v4() ? 4 : 16;
  RouteRequest request = {};
  request.header.nlmsg_len =
      static_cast<uint32_t>(offsetof(RouteRequest, address) + size);
  request.header.nlmsg_type = RTM_NEWROUTE;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
  request.route.rtm_family = static_cast<unsigned char>(addr.family());
  request.route.rtm_dst_len = static_cast<unsigned char>(size * 8);
  request.route.rtm_table = RT_TABLE_MAIN;
  request.route.rtm_protocol = RTPROT_BOOT;
  request.route.rtm_scope = RT_SCOPE_UNIVERSE;
  request.route.rtm_type = RouteTypeFor(error);
  request.destination.rta_type = RTA_DST;
  request.destination.rta_len = static_cast<uint16_t>(RTA_LENGTH(size));
  std::memcpy(request.address.data(), addr.v6_bytes().data(), size);
  return request;
}

}  // namespace

std::optional<std::string> LacksOwnNetwork() {
  static const std::optional<std::string> lacks = TryOwnNetwork();
  return lacks;
}

std::optional<std::string> EnterOwnNetwork() {
  if (auto lacks = LacksOwnNetwork()) return lacks;
  MoveToOwnNetwork();
  return std::nullopt;
}

std::optional<std::string> EnterNetworkOf(pid_t pid) {
  const auto is_shared = [pid](absl::string_view kind) {
    struct stat own = {};
    struct stat other = {};
    const std::string path = absl::StrCat("/proc/", pid, "/ns/", kind);
    Checked(stat(absl::StrCat("/proc/self/ns/", kind).c_str(), &own), "stat");
    Checked(stat(path.c_str(), &other), path);
    return own.st_ino == other.st_ino;
  };
  if (is_shared("net")) return "the driver shares the runner's network";
  const int pidfd = CheckedFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)),
                              "pidfd_open");
  const absl::Cleanup close_pidfd = [pidfd] { close(pidfd); };
  Checked(setns(pidfd, is_shared("user") ? CLONE_NEWNET
                                         : CLONE_NEWUSER | CLONE_NEWNET),
          "setns");
  return std::nullopt;
}

void SetLoopback(bool up) {
  const int fd = CheckedFd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                           "socket for interface flags");
  const absl::Cleanup close_fd = [fd] { close(fd); };
  ifreq request = {};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  Checked(ioctl(fd, SIOCGIFFLAGS, &request), "SIOCGIFFLAGS lo");
  const int flags =
      up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
  request.ifr_flags = static_cast<int16_t>(flags);
  Checked(ioctl(fd, SIOCSIFFLAGS, &request), "SIOCSIFFLAGS lo");
}

void WriteSysctl(absl::string_view name, absl::string_view value) {
  WriteFile(absl::StrCat("/proc/sys/", absl::StrReplaceAll(name, {{".", "/"}})),
            value);
}

void AddFailingRoute(const ip::Addr& addr, int error) {
  const RouteRequest request = MakeRouteRequest(addr, error);
  const int fd =
      CheckedFd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
                "netlink socket");
  const absl::Cleanup close_fd = [fd] { close(fd); };
  Checked(send(fd, &request, request.header.nlmsg_len, 0), "RTM_NEWROUTE");
  struct {
    nlmsghdr header;
    nlmsgerr answer;
    char original[sizeof(RouteRequest)];
  } acknowledgement = {};
  Checked(recv(fd, &acknowledgement, sizeof(acknowledgement), 0),
          "RTM_NEWROUTE");
  errno = -acknowledgement.answer.error;
  Checked(acknowledgement.answer.error,
          absl::StrCat("route to ", addr.ToString()));
}

}  // namespace net::conformance
