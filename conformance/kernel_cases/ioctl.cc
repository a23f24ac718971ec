// ioctl(2) on sockets.

#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "absl/strings/string_view.h"
#include "conformance/kernel_cases/file_commands.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;

// Requests of ioctl(2).
using Requests = std::initializer_list<uint64_t>;

// ---- The owner --------------------------------------------------------------

void OwnerByIoctl(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const uint64_t request : Requests{FIOSETOWN, SIOCSPGRP}) {
    int who = getpid();
    EXPECT_THAT(IoctlAt(socket, request, who), IsOk());
    EXPECT_THAT(Ask(socket, SIOCGPGRP), IsOkAndHolds(getpid()));
    who = kNobody;
    EXPECT_THAT(IoctlAt(socket, request, who), IsErrno(ESRCH));
    EXPECT_THAT(c.sys().Ioctl(socket.fd(), request, 0), IsErrno(EFAULT));
    who = 0;
    EXPECT_THAT(IoctlAt(socket, request, who), IsOk());
    EXPECT_THAT(Ask(socket, FIOGETOWN), IsOkAndHolds(0));
  }
}

void OwnerIsForSockets(Context& c) {
  std::array<int, 2> fds = {};
  ASSERT_THAT(c.sys().Pipe2(fds.data(), O_CLOEXEC), IsOk());
  const RawSocket reader(fds[0], c.sys());
  const RawSocket writer(fds[1], c.sys());
  int who = 0;
  EXPECT_THAT(IoctlAt(reader, FIOSETOWN, who), IsErrno(ENOTTY));
  EXPECT_THAT(IoctlAt(reader, SIOCGPGRP, who), IsErrno(ENOTTY));
  EXPECT_THAT(Fcntl(reader, F_SETOWN, getpid()), IsOk());
  EXPECT_THAT(Fcntl(reader, F_GETOWN), IsOkAndHolds(getpid()));
}

void Async(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  int on = 1;
  EXPECT_THAT(IoctlAt(socket, FIOASYNC, on), IsOk());
  EXPECT_THAT(Fcntl(socket, F_GETFL), IsOkAndHolds(O_RDWR | O_ASYNC));
  on = 0;
  EXPECT_THAT(IoctlAt(socket, FIOASYNC, on), IsOk());
  EXPECT_THAT(Fcntl(socket, F_GETFL), IsOkAndHolds(O_RDWR));
  EXPECT_THAT(c.sys().Ioctl(socket.fd(), FIOASYNC, 0), IsErrno(EFAULT));
}

void AsyncOfEventFd(Context& c) {
  const SysResult made = c.sys().EventFd(0, EFD_CLOEXEC);
  ASSERT_THAT(made, IsOk());
  const RawSocket counter(made.fd(), c.sys());
  int on = 0;
  EXPECT_THAT(IoctlAt(counter, FIOASYNC, on), IsOk());
  on = 1;
  EXPECT_THAT(IoctlAt(counter, FIOASYNC, on), IsErrno(ENOTTY));
}

// ---- Stamps and interfaces --------------------------------------------------

void NoStamp(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Send("x"), IsOkAndHolds(1));
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds("x"));
  for (const uint64_t request : Requests{SIOCGSTAMP_OLD, SIOCGSTAMPNS_OLD}) {
    EXPECT_THAT(c.sys().Ioctl(pair.client.fd(), request, 0), IsErrno(ENOENT));
  }
}

ifreq RequestFor(absl::string_view name) {
  ifreq request;
  std::memset(&request, 0xee, sizeof(request));
  std::memset(request.ifr_name, 0, sizeof(request.ifr_name));
  std::memcpy(request.ifr_name, name.data(), name.size());
  return request;
}

void InterfaceValues(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ifreq index = RequestFor("lo");
  EXPECT_THAT(IoctlAt(socket, SIOCGIFINDEX, index), IsOk());
  EXPECT_EQ(index.ifr_ifindex, 1);
  ifreq flags = RequestFor("lo");
  EXPECT_THAT(IoctlAt(socket, SIOCGIFFLAGS, flags), IsOk());
  EXPECT_EQ(flags.ifr_flags, IFF_UP | IFF_LOOPBACK | IFF_RUNNING);
  ifreq mtu = RequestFor("lo");
  EXPECT_THAT(IoctlAt(socket, SIOCGIFMTU, mtu), IsOk());
  EXPECT_EQ(mtu.ifr_mtu, 65536);
  ifreq metric = RequestFor("lo");
  EXPECT_THAT(IoctlAt(socket, SIOCGIFMETRIC, metric), IsOk());
  EXPECT_EQ(metric.ifr_metric, 0);
  ifreq hardware = RequestFor("lo");
  EXPECT_THAT(IoctlAt(socket, SIOCGIFHWADDR, hardware), IsOk());
  EXPECT_EQ(hardware.ifr_hwaddr.sa_family, ARPHRD_LOOPBACK);
  ifreq queue = RequestFor("lo");
  EXPECT_THAT(IoctlAt(socket, SIOCGIFTXQLEN, queue), IsOk());
  EXPECT_EQ(queue.ifr_qlen, 1000);
}

void InterfaceLabel(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ifreq label = RequestFor("lo:1");
  EXPECT_THAT(IoctlAt(socket, SIOCGIFINDEX, label), IsOk());
  EXPECT_EQ(label.ifr_ifindex, 1);
  if (c.v6()) return;
  EXPECT_THAT(IoctlAt(socket, SIOCGIFADDR, label), IsErrno(EADDRNOTAVAIL));
}

void UnknownInterface(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const absl::string_view name : {"nosuch", "", "LO", "lo0"}) {
    for (const uint64_t request :
         Requests{SIOCGIFINDEX, SIOCGIFFLAGS, SIOCGIFMTU, SIOCGIFHWADDR}) {
      ifreq unknown = RequestFor(name);
      EXPECT_THAT(IoctlAt(socket, request, unknown), IsErrno(ENODEV));
    }
  }
  ifreq number = RequestFor("");
  number.ifr_ifindex = 9;
  EXPECT_THAT(IoctlAt(socket, SIOCGIFNAME, number), IsErrno(ENODEV));
}

void InterfaceArguments(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const uint64_t request : Requests{SIOCGIFINDEX, SIOCGIFFLAGS, SIOCGIFMTU,
                                         SIOCGIFNAME, SIOCGIFCONF}) {
    EXPECT_THAT(c.sys().Ioctl(socket.fd(), request, 0), IsErrno(EFAULT));
  }
  std::array<int, 2> fds = {};
  ASSERT_THAT(c.sys().Pipe2(fds.data(), O_CLOEXEC), IsOk());
  const RawSocket reader(fds[0], c.sys());
  const RawSocket writer(fds[1], c.sys());
  ifreq lo = RequestFor("lo");
  EXPECT_THAT(IoctlAt(reader, SIOCGIFINDEX, lo), IsErrno(ENOTTY));
}

void InterfaceName(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ifreq request = RequestFor("");
  request.ifr_ifindex = 1;
  EXPECT_THAT(IoctlAt(socket, SIOCGIFNAME, request), IsOk());
  EXPECT_STREQ(request.ifr_name, "lo");
}

in_addr_t AddrOf(const sockaddr& addr) {
  sockaddr_in v4 = {};
  std::memcpy(&v4, &addr, sizeof(v4));
  return ntohl(v4.sin_addr.s_addr);
}

void InterfaceAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const std::vector<std::pair<uint64_t, in_addr_t>> answers = {
      {SIOCGIFADDR, INADDR_LOOPBACK},
      {SIOCGIFDSTADDR, INADDR_LOOPBACK},
      {SIOCGIFBRDADDR, INADDR_ANY},
      {SIOCGIFNETMASK, 0xff000000}};
  for (const auto& [request, addr] : answers) {
    ifreq lo = RequestFor("lo");
    if (c.v6()) {
      EXPECT_THAT(IoctlAt(socket, request, lo), IsErrno(ENOTTY));
      continue;
    }
    EXPECT_THAT(IoctlAt(socket, request, lo), IsOk());
    EXPECT_EQ(lo.ifr_addr.sa_family, AF_INET);
    EXPECT_EQ(AddrOf(lo.ifr_addr), addr);
  }
}

void InterfaceList(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  std::array<ifreq, 4> entries = {};
  ifconf list = {};
  list.ifc_len = sizeof(entries);
  list.ifc_req = entries.data();
  EXPECT_THAT(IoctlAt(socket, SIOCGIFCONF, list), IsOk());
  EXPECT_EQ(list.ifc_len, static_cast<int>(sizeof(ifreq)));
  EXPECT_STREQ(entries[0].ifr_name, "lo");
  EXPECT_EQ(AddrOf(entries[0].ifr_addr), INADDR_LOOPBACK);
}

void InterfaceListRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  std::array<ifreq, 2> entries = {};
  for (const int room : {0, 39, -1}) {
    ifconf list = {};
    list.ifc_len = room;
    list.ifc_req = entries.data();
    EXPECT_THAT(IoctlAt(socket, SIOCGIFCONF, list), IsOk());
    EXPECT_EQ(list.ifc_len, 0);
  }
  ifconf question = {};
  EXPECT_THAT(IoctlAt(socket, SIOCGIFCONF, question), IsOk());
  EXPECT_EQ(question.ifc_len, static_cast<int>(sizeof(ifreq)));
}

}  // namespace

const std::vector<Case>& IoctlKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.ioctl.owner",
       .requirement = "FIOSETOWN and SIOCSPGRP must set the owner of a socket.",
       .source = "socket(7), Ioctls",
       .run = &OwnerByIoctl},
      {.id = "kernel.ioctl.owner.pipe",
       .requirement = "FIOSETOWN must fail with ENOTTY on a pipe, whose owner "
                      "F_SETOWN sets.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &OwnerIsForSockets},
      {.id = "kernel.ioctl.async",
       .requirement = "FIOASYNC must set and clear O_ASYNC.",
       .source = "socket(7), Ioctls",
       .run = &Async},
      {.id = "kernel.ioctl.async.eventfd",
       .requirement =
           "FIOASYNC must fail with ENOTTY when it would set O_ASYNC "
           "of an eventfd.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &AsyncOfEventFd},
      {.id = "kernel.ioctl.stamp",
       .requirement = "SIOCGSTAMP must fail with ENOENT on a TCP socket.",
       .source = "socket(7), Ioctls; measured on Linux 6.18",
       .run = &NoStamp},
      {.id = "kernel.ioctl.interface.values",
       .requirement = "A socket must return the index, flags, MTU, metric, "
                      "hardware address and queue length of the loopback "
                      "interface.",
       .source = "netdevice(7)",
       .needs = Need::kOwnNetwork,
       .run = &InterfaceValues},
      {.id = "kernel.ioctl.interface.label",
       .requirement = "The label of an address must name its interface, and "
                      "SIOCGIFADDR must fail with EADDRNOTAVAIL for a label "
                      "that no address has.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &InterfaceLabel},
      {.id = "kernel.ioctl.interface.unknown",
       .requirement = "Requests about an interface that does not exist must "
                      "fail with ENODEV.",
       .source = "netdevice(7)",
       .needs = Need::kOwnNetwork,
       .run = &UnknownInterface},
      {.id = "kernel.ioctl.interface.arguments",
       .requirement = "Requests about interfaces must fail with EFAULT for a "
                      "null pointer, and with ENOTTY on a pipe.",
       .source = "ioctl(2), ERRORS",
       .needs = Need::kOwnNetwork,
       .run = &InterfaceArguments},
      {.id = "kernel.ioctl.interface.name",
       .requirement = "SIOCGIFNAME must return the name of an index.",
       .source = "netdevice(7), SIOCGIFNAME",
       .needs = Need::kOwnNetwork,
       .run = &InterfaceName},
      {.id = "kernel.ioctl.interface.address",
       .requirement =
           "An IPv4 socket must return the IPv4 addresses and the "
           "mask of the loopback interface; an IPv6 socket must fail "
           "with ENOTTY.",
       .source = "netdevice(7), SIOCGIFADDR; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &InterfaceAddress},
      {.id = "kernel.ioctl.interface.list",
       .requirement = "SIOCGIFCONF must list the IPv4 addresses with their "
                      "interfaces.",
       .source = "netdevice(7), SIOCGIFCONF",
       .needs = Need::kOwnNetwork,
       .run = &InterfaceList},
      {.id = "kernel.ioctl.interface.list.room",
       .requirement =
           "SIOCGIFCONF must list only whole entries, and return the "
           "size of all without a buffer.",
       .source = "netdevice(7), SIOCGIFCONF",
       .needs = Need::kOwnNetwork,
       .run = &InterfaceListRoom},
  };
  return cases;
}

}  // namespace net::conformance
