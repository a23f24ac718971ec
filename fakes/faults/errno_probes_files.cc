// Probes of calls on descriptors of any kind.

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <functional>
#include <utility>
#include <vector>

#include "conformance/loopback/loopback.h"
#include "fakes/call.h"
#include "fakes/faults/errno_probes.h"
#include "fakes/faults/errno_scene.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using loopback::Pair;
using loopback::RawSocket;

// An unknown flag of all the calls that take some.
constexpr int kUnknownFlag = 1 << 30;

ErrnoProbe OfNothing(Call call, int error, std::function<SysResult()> make) {
  return {call, error, [make = std::move(make)] { return Watch({}).Of(make); }};
}

// A probe without a free descriptor.
ErrnoProbe OfLimit(Call call, std::function<SysResult()> make) {
  return {call, EMFILE, [make = std::move(make)] {
            return Watch({}).Of([&] { return WithoutDescriptors(make); });
          }};
}

// An epoll that waits for data of a connected socket.
struct EpollScene {
  EpollScene()
      : pair(NewPair()),
        epoll(Linux().EpollCreate1(EPOLL_CLOEXEC).fd(), Linux()) {
    static_cast<void>(Control(EPOLL_CTL_ADD, pair.client.fd()));
  }

  SysResult Control(int operation, int fd) const {
    epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
    return Linux().EpollCtl(epoll.fd(), operation, fd, &event);
  }
  SysResult Wait(epoll_event* events, int count, int timeout_ms) const {
    return Linux().EpollWait(epoll.fd(), events, count, timeout_ms);
  }

  Pair pair;
  RawSocket epoll;
};

ErrnoProbe OnEpoll(Call call, int error,
                   std::function<SysResult(const EpollScene&)> make) {
  return {
      call, error, [make = std::move(make)] {
        const EpollScene scene;
        return Watch({&scene.pair.client}).WithEpoll(scene.epoll.fd()).Of([&] {
          return make(scene);
        });
      }};
}

// A call on a fresh TCP socket.
ErrnoProbe OnSocket(Call call, int error, std::function<SysResult(int)> make) {
  return {call, error, [make = std::move(make)] {
            const RawSocket socket = NewTcp();
            return Watch({&socket}).Of([&] { return make(socket.fd()); });
          }};
}

SysResult SetTimer(int fd) {
  const itimerspec value = {};
  return Linux().TimerFdSetTime(fd, 0, &value, nullptr);
}

SysResult GetTimer(int fd) {
  itimerspec value = {};
  return Linux().TimerFdGetTime(fd, &value);
}

}  // namespace

std::vector<ErrnoProbe> EpollProbes() {
  constexpr int kUnknownOperation = 99;
  return {
      OfNothing(Call::kEpollCreate1, EINVAL,
                [] { return Linux().EpollCreate1(kUnknownFlag); }),
      OfLimit(Call::kEpollCreate1, [] { return Linux().EpollCreate1(0); }),
      OnEpoll(
          Call::kEpollCtl, EBADF,
          [](const EpollScene& it) { return it.Control(EPOLL_CTL_ADD, -1); }),
      OnEpoll(Call::kEpollCtl, EEXIST,
              [](const EpollScene& it) {
                return it.Control(EPOLL_CTL_ADD, it.pair.client.fd());
              }),
      OnEpoll(Call::kEpollCtl, EFAULT,
              [](const EpollScene& it) {
                return Linux().EpollCtl(it.epoll.fd(), EPOLL_CTL_ADD,
                                        it.pair.server.fd(),
                                        BadPointer<epoll_event>());
              }),
      OnEpoll(Call::kEpollCtl, EINVAL,
              [](const EpollScene& it) {
                return it.Control(kUnknownOperation, it.pair.client.fd());
              }),
      {Call::kEpollCtl, ELOOP,
       [] {
         const EpollScene inner;
         const EpollScene outer;
         static_cast<void>(outer.Control(EPOLL_CTL_ADD, inner.epoll.fd()));
         return Watch({}).WithEpoll(inner.epoll.fd()).Of([&] {
           return inner.Control(EPOLL_CTL_ADD, outer.epoll.fd());
         });
       }},
      OnEpoll(Call::kEpollCtl, ENOENT,
              [](const EpollScene& it) {
                return it.Control(EPOLL_CTL_MOD, it.pair.server.fd());
              }),
      {Call::kEpollCtl, EPERM,
       [] {
         const EpollScene scene;
         const RawSocket file(open("/proc/self/status", O_RDONLY | O_CLOEXEC),
                              Linux());
         return Watch({}).WithEpoll(scene.epoll.fd()).Of([&] {
           return scene.Control(EPOLL_CTL_ADD, file.fd());
         });
       }},
      OfNothing(Call::kEpollWait, EBADF,
                [] {
                  epoll_event event;
                  return Linux().EpollWait(-1, &event, 1, 0);
                }),
      {Call::kEpollWait, EFAULT,
       [] {
         const EpollScene scene;
         static_cast<void>(scene.pair.server.Send("x"));
         AwaitEvent(scene.pair.client, POLLIN);
         return Watch({&scene.pair.client}).WithEpoll(scene.epoll.fd()).Of([&] {
           return scene.Wait(BadPointer<epoll_event>(), 1, 0);
         });
       }},
      OnEpoll(Call::kEpollWait, EINTR,
              [](const EpollScene& it) {
                epoll_event event;
                return Interrupted(kEpollWaitNumber,
                                   [&] { return it.Wait(&event, 1, -1); });
              }),
      OnEpoll(Call::kEpollWait, EINVAL,
              [](const EpollScene& it) {
                epoll_event event;
                return it.Wait(&event, 0, 0);
              }),
  };
}

std::vector<ErrnoProbe> FileProbes() {
  constexpr uint64_t kUnknownRequest = 0x1234567;
  return {
      OfNothing(Call::kDup, EBADF, [] { return Linux().Dup(-1); }),
      OfLimit(Call::kDup, [] { return Linux().Dup(0); }),
      OfNothing(Call::kDup3, EBADF, [] { return Linux().Dup3(-1, 0, 0); }),
      OnSocket(Call::kDup3, EINVAL,
               [](int fd) { return Linux().Dup3(fd, fd, 0); }),
      OfNothing(Call::kPipe2, EFAULT,
                [] { return Linux().Pipe2(BadPointer<int>(), 0); }),
      OfNothing(Call::kPipe2, EINVAL,
                [] {
                  int fds[2];
                  return Linux().Pipe2(fds, kUnknownFlag);
                }),
      OfLimit(Call::kPipe2,
              [] {
                int fds[2];
                return Linux().Pipe2(fds, 0);
              }),
      OfNothing(Call::kEventFd, EINVAL,
                [] { return Linux().EventFd(0, kUnknownFlag); }),
      OfLimit(Call::kEventFd, [] { return Linux().EventFd(0, 0); }),
      OfNothing(
          Call::kTimerFdCreate, EINVAL,
          [] { return Linux().TimerFdCreate(CLOCK_MONOTONIC, kUnknownFlag); }),
      OfNothing(Call::kTimerFdCreate, EPERM,
                [] { return Linux().TimerFdCreate(CLOCK_REALTIME_ALARM, 0); }),
      OfLimit(Call::kTimerFdCreate,
              [] { return Linux().TimerFdCreate(CLOCK_MONOTONIC, 0); }),
      OfNothing(Call::kTimerFdSetTime, EBADF, [] { return SetTimer(-1); }),
      OfNothing(Call::kTimerFdSetTime, EFAULT,
                [] {
                  return Linux().TimerFdSetTime(-1, 0, BadPointer<itimerspec>(),
                                                nullptr);
                }),
      OnSocket(Call::kTimerFdSetTime, EINVAL, &SetTimer),
      OfNothing(Call::kTimerFdGetTime, EBADF, [] { return GetTimer(-1); }),
      OfNothing(Call::kTimerFdGetTime, EFAULT,
                [] {
                  const RawSocket timer(
                      Linux().TimerFdCreate(CLOCK_MONOTONIC, TFD_CLOEXEC).fd(),
                      Linux());
                  return Linux().TimerFdGetTime(timer.fd(),
                                                BadPointer<itimerspec>());
                }),
      OnSocket(Call::kTimerFdGetTime, EINVAL, &GetTimer),
      OfNothing(Call::kIoctl, EBADF,
                [] {
                  int unread = 0;
                  return Linux().Ioctl(-1, FIONREAD,
                                       reinterpret_cast<intptr_t>(&unread));
                }),
      OnSocket(Call::kIoctl, EFAULT,
               [](int fd) {
                 return Linux().Ioctl(
                     fd, FIONREAD,
                     reinterpret_cast<intptr_t>(BadPointer<int>()));
               }),
      {Call::kIoctl, EINVAL,
       [] {
         const loopback::Listener listener = NewListener();
         return Watch({&listener.socket()}).Of([&] {
           int unread = 0;
           return Linux().Ioctl(listener.socket().fd(), FIONREAD,
                                reinterpret_cast<intptr_t>(&unread));
         });
       }},
      OnSocket(Call::kIoctl, ENOTTY,
               [](int fd) { return Linux().Ioctl(fd, kUnknownRequest, 0); }),
  };
}

}  // namespace net
