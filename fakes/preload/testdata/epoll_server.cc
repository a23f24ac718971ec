#include "fakes/preload/testdata/epoll_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <system_error>
#include <utility>

namespace {

constexpr int kTickMs = 1000;
constexpr int64_t kIdleMs = 60'000;

int Checked(int result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  return result;
}

int64_t NowMs() {
  using std::chrono::steady_clock;
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

EpollServer::EpollServer() {
  listener_ = Checked(
      socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in addr = {};
  addr.sin_family = AF_INET;
  addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(addr);
  auto* const address = reinterpret_cast<sockaddr*>(&addr);
  Checked(bind(listener_, address, size), "bind");
  Checked(listen(listener_, 16), "listen");
  Checked(getsockname(listener_, address, &size), "getsockname");
  port_ = ntohs(addr.sin_port);
  epoll_ = Checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  stop_ = Checked(eventfd(0, EFD_CLOEXEC), "eventfd");
  Watch(listener_);
  Watch(stop_);
}

EpollServer::~EpollServer() {
  for (const auto& [fd, connection] : connections_) close(fd);
  close(stop_);
  close(epoll_);
  close(listener_);
}

void EpollServer::Watch(int fd) const {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = fd;
  Checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void EpollServer::Run() {
  for (;;) {
    epoll_event events[8];
    const int count =
        Checked(epoll_wait(epoll_, events, 8, kTickMs), "epoll_wait");
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == stop_) return;
      if (fd == listener_) {
        AcceptAll();
      } else {
        ReadAll(fd);
      }
    }
    CloseIdle();
  }
}

void EpollServer::Stop() const {
  const uint64_t one = 1;
  Checked(static_cast<int>(write(stop_, &one, sizeof(one))), "write");
}

void EpollServer::AcceptAll() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) return;  // EAGAIN, or EMFILE: again at the next event.
    connections_[fd].last_ms = NowMs();
    Watch(fd);
  }
}

void EpollServer::ReadAll(int fd) {
  Connection& connection = connections_[fd];
  connection.last_ms = NowMs();
  char data[256];
  ssize_t size = 0;
  while ((size = read(fd, data, sizeof(data))) > 0) {
    for (ssize_t i = 0; i < size; ++i) {
      connection.line += static_cast<char>(std::toupper(data[i]));
      if (data[i] != '\n') continue;
      const std::string line = std::exchange(connection.line, "");
      if (send(fd, line.data(), line.size(), MSG_NOSIGNAL) < 0) break;
    }
  }
  if (size == 0 || errno != EAGAIN) {
    close(fd);
    connections_.erase(fd);
  }
}

void EpollServer::CloseIdle() {
  const int64_t now = NowMs();
  for (auto it = connections_.begin(); it != connections_.end();) {
    if (now - it->second.last_ms < kIdleMs) {
      ++it;
    } else {
      close(it->first);
      it = connections_.erase(it);
    }
  }
}
