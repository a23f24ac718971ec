#include "fakes/kernel/options/option_sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/sandbox/sysctl.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::fake {
namespace {

[[noreturn]] void Die(const char* call) {
  std::perror(call);
  std::abort();
}

int NewSocket(int family) {
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) Die("socket");
  return fd;
}

void BindToLoopback(int fd, int family) {
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  const void* name = &v4;
  socklen_t size = sizeof(v4);
  if (family == AF_INET6) {
    name = &v6;
    size = sizeof(v6);
  }
  if (bind(fd, static_cast<const sockaddr*>(name), size) != 0) Die("bind");
}

void ReadSysctl(absl::string_view name, FakeSysctls& sysctls) {
  const auto text = sandbox::ReadSysctl(name);
  if (!text.ok() || !sysctls.Set(name, *text)) Die(std::string(name).c_str());
}

}  // namespace

absl::string_view StageName(Stage stage) {
  switch (stage) {
    case Stage::kFresh:
      return "Fresh";
    case Stage::kBound:
      return "Bound";
    case Stage::kListening:
      return "Listening";
    case Stage::kConnected:
      return "Connected";
    case Stage::kAccepted:
      return "Accepted";
  }
  return "?";
}

bool HasConnection(Stage stage) {
  return stage == Stage::kConnected || stage == Stage::kAccepted;
}

std::ostream& operator<<(std::ostream& os, const GetResult& result) {
  os << (result.error == 0 ? "0" : ErrnoSymbol(result.error)) << " size "
     << result.size << " value";
  for (const char byte : result.value) {
    os << absl::StrCat(" ",
                       absl::Hex(static_cast<uint8_t>(byte), absl::kZeroPad2));
  }
  return os;
}

GetResult OptionSocket::Call(int level, int name, socklen_t size, bool null) {
  std::array<char, 1024> room;
  room.fill('\xee');
  GetResult result;
  result.size = size;
  result.error =
      Get(level, name, null ? nullptr : room.data(), &result.size).error();
  if (result.error == 0 && !null && result.size <= room.size()) {
    result.value.assign(room.data(), result.size);
  }
  return result;
}

LinuxSocket::LinuxSocket(int family, Stage stage) : fd_(NewSocket(family)) {
  if (stage == Stage::kFresh) return;
  if (HasConnection(stage)) {
    MakeConnection(family, stage);
    return;
  }
  BindToLoopback(fd_, family);
  if (stage == Stage::kListening && listen(fd_, 5) != 0) Die("listen");
}

LinuxSocket::~LinuxSocket() {
  // A reset leaves nothing in TIME-WAIT.
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(fd_);
  if (other_ >= 0) close(other_);
}

SysResult LinuxSocket::Set(int level, int name, const void* value,
                           socklen_t size) {
  return DefaultSyscalls().SetSockOpt(fd_, level, name, value, size);
}

SysResult LinuxSocket::Get(int level, int name, void* value, socklen_t* size) {
  return DefaultSyscalls().GetSockOpt(fd_, level, name, value, size);
}

uint16_t LinuxSocket::port() const {
  sockaddr_in6 name = {};
  socklen_t size = sizeof(name);
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    Die("getsockname");
  }
  return ntohs(name.sin6_port);  // sockaddr_in has it at the same offset.
}

void LinuxSocket::MakeConnection(int family, Stage stage) {
  const int listener = NewSocket(family);
  BindToLoopback(listener, family);
  if (listen(listener, 5) != 0) Die("listen");
  sockaddr_storage name = {};
  socklen_t size = sizeof(name);
  auto* const address = reinterpret_cast<sockaddr*>(&name);
  if (getsockname(listener, address, &size) != 0) Die("getsockname");
  if (connect(fd_, address, size) != 0) Die("connect");
  other_ = accept(listener, nullptr, nullptr);
  if (other_ < 0) Die("accept");
  close(listener);
  if (stage == Stage::kAccepted) std::swap(fd_, other_);
}

HostSettings ReadHostSettings() {
  HostSettings settings;
  for (const absl::string_view name :
       {"net.core.somaxconn", "net.core.rmem_max", "net.core.wmem_max",
        "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "net.ipv4.tcp_syn_retries",
        "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.ip_default_ttl", "net.ipv4.tcp_rto_max_ms",
        "net.ipv4.tcp_rto_min_us", "net.ipv4.tcp_fastopen",
        "net.ipv6.bindv6only", "net.ipv6.conf.default.hop_limit"}) {
    ReadSysctl(name, settings.sysctls);
  }
  LinuxSocket socket(AF_INET, Stage::kFresh);
  const auto may = [&](int level, int name) {
    const int value = 1;
    return socket.Set(level, name, &value, sizeof(value)).ok();
  };
  settings.net_admin = may(SOL_SOCKET, SO_MARK);
  settings.net_raw = may(IPPROTO_IP, IP_TRANSPARENT);
  settings.host_admin = may(SOL_SOCKET, SO_RCVBUFFORCE);
  return settings;
}

ModelSocket::ModelSocket(int family, Stage stage, uint16_t port,
                         const HostSettings& settings)
    : family_(family),
      stage_(stage),
      settings_(settings),
      options_(family, settings.sysctls) {
  source_.local_port = port;
  // bind(2) to ::1 sets IPV6_V6ONLY, and connections inherit it.
  if (family == AF_INET6 && stage != Stage::kFresh &&
      stage != Stage::kConnected) {
    options_.set_v6only(true);
  }
  if (!HasConnection(stage)) return;
  if (stage == Stage::kAccepted) {
    options_ = options_.ForAccepted(family == AF_INET6);
  }
  options_.OnEstablished(settings.sysctls);
  source_.path_mtu = 65536;
  source_.peer_size =
      family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

SysResult ModelSocket::Set(int level, int name, const void* value,
                           socklen_t size) {
  return options_.Set(*this, level, name, value, size);
}

SysResult ModelSocket::Get(int level, int name, void* value, socklen_t* size) {
  return options_.Get(*this, level, name, value, size);
}

TcpState ModelSocket::state() const {
  if (HasConnection(stage_)) return TcpState::kEstablished;
  return stage_ == Stage::kListening ? TcpState::kListen : TcpState::kClosed;
}

bool IsMeasuredKernel() {
  utsname name = {};
  int major = 0;
  int minor = 0;
  if (uname(&name) != 0) return false;
  if (std::sscanf(name.release, "%d.%d", &major, &minor) != 2) return false;
  LinuxSocket socket(AF_INET, Stage::kFresh);
  const timeval shortest = {.tv_sec = 0, .tv_usec = 1};
  timeval rounded = {};
  socklen_t size = sizeof(rounded);
  const bool asked =
      socket.Set(SOL_SOCKET, SO_RCVTIMEO, &shortest, sizeof(shortest)).ok() &&
      socket.Get(SOL_SOCKET, SO_RCVTIMEO, &rounded, &size).ok();
  return asked && rounded.tv_usec == 4000 && major == 6 && minor == 18;
}

}  // namespace net::fake
