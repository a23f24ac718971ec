#include "fakes/differential/program.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "absl/strings/string_view.h"

namespace net::differential {

absl::string_view HostText(Host host) {
  switch (host) {
    case Host::kLocalV4:
    case Host::kUnspecLocal:
      return "127.0.0.1";
    case Host::kOtherV4:
      return "127.0.0.2";
    case Host::kAnyV4:
    case Host::kUnspec:
    case Host::kNull:
      return "0.0.0.0";
    case Host::kBroadcastV4:
      return "127.255.255.255";
    case Host::kNotLocalV4:
      return "192.0.2.1";
    case Host::kLocalV6:
      return "::1";
    case Host::kAnyV6:
      return "::";
    case Host::kMappedLocal:
      return "::ffff:127.0.0.1";
    case Host::kMappedAny:
      return "::ffff:0.0.0.0";
    case Host::kNotLocalV6:
      return "2001:db8::1";
  }
  return "0.0.0.0";
}

bool IsLinger(int level, int name) {
  return level == SOL_SOCKET && name == SO_LINGER;
}

bool IsTimeout(int level, int name) {
  return level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

bool IsTcpInfo(int level, int name) {
  return level == IPPROTO_TCP && name == TCP_INFO;
}

}  // namespace net::differential
