#include "fakes/symbols.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <ctime>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net {
namespace {

using ::testing::EndsWith;

TEST(Symbols, OfSockets) {
  EXPECT_EQ(DomainSymbol(AF_INET6), "AF_INET6");
  EXPECT_EQ(DomainSymbol(99), "99");
  EXPECT_EQ(TypeSymbols(SOCK_STREAM), "SOCK_STREAM");
  EXPECT_EQ(TypeSymbols(SOCK_STREAM | SOCK_CLOEXEC),
            "SOCK_STREAM|SOCK_CLOEXEC");
  EXPECT_EQ(TypeSymbols(SOCK_DGRAM | SOCK_NONBLOCK | 0x10),
            "SOCK_DGRAM|SOCK_NONBLOCK|16");
  EXPECT_EQ(ProtocolSymbol(0), "0");
  EXPECT_EQ(ProtocolSymbol(IPPROTO_TCP), "IPPROTO_TCP");
  EXPECT_EQ(AcceptFlagSymbols(0), "0");
  EXPECT_EQ(AcceptFlagSymbols(SOCK_NONBLOCK | SOCK_CLOEXEC),
            "SOCK_NONBLOCK|SOCK_CLOEXEC");
  EXPECT_EQ(ShutdownSymbol(SHUT_RD), "SHUT_RD");
  EXPECT_EQ(ShutdownSymbol(3), "3");
  EXPECT_EQ(MessageFlagSymbols(MSG_PEEK | MSG_NOSIGNAL),
            "MSG_PEEK|MSG_NOSIGNAL");
}

TEST(Symbols, FlagsAreJoinedAsTold) {
  EXPECT_EQ(PollEventSymbols(POLLIN | POLLHUP, " | "), "POLLIN | POLLHUP");
  EXPECT_EQ(TypeSymbols(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, ", "),
            "SOCK_STREAM, SOCK_NONBLOCK, SOCK_CLOEXEC");
}

TEST(Symbols, OfOptionsByTheirLevel) {
  EXPECT_EQ(OptionSymbols(SOL_SOCKET, SO_REUSEADDR),
            "SOL_SOCKET, SO_REUSEADDR");
  EXPECT_EQ(OptionSymbols(SOL_SOCKET, SO_RCVTIMEO), "SOL_SOCKET, SO_RCVTIMEO");
  EXPECT_EQ(OptionSymbols(IPPROTO_TCP, TCP_NODELAY),
            "IPPROTO_TCP, TCP_NODELAY");
  EXPECT_EQ(OptionSymbols(IPPROTO_IP, IP_TTL), "IPPROTO_IP, IP_TTL");
  EXPECT_EQ(OptionSymbols(IPPROTO_IPV6, IPV6_V6ONLY),
            "IPPROTO_IPV6, IPV6_V6ONLY");
  EXPECT_EQ(OptionSymbols(IPPROTO_TCP, 999), "IPPROTO_TCP, 999");
  EXPECT_EQ(OptionSymbols(998, 999), "998, 999");
}

TEST(Symbols, OfReadiness) {
  EXPECT_EQ(PollEventSymbols(0), "0");
  EXPECT_EQ(PollEventSymbols(POLLIN | POLLOUT), "POLLIN|POLLOUT");
  EXPECT_EQ(EpollEventSymbols(EPOLLIN | EPOLLET), "EPOLLIN|EPOLLET");
  EXPECT_EQ(EpollOperationSymbol(EPOLL_CTL_MOD), "EPOLL_CTL_MOD");
  EXPECT_EQ(EpollFlagSymbols(EPOLL_CLOEXEC), "EPOLL_CLOEXEC");
}

TEST(Symbols, OfDescriptors) {
  EXPECT_EQ(FcntlSymbol(F_DUPFD_CLOEXEC), "F_DUPFD_CLOEXEC");
  EXPECT_EQ(IoctlSymbol(FIONREAD), "FIONREAD");
  EXPECT_EQ(IoctlSymbol(1), "1");
  EXPECT_EQ(DescriptorFlagSymbols(FD_CLOEXEC), "FD_CLOEXEC");
  EXPECT_EQ(StatusFlagSymbols(O_RDONLY), "O_RDONLY");
  EXPECT_EQ(StatusFlagSymbols(O_RDWR | O_NONBLOCK), "O_RDWR|O_NONBLOCK");
  EXPECT_EQ(StatusFlagSymbols(O_RDONLY | O_NONBLOCK), "O_RDONLY|O_NONBLOCK");
  EXPECT_EQ(OpenFlagSymbols(0), "0");
  EXPECT_EQ(OpenFlagSymbols(O_CLOEXEC | O_NONBLOCK), "O_NONBLOCK|O_CLOEXEC");
  EXPECT_EQ(EventFdFlagSymbols(EFD_SEMAPHORE | EFD_CLOEXEC),
            "EFD_SEMAPHORE|EFD_CLOEXEC");
  EXPECT_EQ(ClockSymbol(CLOCK_MONOTONIC), "CLOCK_MONOTONIC");
}

TEST(Symbols, OfOptionsAndCommandsAreReadBack) {
  for (const std::string& symbol : AllOptionSymbols()) {
    const std::optional<OptionNumber> option = OptionFromSymbol(symbol);
    ASSERT_TRUE(option.has_value()) << symbol;
    EXPECT_THAT(OptionSymbols(option->level, option->name), EndsWith(symbol));
  }
  EXPECT_EQ(OptionFromSymbol("TCP_NODELAY")->level, IPPROTO_TCP);
  EXPECT_EQ(OptionFromSymbol("SO_REUSE"), std::nullopt);
  for (const std::string& symbol : AllFcntlSymbols()) {
    ASSERT_NE(FcntlFromSymbol(symbol), std::nullopt) << symbol;
    EXPECT_EQ(FcntlSymbol(*FcntlFromSymbol(symbol)), symbol);
  }
  EXPECT_EQ(FcntlFromSymbol("F_"), std::nullopt);
}

}  // namespace
}  // namespace net
