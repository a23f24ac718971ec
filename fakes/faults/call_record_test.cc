#include "fakes/faults/call_record.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/functional/function_ref.h"
#include "fakes/faults/syscall_id.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

template <typename T>
uint64_t Register(T value) {
  if constexpr (std::is_null_pointer_v<T>) {
    return 0;
  } else if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<uint64_t>(value);
  } else {
    return static_cast<uint64_t>(value);
  }
}

using Registers = std::array<uint64_t, 6>;

template <typename... T>
Registers RegistersOf(T... values) {
  return {Register(values)...};
}

// Returns the line of a call that `make` makes.
std::string LineOf(
    SyscallId call, const Registers& registers, SysResult result,
    absl::FunctionRef<void()> make = [] {}) {
  CallRecord record = BeginRecord(call, registers, ReadOwnMemory);
  make();
  FinishRecord(record, registers, result, ReadOwnMemory);
  return ToString(record);
}

TEST(CallRecord, HasAddressesAndLengths) {
  ip::SockAddr room;
  const ip::SockAddr peer({ip::kLocalV4, 40000});
  const auto accepts = [&] {
    std::memcpy(room.get(), peer.get(), peer.size());
    *room.size_ptr() = peer.size();
  };
  EXPECT_EQ(
      LineOf(SyscallId::kAccept, RegistersOf(3, room.get(), room.size_ptr()),
             SysResult::Ok(5), accepts),
      "accept(3, {AF_INET, 127.0.0.1:40000}, [28 => 16]) = 5");
  EXPECT_EQ(LineOf(SyscallId::kAccept4,
                   RegistersOf(3, nullptr, nullptr, SOCK_CLOEXEC),
                   SysResult::Error(EAGAIN)),
            "accept4(3, NULL, NULL, SOCK_CLOEXEC) = -1 EAGAIN");
  EXPECT_EQ(LineOf(SyscallId::kBind, RegistersOf(3, peer.get(), 16),
                   SysResult::Error(EFAULT)),
            "bind(3, ?, 16) = -1 EFAULT");
}

TEST(CallRecord, HasTheBytesOfAnAddressThatIsMoreThanAnEndpoint) {
  sockaddr_in6 flow = {};
  flow.sin6_family = AF_INET6;
  flow.sin6_flowinfo = htonl(2);
  EXPECT_EQ(LineOf(SyscallId::kConnect, RegistersOf(3, &flow, sizeof(flow)),
                   SysResult::Ok()),
            R"(connect(3, "\n\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0)"
            R"(\0\0\0\0", 28) = 0)");
  const sockaddr unspec = {};  // AF_UNSPEC is 0.
  EXPECT_EQ(
      LineOf(SyscallId::kConnect, RegistersOf(3, &unspec, 2), SysResult::Ok()),
      R"(connect(3, "\0\0", 2) = 0)");
  char room[4] = {AF_INET, 0, 0x12, 0x34};
  socklen_t size = sizeof(room);
  EXPECT_EQ(LineOf(SyscallId::kGetSockName, RegistersOf(3, room, &size),
                   SysResult::Ok(), [&] { size = 16; }),
            R"(getsockname(3, "\2\0\0224", [4 => 16]) = 0)");
}

TEST(CallRecord, HasAllData) {
  const std::string data(100, 'x');
  EXPECT_EQ(
      LineOf(SyscallId::kSendTo,
             RegistersOf(3, data.data(), data.size(), MSG_NOSIGNAL, nullptr, 0),
             SysResult::Ok(60)),
      "sendto(3, \"" + data + "\", 100, MSG_NOSIGNAL, NULL, 0) = 60");
  char room[200] = "GET /\r\n";
  EXPECT_EQ(LineOf(SyscallId::kRecvFrom,
                   RegistersOf(3, room, sizeof(room), 0, nullptr, nullptr),
                   SysResult::Ok(7)),
            R"(recvfrom(3, "GET /\r\n", 200, 0, NULL, NULL) = 7)");
  EXPECT_EQ(
      LineOf(SyscallId::kRecvFrom,
             RegistersOf(3, room, sizeof(room), MSG_DONTWAIT, nullptr, nullptr),
             SysResult::Error(EAGAIN)),
      "recvfrom(3, ?, 200, MSG_DONTWAIT, NULL, NULL) = -1 EAGAIN");
}

TEST(CallRecord, DoesNotReadABufferWhoseSizeIsImpossible) {
  char byte = 'x';
  iovec part = {.iov_base = &byte, .iov_len = SIZE_MAX};
  EXPECT_EQ(LineOf(SyscallId::kWriteV, RegistersOf(3, &part, 1),
                   SysResult::Error(EINVAL)),
            "writev(3, [{iov_base=?, iov_len=18446744073709551615}], 1) = -1 "
            "EINVAL");
}

TEST(CallRecord, HasBuffers) {
  char first[] = "ab";
  char second[] = "cdef";
  iovec parts[] = {{.iov_base = first, .iov_len = 2},
                   {.iov_base = second, .iov_len = 4}};
  EXPECT_EQ(
      LineOf(SyscallId::kWriteV, RegistersOf(3, parts, 2), SysResult::Ok(5)),
      R"(writev(3, [{iov_base="ab", iov_len=2}, )"
      R"({iov_base="cdef", iov_len=4}], 2) = 5)");
  EXPECT_EQ(
      LineOf(SyscallId::kReadV, RegistersOf(3, parts, 2), SysResult::Ok(3)),
      R"(readv(3, [{iov_base="ab", iov_len=2}, )"
      R"({iov_base="c", iov_len=4}], 2) = 3)");
  EXPECT_EQ(LineOf(SyscallId::kReadV, RegistersOf(3, parts, 2),
                   SysResult::Error(EAGAIN)),
            "readv(3, [{iov_base=?, iov_len=2}, {iov_base=?, iov_len=4}], 2) "
            "= -1 EAGAIN");
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  char control[] = "\1\2";
  message.msg_control = control;
  message.msg_controllen = 2;
  EXPECT_EQ(LineOf(SyscallId::kRecvMsg, RegistersOf(3, &message, 0),
                   SysResult::Ok(3)),
            R"(recvmsg(3, {msg_name=NULL, msg_namelen=0, )"
            R"(msg_iov=[{iov_base="ab", iov_len=2}, )"
            R"({iov_base="c", iov_len=4}], msg_iovlen=2, )"
            R"(msg_control="\1\2", msg_controllen=2, msg_flags=0}, 0) = 3)");
}

TEST(CallRecord, HasOptions) {
  const int on = 1;
  EXPECT_EQ(
      LineOf(SyscallId::kSetSockOpt,
             RegistersOf(3, SOL_SOCKET, SO_REUSEADDR, &on, 4), SysResult::Ok()),
      "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 1, 4) = 0");
  int error = ECONNREFUSED;
  socklen_t size = 4;
  EXPECT_EQ(LineOf(SyscallId::kGetSockOpt,
                   RegistersOf(3, SOL_SOCKET, SO_ERROR, &error, &size),
                   SysResult::Ok()),
            "getsockopt(3, SOL_SOCKET, SO_ERROR, ECONNREFUSED, [4]) = 0");
}

TEST(CallRecord, HasReadiness) {
  pollfd fds[] = {{.fd = 3, .events = POLLIN, .revents = 0},
                  {.fd = 4, .events = POLLOUT, .revents = 0}};
  EXPECT_EQ(LineOf(SyscallId::kPoll, RegistersOf(fds, 2, -1), SysResult::Ok(1),
                   [&] { fds[1].revents = POLLOUT; }),
            "poll([{3, POLLIN}, {4, POLLOUT}], 2, -1) = 1 [{4, POLLOUT}]");
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = 7}};
  EXPECT_EQ(LineOf(SyscallId::kEpollCtl,
                   RegistersOf(4, EPOLL_CTL_ADD, 3, &event), SysResult::Ok()),
            "epoll_ctl(4, EPOLL_CTL_ADD, 3, {EPOLLIN, 7}) = 0");
  uint64_t signals = uint64_t{1} << (SIGINT - 1);
  EXPECT_EQ(
      LineOf(SyscallId::kEpollPWait, RegistersOf(4, &event, 8, -1, &signals, 8),
             SysResult::Ok(1)),
      "epoll_pwait(4, [{EPOLLIN, 7}], 8, -1, [SIGINT]) = 1");
}

TEST(CallRecord, HasDescriptorsAndTimes) {
  int fds[2] = {3, 4};
  EXPECT_EQ(
      LineOf(SyscallId::kPipe2, RegistersOf(fds, O_CLOEXEC), SysResult::Ok()),
      "pipe2([3, 4], O_CLOEXEC) = 0");
  int count = 5;
  EXPECT_EQ(LineOf(SyscallId::kIoctl, RegistersOf(3, FIONREAD, &count),
                   SysResult::Ok()),
            "ioctl(3, FIONREAD, [5]) = 0");
  EXPECT_EQ(LineOf(SyscallId::kFcntl, RegistersOf(3, F_SETFL, O_NONBLOCK),
                   SysResult::Ok()),
            "fcntl(3, F_SETFL, O_RDONLY|O_NONBLOCK) = 0");
  EXPECT_EQ(
      LineOf(SyscallId::kFcntl, RegistersOf(3, F_SETLK, fds), SysResult::Ok()),
      "fcntl(3, 6, ?) = 0");
  const timespec time = {.tv_sec = 1, .tv_nsec = 2};
  EXPECT_EQ(LineOf(SyscallId::kNanoSleep, RegistersOf(&time, nullptr),
                   SysResult::Ok()),
            "nanosleep({tv_sec=1, tv_nsec=2}, NULL) = 0");
}

TEST(CallRecord, NamesTheThread) {
  CallRecord record;
  record.thread = 2;
  record.call = SyscallId::kClose;
  record.arguments[0].number = 3;
  record.result = SysResult::Error(EBADF);
  EXPECT_EQ(ToString(record), "[2] close(3) = -1 EBADF");
}

TEST(CallRecord, ReadsTheMemoryOfAnotherProcess) {
  // The memory of that process is one socket address, at 4096.
  const ip::SockAddr addr({ip::kLocalV6, 80});
  const auto read = [&](uint64_t address, void* to, size_t size) {
    if (address != 4096 || size > addr.size()) return false;
    std::memcpy(to, addr.get(), size);
    return true;
  };
  const Registers registers = {3, 4096, addr.size()};
  CallRecord record = BeginRecord(SyscallId::kBind, registers, read);
  FinishRecord(record, registers, SysResult::Ok(), read);
  EXPECT_EQ(ToString(record), "bind(3, {AF_INET6, [::1]:80}, 28) = 0");
  const Registers bad = {3, 8192, addr.size()};
  record = BeginRecord(SyscallId::kBind, bad, read);
  FinishRecord(record, bad, SysResult::Ok(), read);
  EXPECT_EQ(ToString(record), "bind(3, ?, 28) = 0");
}

}  // namespace
}  // namespace net
