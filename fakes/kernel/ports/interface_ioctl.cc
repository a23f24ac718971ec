#include "fakes/kernel/ports/interface_ioctl.h"

#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/kernel/ports/machine.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {
namespace {

constexpr absl::string_view kLoopbackName = "lo";
constexpr int kLoopbackIndex = 1;
constexpr int kLoopbackMtu = 65536;
constexpr int kLoopbackQueueLength = 1000;

// The request of SIOCGIFNAME and others, without the union's padding.
struct Request {
  char name[IFNAMSIZ];
  union {
    sockaddr addr;
    int16_t flags;
    int value;
  };
};

void PutV4(sockaddr& to, const ip::Addr& addr) {
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  std::memcpy(&v4.sin_addr, addr.v4_bytes().data(), sizeof(v4.sin_addr));
  std::memcpy(&to, &v4, sizeof(to));
}

// The label of an address, for example "lo:1", names the interface "lo" to
// requests that are not about addresses.
absl::string_view InterfaceOf(absl::string_view label) {
  return label.substr(0, label.find(':'));
}

bool IsAboutAddress(uint64_t request) {
  return request == SIOCGIFADDR || request == SIOCGIFDSTADDR ||
         request == SIOCGIFBRDADDR || request == SIOCGIFNETMASK;
}

// Returns an errno, or 0 and the number of the answer's bytes behind the name.
int Answer(const Machine& machine, uint64_t number, Request& request,
           size_t& size) {
  request.name[IFNAMSIZ - 1] = '\0';
  const absl::string_view label(request.name);
  if (InterfaceOf(label) != kLoopbackName) return ENODEV;
  if (IsAboutAddress(number)) {
    if (label != kLoopbackName) return EADDRNOTAVAIL;
    const ip::Addr addr = number == SIOCGIFNETMASK ? ip::Addr::V4(255, 0, 0, 0)
                          : number == SIOCGIFBRDADDR ? ip::kAnyV4
                                                     : ip::kLocalV4;
    PutV4(request.addr, addr);
    size = sizeof(request.addr);
    return 0;
  }
  size = sizeof(request.value);
  switch (number) {
    case SIOCGIFFLAGS:
      request.flags = static_cast<int16_t>(
          machine.loopback_up() ? IFF_UP | IFF_LOOPBACK | IFF_RUNNING
                                : IFF_LOOPBACK);
      size = sizeof(request.flags);
      return 0;
    case SIOCGIFHWADDR:
      request.addr = {};
      request.addr.sa_family = ARPHRD_LOOPBACK;
      size = sizeof(request.addr.sa_family) + 6;  // An Ethernet address.
      return 0;
    case SIOCGIFINDEX:
      request.value = kLoopbackIndex;
      return 0;
    case SIOCGIFMTU:
      request.value = kLoopbackMtu;
      return 0;
    case SIOCGIFTXQLEN:
      request.value = kLoopbackQueueLength;
      return 0;
    default:  // SIOCGIFMETRIC
      request.value = 0;
      return 0;
  }
}

bool IsKnown(int domain, uint64_t request) {
  switch (request) {
    case SIOCGIFFLAGS:
    case SIOCGIFHWADDR:
    case SIOCGIFINDEX:
    case SIOCGIFMETRIC:
    case SIOCGIFMTU:
    case SIOCGIFTXQLEN:
      return true;
    default:
      return domain == AF_INET && IsAboutAddress(request);
  }
}

int ReadInterface(const Machine& machine, uint64_t number, void* argument) {
  Request request = {};
  if (!CopyIn(&request, argument, sizeof(ifreq::ifr_name))) return EFAULT;
  size_t size = 0;
  const int error = Answer(machine, number, request, size);
  if (error != 0) return error;
  return CopyOut(argument, &request, offsetof(Request, addr) + size) ? 0
                                                                     : EFAULT;
}

int ReadName(void* argument) {
  ifreq request = {};
  if (!CopyIn(&request, argument, sizeof(request))) return EFAULT;
  if (request.ifr_ifindex != kLoopbackIndex) return ENODEV;
  std::memcpy(request.ifr_name, "lo", sizeof("lo"));
  return CopyOut(argument, &request, sizeof(request)) ? 0 : EFAULT;
}

// Lists the IPv4 addresses, each with its interface: as many as there is room
// for. Without a buffer, returns the size that is needed.
int ReadConfiguration(const Machine& machine, void* argument) {
  ifconf list = {};
  if (!CopyIn(&list, argument, sizeof(list))) return EFAULT;
  std::vector<ip::Addr> addresses = {ip::kLocalV4};
  for (const ip::Addr& addr : machine.addresses()) {
    if (addr.is_v4()) addresses.push_back(addr);
  }
  const size_t room =
      list.ifc_len < 0 ? 0 : static_cast<size_t>(list.ifc_len) / sizeof(ifreq);
  size_t count = addresses.size();
  if (list.ifc_req != nullptr) {
    count = std::min(count, room);
    for (size_t i = 0; i < count; ++i) {
      ifreq entry = {};
      std::memcpy(entry.ifr_name, "lo", sizeof("lo"));
      PutV4(entry.ifr_addr, addresses[i]);
      if (!CopyOut(list.ifc_req + i, &entry, sizeof(entry))) return EFAULT;
    }
  }
  list.ifc_len = static_cast<int>(count * sizeof(ifreq));
  return CopyOut(argument, &list, sizeof(list)) ? 0 : EFAULT;
}

}  // namespace

std::optional<int> InterfaceIoctl(const Machine& machine, int domain,
                                  uint64_t request, void* argument) {
  if (request == SIOCGIFCONF) return ReadConfiguration(machine, argument);
  if (request == SIOCGIFNAME) return ReadName(argument);
  if (IsKnown(domain, request)) {
    return ReadInterface(machine, request, argument);
  }
  return std::nullopt;
}

}  // namespace net::fake
