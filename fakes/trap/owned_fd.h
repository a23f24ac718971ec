#ifndef FAKES_TRAP_OWNED_FD_H_
#define FAKES_TRAP_OWNED_FD_H_

#include <unistd.h>

#include <utility>

namespace net::trap {

// A descriptor of this process, or none. Move-only; closes it.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedFd() {
    if (fd_ >= 0) close(fd_);
  }

  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace net::trap

#endif  // FAKES_TRAP_OWNED_FD_H_
