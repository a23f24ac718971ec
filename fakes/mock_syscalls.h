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

// The mock methods of MockSyscalls; use that, below.
class MockSyscallsMethods : public Syscalls {
 public:
  // Not inline, because they are slow to compile.
  MockSyscallsMethods();
  MockSyscallsMethods(const MockSyscallsMethods&) = delete;
  MockSyscallsMethods& operator=(const MockSyscallsMethods&) = delete;
  ~MockSyscallsMethods() override;

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

// Makes each call in a testing::ScopedTrace with its text as strace(1) writes
// it, because GoogleMock prints arguments as numbers and addresses:
//
//   Uninteresting mock function call - returning default value.
//       Function call: SetSockOpt(3, 1, 2, 0x7ffc1fd0a1b4, 4)
//   Google Test trace:
//   fakes/mock_syscalls.cc:63: setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 1, 4)
//
// An argument that the call fills in is "?", and so is the set of poll(2).
class MockSyscallsBase : public MockSyscallsMethods {
 public:
  SysResult Socket(int domain, int type, int protocol) override;
  SysResult Bind(int fd, const sockaddr* addr, socklen_t len) override;
  SysResult Listen(int fd, int backlog) override;
  SysResult Accept4(int fd, sockaddr* addr, socklen_t* len, int flags) override;
  SysResult Connect(int fd, const sockaddr* addr, socklen_t len) override;
  SysResult GetSockName(int fd, sockaddr* addr, socklen_t* len) override;
  SysResult GetPeerName(int fd, sockaddr* addr, socklen_t* len) override;
  SysResult SetSockOpt(int fd, int level, int name, const void* value,
                       socklen_t len) override;
  SysResult GetSockOpt(int fd, int level, int name, void* value,
                       socklen_t* len) override;
  SysResult Shutdown(int fd, int how) override;

  SysResult Send(int fd, const void* data, size_t size, int flags) override;
  SysResult Recv(int fd, void* data, size_t size, int flags) override;
  SysResult SendMsg(int fd, const msghdr* message, int flags) override;
  SysResult RecvMsg(int fd, msghdr* message, int flags) override;
  SysResult Read(int fd, void* data, size_t size) override;
  SysResult Write(int fd, const void* data, size_t size) override;

  SysResult Poll(pollfd* fds, nfds_t count, int timeout_ms) override;
  SysResult PPoll(pollfd* fds, nfds_t count, const timespec* timeout,
                  const sigset_t* signals) override;
  SysResult EpollCreate1(int flags) override;
  SysResult EpollCtl(int epoll_fd, int operation, int fd,
                     epoll_event* event) override;
  SysResult EpollWait(int epoll_fd, epoll_event* events, int max_events,
                      int timeout_ms) override;

  SysResult Close(int fd) override;
  SysResult Fcntl(int fd, int command, intptr_t argument) override;
  SysResult Ioctl(int fd, uint64_t request, intptr_t argument) override;
  SysResult Dup(int fd) override;
  SysResult Dup3(int old_fd, int new_fd, int flags) override;
  SysResult Pipe2(int fds[2], int flags) override;
  SysResult EventFd(unsigned int initial, int flags) override;

  SysResult ClockGetTime(clockid_t clock, timespec* time) override;
  SysResult NanoSleep(const timespec* duration, timespec* remaining) override;
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
