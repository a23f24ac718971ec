#ifndef FAKES_MOCK_SYSCALLS_H_
#define FAKES_MOCK_SYSCALLS_H_

#include "gmock/gmock.h"
#include "syscalls/complete_syscalls.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net {

// The mock methods of MockSyscalls (below), generated from the table.
class MockSyscallsMethods : public CompleteSyscalls {
 public:
  // Not inline, because the compiler takes seconds for them.
  MockSyscallsMethods();
  MockSyscallsMethods(const MockSyscallsMethods&) = delete;
  MockSyscallsMethods& operator=(const MockSyscallsMethods&) = delete;
  ~MockSyscallsMethods() override;

#define NET_SYSCALL(method, name, result, ...)                          \
  MOCK_METHOD(SysResult, method, (NET_SYSCALL_PARAMETERS(__VA_ARGS__)), \
              (override));
#include "syscalls/syscall_table.inc"
};

// Makes each call inside a testing::ScopedTrace that contains its text as
// strace(1) writes it, because GoogleMock prints numbers and memory addresses:
//
//   Uninteresting mock function call - returning default value.
//       Function call: SetSockOpt(3, 1, 2, 0x7ffc1fd0a1b4, 4)
//   Google Test trace:
//   syscalls/syscall_table.inc:58: setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 1,
//   4)
//
// An argument that the call fills in is "?", and so is the set of poll(2).
class MockSyscallsBase : public MockSyscallsMethods {
 public:
#define NET_SYSCALL(method, name, result, ...) \
  SysResult method(NET_SYSCALL_PARAMETERS(__VA_ARGS__)) override;
#include "syscalls/syscall_table.inc"
};

// A GoogleMock of all of Syscalls. It is strict: a call that the test does not
// expect fails the test and returns ENOSYS. With the actions and matchers of
// fakes/mock_actions.h a test reads like a trace of system calls:
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
// Thread-safety: that of GoogleMock's mocks. Set the expectations first, then
// make calls from any thread.
using MockSyscalls = testing::StrictMock<MockSyscallsBase>;

// The lenient variant: a call that the test does not expect returns ENOSYS, or
// what ON_CALL sets, and does not fail the test.
using NiceMockSyscalls = testing::NiceMock<MockSyscallsBase>;

}  // namespace net

#endif  // FAKES_MOCK_SYSCALLS_H_
