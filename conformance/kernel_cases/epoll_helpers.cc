#include "conformance/kernel_cases/epoll_helpers.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"

namespace net::conformance {
namespace {

using loopback::RawSocket;

std::string EventNames(uint32_t events) {
  struct Name {
    uint32_t event;
    const char* name;
  };
  constexpr std::array<Name, 7> kNames = {{{EPOLLIN, "IN"},
                                           {EPOLLPRI, "PRI"},
                                           {EPOLLOUT, "OUT"},
                                           {EPOLLERR, "ERR"},
                                           {EPOLLHUP, "HUP"},
                                           {EPOLLRDHUP, "RDHUP"},
                                           {EPOLLRDNORM, "RDNORM"}}};
  std::string text;
  for (const Name& one : kNames) {
    if ((events & one.event) == 0) continue;
    absl::StrAppend(&text, text.empty() ? "" : "|", one.name);
    events &= ~one.event;
  }
  if (events != 0) absl::StrAppend(&text, "|", events);
  return text;
}

SysResult Control(const RawSocket& file, int operation, int fd, uint32_t events,
                  uint64_t data) {
  epoll_event event = {.events = events, .data = {.u64 = data}};
  return file.syscalls().EpollCtl(file.fd(), operation, fd, &event);
}

absl::StatusOr<RawSocket> Made(Context& c, SysResult result, const char* call) {
  if (!result.ok()) return ErrnoError(ErrnoOf(result), call);
  return RawSocket(result.fd(), c.sys());
}

}  // namespace

SysResult Epoll::Add(int fd, uint32_t events, uint64_t data) const {
  return Control(file_, EPOLL_CTL_ADD, fd, events, data);
}

SysResult Epoll::Modify(int fd, uint32_t events, uint64_t data) const {
  return Control(file_, EPOLL_CTL_MOD, fd, events, data);
}

SysResult Epoll::Remove(int fd) const {
  return file_.syscalls().EpollCtl(file_.fd(), EPOLL_CTL_DEL, fd, nullptr);
}

std::string Epoll::Ready(int max_events) const { return Wait(max_events, 0); }

std::string Epoll::Await(int max_events) const { return Wait(max_events, -1); }

std::string Epoll::Wait(int max_events, int timeout_ms) const {
  std::array<epoll_event, 8> events = {};
  const SysResult result = file_.syscalls().EpollWait(file_.fd(), events.data(),
                                                      max_events, timeout_ms);
  if (!result.ok()) return ErrnoSymbol(ErrnoOf(result));
  std::string text;
  for (size_t i = 0; i < static_cast<size_t>(result.value()); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : " ", uint64_t{events.at(i).data.u64},
                    ":", EventNames(events.at(i).events));
  }
  return text;
}

absl::StatusOr<Epoll> NewEpoll(Context& c) {
  absl::StatusOr<RawSocket> file =
      Made(c, c.sys().EpollCreate1(EPOLL_CLOEXEC), "epoll_create1");
  if (!file.ok()) return file.status();
  return Epoll(*std::move(file));
}

absl::StatusOr<PipeEnds> NewPipe(Context& c) {
  std::array<int, 2> ends = {};
  const SysResult result = c.sys().Pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK);
  if (!result.ok()) return ErrnoError(ErrnoOf(result), "pipe2");
  return PipeEnds{RawSocket(ends[0], c.sys()), RawSocket(ends[1], c.sys())};
}

absl::StatusOr<RawSocket> NewCounter(Context& c, int flags) {
  return Made(c, c.sys().EventFd(0, EFD_CLOEXEC | EFD_NONBLOCK | flags),
              "eventfd");
}

SysResult AddToCounter(const RawSocket& counter, uint64_t value) {
  return counter.syscalls().Write(counter.fd(), &value, sizeof(value));
}

SysResult ReadCounter(const RawSocket& counter) {
  uint64_t value = 0;
  return counter.syscalls().Read(counter.fd(), &value, sizeof(value));
}

}  // namespace net::conformance
