#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "conformance/loopback/loopback.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

// The code under test: connects, sends a request, and must never throw or
// crash.
class QuoteClient {
 public:
  explicit QuoteClient(const net::ip::Endpoint& server) {
    const net::ip::SockAddr address(server);
    (void)connect(fd_, address.get(), address.size());
  }
  QuoteClient(const QuoteClient&) = delete;
  QuoteClient& operator=(const QuoteClient&) = delete;
  ~QuoteClient() { close(fd_); }

  std::string Ask() const {
    std::array<char, 64> answer;
    (void)send(fd_, "quote?", 6, MSG_NOSIGNAL);
    const ssize_t size = recv(fd_, answer.data(), answer.size(), 0);
    return size > 0 ? std::string(answer.data(), static_cast<size_t>(size))
                    : "no quote today";
  }

 private:
  const int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

// [sample]
TEST(QuoteClient, SurvivesAServerThatResets) {
  net::Syscalls& sys = net::DefaultSyscalls();
  auto listener = net::loopback::ListenAnywhere(sys, AF_INET);
  ASSERT_THAT(listener, net::IsOk());
  QuoteClient client(listener->endpoint());  // the code under test
  auto server = listener->Accept();
  ASSERT_THAT(server, net::IsOk());
  ASSERT_THAT(server->Reset(), net::IsOk());
  EXPECT_EQ(client.Ask(), "no quote today");
}
// [/sample]

TEST(QuoteClient, ReturnsTheServersText) {
  auto listener =
      net::loopback::ListenAnywhere(net::DefaultSyscalls(), AF_INET);
  ASSERT_THAT(listener, net::IsOk());
  QuoteClient client(listener->endpoint());
  auto server = listener->Accept();
  ASSERT_THAT(server, net::IsOk());
  ASSERT_THAT(server->Send("festina lente"), net::IsOk());
  EXPECT_EQ(client.Ask(), "festina lente");
}
