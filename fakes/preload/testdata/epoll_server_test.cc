#include "fakes/preload/testdata/epoll_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

// The tests of the server, as its authors would write them.

namespace {

class EpollServerTest : public testing::Test {
 protected:
  ~EpollServerTest() override {
    server_.Stop();
    thread_.join();
  }

  int Connect() const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(ConnectToServer(fd), 0);
    return fd;
  }

  int ConnectToServer(int fd) const {
    const sockaddr_in addr = Address(INADDR_LOOPBACK, server_.port());
    return connect(fd, reinterpret_cast<const sockaddr*>(&addr), sizeof(addr));
  }

  static sockaddr_in Address(in_addr_t host, uint16_t port) {
    sockaddr_in addr = {};
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(host);
    addr.sin_port = htons(port);
    return addr;
  }

  // Returns what the server sends until it closes the connection.
  static std::string ReadAll(int fd) {
    std::string all;
    char data[64];
    ssize_t size = 0;
    while ((size = recv(fd, data, sizeof(data), 0)) > 0) {
      all.append(data, static_cast<size_t>(size));
    }
    EXPECT_EQ(size, 0) << "errno " << errno;
    return all;
  }

 private:
  EpollServer server_;
  std::thread thread_{[this] { server_.Run(); }};
};

TEST_F(EpollServerTest, SendsLinesInCapitals) {
  const int fd = Connect();
  EXPECT_EQ(send(fd, "one\ntwo", 7, 0), 7);
  EXPECT_EQ(send(fd, "\n", 1, 0), 1);
  EXPECT_EQ(shutdown(fd, SHUT_WR), 0);
  EXPECT_EQ(ReadAll(fd), "ONE\nTWO\n");
  close(fd);
}

TEST_F(EpollServerTest, ServesManyAtATime) {
  std::vector<int> fds;
  for (int i = 0; i < 20; ++i) fds.push_back(Connect());
  for (const int fd : fds) {
    EXPECT_EQ(send(fd, "x\n", 2, 0), 2);
    EXPECT_EQ(shutdown(fd, SHUT_WR), 0);
  }
  for (const int fd : fds) {
    EXPECT_EQ(ReadAll(fd), "X\n");
    close(fd);
  }
}

// The client is at 127.0.0.9, and its network may have failed.
TEST_F(EpollServerTest, ServesOthersWhileAClientConnects) {
  const int far = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const sockaddr_in home = Address(INADDR_LOOPBACK + 8, 0);
  EXPECT_EQ(bind(far, reinterpret_cast<const sockaddr*>(&home), sizeof(home)),
            0);
  EXPECT_EQ(ConnectToServer(far), -1);
  EXPECT_EQ(errno, EINPROGRESS);

  const int fd = Connect();
  EXPECT_EQ(send(fd, "x\n", 2, 0), 2);
  EXPECT_EQ(shutdown(fd, SHUT_WR), 0);
  EXPECT_EQ(ReadAll(fd), "X\n");
  close(fd);

  pollfd connected = {.fd = far, .events = POLLOUT, .revents = 0};
  EXPECT_EQ(poll(&connected, 1, -1), 1);
  int error = 0;
  socklen_t size = sizeof(error);
  EXPECT_EQ(getsockopt(far, SOL_SOCKET, SO_ERROR, &error, &size), 0);
  EXPECT_THAT(error, testing::AnyOf(0, ETIMEDOUT));
  close(far);
}

// Takes a minute on Linux.
TEST_F(EpollServerTest, ClosesIdleConnections) {
  const int fd = Connect();
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(ReadAll(fd), "");
  EXPECT_GE(std::chrono::steady_clock::now() - before,
            std::chrono::seconds(60));
  close(fd);
}

}  // namespace
