// fcntl(2) on sockets, pipes and eventfds.

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>
#include <vector>

#include "conformance/kernel_cases/file_commands.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;

constexpr int kDupFdQuery = 1027;
constexpr int kCreatedQuery = 1028;

// ---- Status flags -----------------------------------------------------------

void StatusFlags(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int flags : {O_APPEND, O_ASYNC, O_NOATIME, O_ASYNC | O_APPEND,
                          O_NONBLOCK | O_APPEND}) {
    EXPECT_THAT(Fcntl(socket, F_SETFL, flags), IsOk());
    EXPECT_THAT(Fcntl(socket, F_GETFL), IsOkAndHolds(O_RDWR | flags));
  }
  EXPECT_THAT(Fcntl(socket, F_SETFL, 0), IsOk());
  EXPECT_THAT(Fcntl(socket, F_GETFL), IsOkAndHolds(O_RDWR));
}

void StatusFlagsIgnored(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int flags : {O_SYNC, O_DSYNC, O_TRUNC, O_WRONLY, O_CREAT}) {
    EXPECT_THAT(Fcntl(socket, F_SETFL, flags), IsOk());
    EXPECT_THAT(Fcntl(socket, F_GETFL), IsOkAndHolds(O_RDWR));
  }
}

void DirectIsInvalid(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Fcntl(socket, F_SETFL, O_DIRECT | O_NONBLOCK), IsErrno(EINVAL));
  EXPECT_THAT(Fcntl(socket, F_GETFL), IsOkAndHolds(O_RDWR));
}

void StatusFlagsAreShared(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const SysResult copied = c.sys().Dup(socket.fd());
  ASSERT_THAT(copied, IsOk());
  const RawSocket copy(copied.fd(), c.sys());
  EXPECT_THAT(Fcntl(socket, F_SETFL, O_ASYNC | O_APPEND), IsOk());
  EXPECT_THAT(Fcntl(copy, F_GETFL), IsOkAndHolds(O_RDWR | O_ASYNC | O_APPEND));
}

void StatusFlagsNotInherited(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_THAT(Fcntl(listener.socket(), F_SETFL, O_ASYNC | O_APPEND), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       loopback::ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(Fcntl(server, F_GETFL), IsOkAndHolds(O_RDWR));
}

void PipeFlags(Context& c) {
  std::array<int, 2> fds = {};
  ASSERT_THAT(c.sys().Pipe2(fds.data(), O_CLOEXEC), IsOk());
  const RawSocket reader(fds[0], c.sys());
  const RawSocket writer(fds[1], c.sys());
  for (const int flag : {O_APPEND, O_ASYNC, O_DIRECT, O_NOATIME}) {
    EXPECT_THAT(Fcntl(reader, F_SETFL, flag), IsOk());
    EXPECT_THAT(Fcntl(reader, F_GETFL), IsOkAndHolds(O_RDONLY | flag));
    EXPECT_THAT(Fcntl(writer, F_SETFL, flag), IsOk());
    EXPECT_THAT(Fcntl(writer, F_GETFL), IsOkAndHolds(O_WRONLY | flag));
  }
}

void EventFdFlags(Context& c) {
  const SysResult made = c.sys().EventFd(0, EFD_CLOEXEC);
  ASSERT_THAT(made, IsOk());
  const RawSocket counter(made.fd(), c.sys());
  EXPECT_THAT(Fcntl(counter, F_SETFL, O_APPEND | O_ASYNC), IsOk());
  EXPECT_THAT(Fcntl(counter, F_GETFL), IsOkAndHolds(O_RDWR | O_APPEND));
  EXPECT_THAT(Fcntl(counter, F_SETFL, O_DIRECT), IsErrno(EINVAL));
}

void EventFdLength(Context& c) {
  const SysResult made = c.sys().EventFd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  ASSERT_THAT(made, IsOk());
  const RawSocket counter(made.fd(), c.sys());
  const std::array<char, 128> bytes = {1};
  for (const size_t size :
       {size_t{0}, size_t{7}, size_t{9}, size_t{16}, size_t{128}}) {
    EXPECT_THAT(c.sys().Write(counter.fd(), bytes.data(), size),
                IsErrno(EINVAL));
  }
  EXPECT_THAT(c.sys().Write(counter.fd(), bytes.data(), 8), IsOkAndHolds(8));
}

// ---- The owner --------------------------------------------------------------

void NoOwner(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Fcntl(socket, F_GETOWN), IsOkAndHolds(0));
  EXPECT_THAT(Fcntl(socket, F_GETSIG), IsOkAndHolds(0));
  EXPECT_THAT(Ask(socket, SIOCGPGRP), IsOkAndHolds(0));
  EXPECT_THAT(Ask(socket, FIOGETOWN), IsOkAndHolds(0));
  f_owner_ex owner = {};
  owner.pid = 7;
  EXPECT_THAT(FcntlAt(socket, F_GETOWN_EX, owner), IsOk());
  EXPECT_EQ(owner.type, F_OWNER_TID);
  EXPECT_EQ(owner.pid, 0);
}

void SetsOwner(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Fcntl(socket, F_SETOWN, getpid()), IsOk());
  EXPECT_THAT(Fcntl(socket, F_GETOWN), IsOkAndHolds(getpid()));
  EXPECT_THAT(Ask(socket, SIOCGPGRP), IsOkAndHolds(getpid()));
  f_owner_ex owner = {};
  EXPECT_THAT(FcntlAt(socket, F_GETOWN_EX, owner), IsOk());
  EXPECT_EQ(owner.type, F_OWNER_PID);
  EXPECT_EQ(owner.pid, getpid());
  EXPECT_THAT(Fcntl(socket, F_SETOWN, 0), IsOk());
  EXPECT_THAT(Fcntl(socket, F_GETOWN), IsOkAndHolds(0));
}

void SetsGroup(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Fcntl(socket, F_SETOWN, -getpgrp()), IsOk());
  EXPECT_THAT(Ask(socket, FIOGETOWN), IsOkAndHolds(-getpgrp()));
  f_owner_ex owner = {};
  EXPECT_THAT(FcntlAt(socket, F_GETOWN_EX, owner), IsOk());
  EXPECT_EQ(owner.type, F_OWNER_PGRP);
  EXPECT_EQ(owner.pid, getpgrp());
}

void OwnerMistakes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Fcntl(socket, F_SETOWN, getpid()), IsOk());
  EXPECT_THAT(Fcntl(socket, F_SETOWN, kNobody), IsErrno(ESRCH));
  EXPECT_THAT(Fcntl(socket, F_SETOWN, -kNobody), IsErrno(ESRCH));
  EXPECT_THAT(Fcntl(socket, F_SETOWN, INT32_MIN), IsErrno(EINVAL));
  EXPECT_THAT(Fcntl(socket, F_GETOWN), IsOkAndHolds(getpid()));
}

void OwnerEx(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const f_owner_ex wanted :
       {f_owner_ex{F_OWNER_TID, getpid()}, f_owner_ex{F_OWNER_PID, getpid()},
        f_owner_ex{F_OWNER_PGRP, getpgrp()}, f_owner_ex{F_OWNER_PGRP, 0}}) {
    f_owner_ex set = wanted;
    EXPECT_THAT(FcntlAt(socket, F_SETOWN_EX, set), IsOk());
    f_owner_ex owner = {};
    EXPECT_THAT(FcntlAt(socket, F_GETOWN_EX, owner), IsOk());
    EXPECT_EQ(owner.type, wanted.type);
    EXPECT_EQ(owner.pid, wanted.pid);
  }
}

void OwnerExMistakes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  f_owner_ex nobody = {F_OWNER_PID, kNobody};
  EXPECT_THAT(FcntlAt(socket, F_SETOWN_EX, nobody), IsErrno(ESRCH));
  f_owner_ex negative = {F_OWNER_PGRP, -5};
  EXPECT_THAT(FcntlAt(socket, F_SETOWN_EX, negative), IsErrno(ESRCH));
  f_owner_ex other = {};
  other.pid = getpid();
  const int unknown = 3;
  std::memcpy(&other.type, &unknown, sizeof(unknown));
  EXPECT_THAT(FcntlAt(socket, F_SETOWN_EX, other), IsErrno(EINVAL));
  EXPECT_THAT(Fcntl(socket, F_SETOWN_EX, 0), IsErrno(EFAULT));
  EXPECT_THAT(Fcntl(socket, F_GETOWN_EX, 0), IsErrno(EFAULT));
}

void OwnerSignal(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int signal : {1, SIGIO, 64, 0}) {
    EXPECT_THAT(Fcntl(socket, F_SETSIG, signal), IsOk());
    EXPECT_THAT(Fcntl(socket, F_GETSIG), IsOkAndHolds(signal));
  }
  EXPECT_THAT(Fcntl(socket, F_SETSIG, 65), IsErrno(EINVAL));
  EXPECT_THAT(Fcntl(socket, F_SETSIG, -1), IsErrno(EINVAL));
}

// ---- Other commands ---------------------------------------------------------

void Leases(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Fcntl(socket, F_GETLEASE), IsOkAndHolds(F_UNLCK));
  for (const int lease : {F_RDLCK, F_WRLCK}) {
    EXPECT_THAT(Fcntl(socket, F_SETLEASE, lease), IsErrno(EINVAL));
  }
  EXPECT_THAT(Fcntl(socket, F_NOTIFY, DN_MODIFY), IsErrno(ENOTDIR));
}

void SameFile(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket other, NewTcp(c));
  const SysResult copied = c.sys().Dup(socket.fd());
  ASSERT_THAT(copied, IsOk());
  const RawSocket copy(copied.fd(), c.sys());
  EXPECT_THAT(Fcntl(socket, kDupFdQuery, socket.fd()), IsOkAndHolds(1));
  EXPECT_THAT(Fcntl(socket, kDupFdQuery, copy.fd()), IsOkAndHolds(1));
  EXPECT_THAT(Fcntl(socket, kDupFdQuery, other.fd()), IsOkAndHolds(0));
  EXPECT_THAT(Fcntl(socket, kDupFdQuery, -1), IsErrno(EBADF));
  EXPECT_THAT(Fcntl(socket, kDupFdQuery, 999999), IsErrno(EBADF));
  EXPECT_THAT(Fcntl(socket, kCreatedQuery), IsOkAndHolds(0));
}

void CommandsOfOtherFiles(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Fcntl(socket, F_GETPIPE_SZ), IsErrno(EBADF));
  EXPECT_THAT(Fcntl(socket, F_SETPIPE_SZ, 4096), IsErrno(EBADF));
  EXPECT_THAT(Fcntl(socket, F_GET_SEALS), IsErrno(EINVAL));
  EXPECT_THAT(Fcntl(socket, F_ADD_SEALS, 1), IsErrno(EINVAL));
  EXPECT_THAT(Fcntl(socket, 99), IsErrno(EINVAL));
}

flock MakeLock(int type, off_t start = 0, off_t length = 0) {
  flock lock = {};
  lock.l_type = static_cast<decltype(lock.l_type)>(type);
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = length;
  return lock;
}

void Locks(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int command : {F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW}) {
    for (const int type : {F_RDLCK, F_WRLCK, F_UNLCK}) {
      flock lock = MakeLock(type, 10, -5);
      EXPECT_THAT(FcntlAt(socket, command, lock), IsOk());
      EXPECT_EQ(lock.l_type, type);
    }
    EXPECT_THAT(Fcntl(socket, command, 0), IsErrno(EFAULT));
    flock all = MakeLock(F_UNLCK);
    EXPECT_THAT(FcntlAt(socket, command, all), IsOk());
  }
}

void LockQueries(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int command : {F_GETLK, F_OFD_GETLK}) {
    for (const int type : {F_RDLCK, F_WRLCK}) {
      flock lock = MakeLock(type);
      EXPECT_THAT(FcntlAt(socket, command, lock), IsOk());
      EXPECT_EQ(lock.l_type, F_UNLCK);
    }
    EXPECT_THAT(Fcntl(socket, command, 0), IsErrno(EFAULT));
  }
  flock none = MakeLock(F_UNLCK);
  EXPECT_THAT(FcntlAt(socket, F_GETLK, none), IsErrno(EINVAL));
  EXPECT_THAT(FcntlAt(socket, F_OFD_GETLK, none), IsOk());
}

void LockMistakes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int command : {F_GETLK, F_SETLK, F_OFD_GETLK, F_OFD_SETLK}) {
    flock type = MakeLock(5);
    EXPECT_THAT(FcntlAt(socket, command, type), IsErrno(EINVAL));
    flock start = MakeLock(F_WRLCK, -1);
    EXPECT_THAT(FcntlAt(socket, command, start), IsErrno(EINVAL));
    flock before = MakeLock(F_WRLCK, 5, -10);
    EXPECT_THAT(FcntlAt(socket, command, before), IsErrno(EINVAL));
    constexpr off_t kLast = std::numeric_limits<off_t>::max();
    flock last = MakeLock(F_RDLCK, kLast, 1);
    EXPECT_THAT(FcntlAt(socket, command, last), IsOk());
    flock beyond = MakeLock(F_RDLCK, kLast, 2);
    EXPECT_THAT(FcntlAt(socket, command, beyond), IsErrno(EOVERFLOW));
    flock whence = MakeLock(F_WRLCK);
    whence.l_whence = 5;
    EXPECT_THAT(FcntlAt(socket, command, whence), IsErrno(EINVAL));
  }
  flock pid = MakeLock(F_WRLCK);
  pid.l_pid = 7;
  EXPECT_THAT(FcntlAt(socket, F_OFD_SETLK, pid), IsErrno(EINVAL));
}

void LocksOfPipes(Context& c) {
  std::array<int, 2> fds = {};
  ASSERT_THAT(c.sys().Pipe2(fds.data(), O_CLOEXEC), IsOk());
  const RawSocket reader(fds[0], c.sys());
  const RawSocket writer(fds[1], c.sys());
  flock read = MakeLock(F_RDLCK);
  flock write = MakeLock(F_WRLCK);
  EXPECT_THAT(FcntlAt(reader, F_SETLK, write), IsErrno(EBADF));
  EXPECT_THAT(FcntlAt(writer, F_SETLK, read), IsErrno(EBADF));
  EXPECT_THAT(FcntlAt(reader, F_SETLK, read), IsOk());
}

}  // namespace

const std::vector<Case>& FcntlKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.fcntl.flags",
       .requirement = "F_SETFL must set O_APPEND, O_ASYNC, O_NOATIME and "
                      "O_NONBLOCK of a socket, and F_GETFL must return them.",
       .source = "fcntl(2), F_SETFL",
       .run = &StatusFlags},
      {.id = "kernel.fcntl.flags.ignored",
       .requirement = "F_SETFL must ignore the access mode and the flags that "
                      "only open(2) sets.",
       .source = "fcntl(2), F_SETFL",
       .run = &StatusFlagsIgnored},
      {.id = "kernel.fcntl.flags.direct",
       .requirement = "F_SETFL must fail with EINVAL for O_DIRECT on a socket, "
                      "and change nothing.",
       .source = "measured on Linux 6.18",
       .run = &DirectIsInvalid},
      {.id = "kernel.fcntl.flags.shared",
       .requirement = "Descriptors of one file must share its status flags.",
       .source = "fcntl(2), F_SETFL; dup(2)",
       .run = &StatusFlagsAreShared},
      {.id = "kernel.fcntl.flags.not_inherited",
       .requirement = "An accepted socket must not inherit O_ASYNC and "
                      "O_APPEND.",
       .source = "accept(2), NOTES",
       .run = &StatusFlagsNotInherited},
      {.id = "kernel.fcntl.flags.pipe",
       .requirement = "F_SETFL must set O_APPEND, O_ASYNC, O_DIRECT and "
                      "O_NOATIME of a pipe.",
       .source = "fcntl(2), F_SETFL; pipe(2), O_DIRECT",
       .families = AddressFamilies::kV4,
       .run = &PipeFlags},
      {.id = "kernel.fcntl.flags.eventfd",
       .requirement = "F_SETFL must ignore O_ASYNC for an eventfd, and fail "
                      "with EINVAL for O_DIRECT.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &EventFdFlags},
      {.id = "kernel.eventfd.write_length",
       .requirement = "write(2) to an eventfd must fail with EINVAL unless it "
                      "writes 8 bytes.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &EventFdLength},
      {.id = "kernel.fcntl.owner.none",
       .requirement = "A new socket must have no owner and no signal.",
       .source = "fcntl(2), F_GETOWN",
       .run = &NoOwner},
      {.id = "kernel.fcntl.owner.set",
       .requirement = "F_SETOWN must set the process that F_GETOWN, "
                      "F_GETOWN_EX and SIOCGPGRP return, and 0 must remove it.",
       .source = "fcntl(2), F_SETOWN",
       .run = &SetsOwner},
      {.id = "kernel.fcntl.owner.group",
       .requirement = "F_SETOWN with a negative number must set a process "
                      "group.",
       .source = "fcntl(2), F_SETOWN",
       .run = &SetsGroup},
      {.id = "kernel.fcntl.owner.mistakes",
       .requirement = "F_SETOWN must fail with ESRCH for a process that does "
                      "not exist, and with EINVAL for the smallest int.",
       .source = "fcntl(2), F_SETOWN; measured on Linux 6.18",
       .run = &OwnerMistakes},
      {.id = "kernel.fcntl.owner_ex",
       .requirement =
           "F_SETOWN_EX must set a thread, a process or a group, and "
           "F_GETOWN_EX must return it.",
       .source = "fcntl(2), F_SETOWN_EX",
       .run = &OwnerEx},
      {.id = "kernel.fcntl.owner_ex.mistakes",
       .requirement =
           "F_SETOWN_EX must fail with ESRCH for an ID that does not "
           "exist, with EINVAL for an unknown type, and with EFAULT "
           "for a null pointer.",
       .source = "fcntl(2), F_SETOWN_EX",
       .run = &OwnerExMistakes},
      {.id = "kernel.fcntl.signal",
       .requirement = "F_SETSIG must accept 0 and the signals 1 to 64, and "
                      "F_GETSIG must return it.",
       .source = "fcntl(2), F_SETSIG",
       .run = &OwnerSignal},
      {.id = "kernel.fcntl.lease",
       .requirement = "A socket must have no lease and no notifications: "
                      "F_GETLEASE returns F_UNLCK, F_SETLEASE fails with "
                      "EINVAL, F_NOTIFY with ENOTDIR.",
       .source = "fcntl(2), F_SETLEASE and F_NOTIFY",
       .run = &Leases},
      {.id = "kernel.fcntl.same_file",
       .requirement =
           "F_DUPFD_QUERY must return 1 if both descriptors refer to "
           "one file, else 0.",
       .source = "measured on Linux 6.18",
       .run = &SameFile},
      {.id = "kernel.fcntl.other_files",
       .requirement =
           "Commands for pipes must fail with EBADF on a socket, and "
           "commands for memory files and unknown ones with EINVAL.",
       .source = "fcntl(2), F_SETPIPE_SZ and F_ADD_SEALS",
       .run = &CommandsOfOtherFiles},
      {.id = "kernel.fcntl.lock",
       .requirement = "Record locks on a socket must be granted.",
       .source = "measured on Linux 6.18",
       .run = &Locks},
      {.id = "kernel.fcntl.lock.query",
       .requirement = "F_GETLK must return F_UNLCK where no lock is, and fail "
                      "with EINVAL for a query of F_UNLCK.",
       .source = "fcntl(2), F_GETLK",
       .run = &LockQueries},
      {.id = "kernel.fcntl.lock.mistakes",
       .requirement = "A lock of an unknown type, or of a range that begins "
                      "before 0, must fail with EINVAL; one that ends beyond "
                      "the largest offset, with EOVERFLOW.",
       .source = "fcntl(2), F_SETLK; POSIX, fcntl(), EOVERFLOW",
       .run = &LockMistakes},
      {.id = "kernel.fcntl.lock.pipe",
       .requirement = "A read lock must fail with EBADF on a descriptor that "
                      "cannot read, and a write lock on one that cannot write.",
       .source = "fcntl(2), F_SETLK",
       .families = AddressFamilies::kV4,
       .run = &LocksOfPipes},
  };
  return cases;
}

}  // namespace net::conformance
