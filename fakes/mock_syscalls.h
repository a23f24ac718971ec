#ifndef FAKES_MOCK_SYSCALLS_H_
#define FAKES_MOCK_SYSCALLS_H_

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "gmock/gmock.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

// The methods of MockSyscalls; use that, below.
class MockSyscallsBase : public Syscalls {
 public:
  // Not inline: they are what takes the compiler long.
  MockSyscallsBase();
  MockSyscallsBase(const MockSyscallsBase&) = delete;
  MockSyscallsBase& operator=(const MockSyscallsBase&) = delete;
  ~MockSyscallsBase() override;

  MOCK_METHOD(SysResult, Socket, (int domain, int type, int protocol),
              (override));
  MOCK_METHOD(SysResult, Bind, (int fd, const sockaddr* addr, socklen_t len),
              (override));
  MOCK_METHOD(SysResult, Listen, (int fd, int backlog), (override));
  MOCK_METHOD(SysResult, Accept4,
              (int fd, sockaddr* addr, socklen_t* len, int flags), (override));
  MOCK_METHOD(SysResult, Connect, (int fd, const sockaddr* addr, socklen_t len),
              (override));
  MOCK_METHOD(SysResult, GetSockName, (int fd, sockaddr* addr, socklen_t* len),
              (override));
  MOCK_METHOD(SysResult, GetPeerName, (int fd, sockaddr* addr, socklen_t* len),
              (override));
  MOCK_METHOD(SysResult, SetSockOpt,
              (int fd, int level, int name, const void* value, socklen_t len),
              (override));
  MOCK_METHOD(SysResult, GetSockOpt,
              (int fd, int level, int name, void* value, socklen_t* len),
              (override));
  MOCK_METHOD(SysResult, Shutdown, (int fd, int how), (override));

  MOCK_METHOD(SysResult, Send,
              (int fd, const void* data, size_t size, int flags), (override));
  MOCK_METHOD(SysResult, Recv, (int fd, void* data, size_t size, int flags),
              (override));
  MOCK_METHOD(SysResult, SendMsg, (int fd, const msghdr* message, int flags),
              (override));
  MOCK_METHOD(SysResult, RecvMsg, (int fd, msghdr* message, int flags),
              (override));
  MOCK_METHOD(SysResult, Read, (int fd, void* data, size_t size), (override));
  MOCK_METHOD(SysResult, Write, (int fd, const void* data, size_t size),
              (override));

  MOCK_METHOD(SysResult, Poll, (pollfd * fds, nfds_t count, int timeout_ms),
              (override));
  MOCK_METHOD(SysResult, PPoll,
              (pollfd * fds, nfds_t count, const timespec* timeout,
               const sigset_t* signals),
              (override));
  MOCK_METHOD(SysResult, EpollCreate1, (int flags), (override));
  MOCK_METHOD(SysResult, EpollCtl,
              (int epoll_fd, int operation, int fd, epoll_event* event),
              (override));
  MOCK_METHOD(SysResult, EpollWait,
              (int epoll_fd, epoll_event* events, int max_events,
               int timeout_ms),
              (override));

  MOCK_METHOD(SysResult, Close, (int fd), (override));
  MOCK_METHOD(SysResult, Fcntl, (int fd, int command, intptr_t argument),
              (override));
  MOCK_METHOD(SysResult, Ioctl, (int fd, uint64_t request, intptr_t argument),
              (override));
  MOCK_METHOD(SysResult, Dup, (int fd), (override));
  MOCK_METHOD(SysResult, Dup3, (int old_fd, int new_fd, int flags), (override));
  MOCK_METHOD(SysResult, Pipe2, (int* fds, int flags), (override));
  MOCK_METHOD(SysResult, EventFd, (unsigned int initial, int flags),
              (override));

  MOCK_METHOD(SysResult, ClockGetTime, (clockid_t clock, timespec* time),
              (override));
  MOCK_METHOD(SysResult, NanoSleep,
              (const timespec* duration, timespec* remaining), (override));
};

// A kernel that does what the test says and nothing else: GoogleMock's view of
// the whole of Syscalls. Strict: a call that the test doesn't expect fails the
// test, and answers ENOSYS. With the actions and matchers of
// fakes/mock_actions.h a test reads as a trace of system calls:
//
//   MockSyscalls sys;
//   InSequence in_this_order;
//   EXPECT_CALL(sys, Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
//       .WillOnce(Succeed(3));
//   EXPECT_CALL(sys, Bind(3, SockaddrIs(local), sizeof(sockaddr_in)))
//       .WillOnce(Fail(EADDRINUSE));
//   EXPECT_CALL(sys, Close(3)).WillOnce(Succeed());
//   EXPECT_THAT(tcp::Listen(local.addr, local.port, {}, sys),
//               IsErrno(EADDRINUSE));
//
// Thread-safe as every mock of GoogleMock is: set the expectations first, then
// call from any thread.
using MockSyscalls = testing::StrictMock<MockSyscallsBase>;

// The lenient variant, for tests about something else: a call that the test
// says nothing about answers ENOSYS without a word, unless ON_CALL says more.
using NiceMockSyscalls = testing::NiceMock<MockSyscallsBase>;

}  // namespace net

#endif  // FAKES_MOCK_SYSCALLS_H_
