#ifndef CONFORMANCE_LOOPBACK_HICCUP_KERNEL_H_
#define CONFORMANCE_LOOPBACK_HICCUP_KERNEL_H_

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <set>
#include <string>

#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::loopback {

// The process's kernel on a bad day, for the harness's own tests: each call
// that may be interrupted is, the first time it is made (EINTR), and data moves
// at most three bytes at a time. An interrupted connect goes on, as it does on
// Linux. One thread.
class HiccupKernel : public Syscalls {
 public:
  SysResult Socket(int domain, int type, int protocol) override {
    return kernel_.Socket(domain, type, protocol);
  }
  SysResult Bind(int fd, const sockaddr* addr, socklen_t len) override {
    return kernel_.Bind(fd, addr, len);
  }
  SysResult Listen(int fd, int backlog) override {
    return kernel_.Listen(fd, backlog);
  }
  SysResult Accept4(int fd, sockaddr* addr, socklen_t* len,
                    int flags) override {
    if (Interrupted("accept4")) return SysResult::Error(EINTR);
    return kernel_.Accept4(fd, addr, len, flags);
  }
  SysResult Connect(int fd, const sockaddr* addr, socklen_t len) override {
    const SysResult result = kernel_.Connect(fd, addr, len);
    return Interrupted("connect") ? SysResult::Error(EINTR) : result;
  }
  SysResult GetSockName(int fd, sockaddr* addr, socklen_t* len) override {
    return kernel_.GetSockName(fd, addr, len);
  }
  SysResult GetPeerName(int fd, sockaddr* addr, socklen_t* len) override {
    return kernel_.GetPeerName(fd, addr, len);
  }
  SysResult SetSockOpt(int fd, int level, int name, const void* value,
                       socklen_t len) override {
    return kernel_.SetSockOpt(fd, level, name, value, len);
  }
  SysResult GetSockOpt(int fd, int level, int name, void* value,
                       socklen_t* len) override {
    return kernel_.GetSockOpt(fd, level, name, value, len);
  }
  SysResult Shutdown(int fd, int how) override {
    return kernel_.Shutdown(fd, how);
  }
  SysResult Send(int fd, const void* data, size_t size, int flags) override {
    if (Interrupted("send")) return SysResult::Error(EINTR);
    return kernel_.Send(fd, data, std::min(size, kMost), flags);
  }
  SysResult Recv(int fd, void* data, size_t size, int flags) override {
    if (Interrupted("recv")) return SysResult::Error(EINTR);
    return kernel_.Recv(fd, data, std::min(size, kMost), flags);
  }
  SysResult Poll(pollfd* fds, nfds_t count, int timeout_ms) override {
    if (Interrupted("poll")) return SysResult::Error(EINTR);
    return kernel_.Poll(fds, count, timeout_ms);
  }
  SysResult Close(int fd) override {
    ++closed_;
    return kernel_.Close(fd);
  }

  // Has this call been interrupted?
  bool interrupted(const std::string& call) const {
    return seen_.count(call) != 0;
  }
  int closed() const { return closed_; }

 private:
  static constexpr size_t kMost = 3;

  bool Interrupted(const char* call) { return seen_.insert(call).second; }

  Syscalls& kernel_ = DefaultSyscalls();
  std::set<std::string> seen_;
  int closed_ = 0;
};

}  // namespace net::loopback

#endif  // CONFORMANCE_LOOPBACK_HICCUP_KERNEL_H_
