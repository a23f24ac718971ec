#ifndef CONFORMANCE_KERNEL_CASES_EPOLL_HELPERS_H_
#define CONFORMANCE_KERNEL_CASES_EPOLL_HELPERS_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

// Short forms of the calls of epoll(7).

namespace net::conformance {

class Epoll {
 public:
  explicit Epoll(loopback::RawSocket file) : file_(std::move(file)) {}

  int fd() const { return file_.fd(); }
  loopback::RawSocket& file() { return file_; }

  // Call epoll_ctl(2). `data` is the data of the events.
  SysResult Add(int fd, uint32_t events, uint64_t data = 1) const;
  SysResult Modify(int fd, uint32_t events, uint64_t data = 1) const;
  SysResult Remove(int fd) const;

  // Calls epoll_wait(2) with a timeout of 0 (Ready()), or without one (Await(),
  // which blocks). Returns the data and the events of each entry:
  // "1:IN 2:IN|OUT", "" if there is none, or the errno.
  std::string Ready(int max_events = 8) const;
  std::string Await(int max_events = 8) const;

 private:
  std::string Wait(int max_events, int timeout_ms) const;

  loopback::RawSocket file_;
};

absl::StatusOr<Epoll> NewEpoll(Context& c);

// A non-blocking pipe.
struct PipeEnds {
  loopback::RawSocket read;
  loopback::RawSocket write;
};
absl::StatusOr<PipeEnds> NewPipe(Context& c);

// A non-blocking eventfd.
absl::StatusOr<loopback::RawSocket> NewCounter(Context& c, int flags = 0);

// Call write(2) and read(2) of an eventfd.
SysResult AddToCounter(const loopback::RawSocket& counter, uint64_t value = 1);
SysResult ReadCounter(const loopback::RawSocket& counter);

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_EPOLL_HELPERS_H_
