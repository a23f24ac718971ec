#include "fakes/faults/trace.h"

#include <cerrno>
#include <ostream>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/syscall_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

class RoundTrip : public testing::TestWithParam<const char*> {};

TEST_P(RoundTrip, LosesNothing) {
  const absl::StatusOr<CallRecord> call = ParseCallRecord(GetParam());
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(ToString(*call), GetParam());
  const absl::StatusOr<CallRecord> again = ParseCallRecord(ToString(*call));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *call);
}

INSTANTIATE_TEST_SUITE_P(
    Trace, RoundTrip,
    testing::Values(
        "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3",
        "socket(99, SOCK_DGRAM|SOCK_NONBLOCK|16, IPPROTO_TCP) = -1 EINVAL",
        "bind(3, {AF_INET, 127.0.0.1:80}, 16) = 0",
        "bind(3, {AF_INET6, [::1]:80}, 28) = -1 EADDRINUSE",
        "bind(3, {AF_INET6, [fe80::1%2]:80}, 128) = 0",
        R"(bind(3, "\1\0path", 6) = -1 EAFNOSUPPORT)",
        "bind(3, {AF_INET, 127.0.0.1:80}, 20) = 0",
        "bind(3, ?, -1) = -1 EINVAL", "bind(3, NULL, 16) = -1 EFAULT",
        "listen(3, 128) = 0",
        "accept(3, {AF_INET, 127.0.0.1:40000}, [128 => 16]) = 5",
        "accept4(3, {AF_INET6, [::1]:1}, [28], SOCK_CLOEXEC) = 5",
        "accept4(3, NULL, NULL, 0) = -1 EAGAIN", "accept4(3, NULL, ?, 0) = 4",
        "accept4(3, ?, [28], SOCK_NONBLOCK|SOCK_CLOEXEC) = -1 EMFILE",
        R"(getsockname(3, "\2\0\0224", [4 => 16]) = 0)",
        R"(getsockname(3, "", [0 => 16]) = 0)",
        "getpeername(3, ?, [28]) = -1 ENOTCONN",
        "getpeername(-1, ?, ?) = -1 EFAULT",
        "setsockopt(4, SOL_SOCKET, SO_REUSEADDR, 1, 4) = 0",
        "setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, 1, 100) = 0",
        "setsockopt(4, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0",
        "setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=5}, 16) = 0",
        R"(setsockopt(4, IPPROTO_TCP, TCP_CONGESTION, "reno", 4) = 0)",
        R"(setsockopt(4, IPPROTO_TCP, TCP_NODELAY, "\1\0", 2) = -1 EINVAL)",
        "setsockopt(4, 99, 98, ?, -1) = -1 EINVAL",
        "getsockopt(4, SOL_SOCKET, SO_ERROR, ECONNREFUSED, [4]) = 0",
        "getsockopt(4, IPPROTO_IPV6, IPV6_V6ONLY, 1, [8 => 4]) = 0",
        R"(getsockopt(4, SOL_SOCKET, SO_TYPE, "\1", [1]) = 0)",
        "shutdown(3, SHUT_RDWR) = 0", "shutdown(3, 3) = -1 EINVAL",
        R"(send(4, "a\r\n\t\"\\\0\0019\377", 10, MSG_NOSIGNAL) = 2)",
        "send(4, ?, 5, 0) = -1 EFAULT",
        R"(sendto(4, "hi", 2, 0, {AF_INET, 127.0.0.1:9}, 16) = 2)",
        R"(sendto(4, "", 0, 0, NULL, 0) = 0)",
        R"(recv(4, "hello", 4096, 0) = 5)", "recv(4, ?, 2, MSG_TRUNC) = 2",
        R"(recvfrom(4, "hello", 4096, 0, NULL, NULL) = 5)",
        "recvfrom(4, ?, 4096, MSG_DONTWAIT, NULL, NULL) = -1 EAGAIN",
        R"(read(4, "", 16) = 0)", R"(write(4, "x", 1) = -1 EPIPE)",
        "read(4, ?, 18446744073709551615) = -1 EINVAL",
        R"(writev(4, [{iov_base="ab", iov_len=2}, )"
        R"({iov_base="", iov_len=0}], 2) = 1)",
        R"(readv(4, [{iov_base="ab", iov_len=2}, )"
        R"({iov_base="c", iov_len=4}], 2) = 3)",
        "readv(4, [{iov_base=?, iov_len=2}], 1) = -1 EAGAIN",
        "readv(4, [], 0) = 0", "writev(4, NULL, 3) = -1 EFAULT",
        R"(sendmsg(4, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="ab", )"
        R"(iov_len=2}], msg_iovlen=1, msg_control="\1\2", msg_controllen=2, )"
        "msg_flags=0}, MSG_NOSIGNAL) = 2",
        "recvmsg(4, {msg_name={AF_INET, 127.0.0.1:9}, msg_namelen=16, "
        "msg_iov=NULL, msg_iovlen=0, msg_controllen=0, msg_flags=MSG_TRUNC}, "
        "0) = 0",
        "recvmsg(4, {msg_name=?, msg_namelen=28, msg_iov=[{iov_base=?, "
        "iov_len=8}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, 0) = -1 "
        "EAGAIN",
        "sendmmsg(4, ?, 3, 0) = 3",
        "poll([{3, POLLIN}, {4, POLLIN|POLLOUT}], 2, -1) = 1 [{4, POLLOUT}]",
        "poll([{3, POLLIN}, {3, POLLOUT}], 2, 0) = 2 [{3, POLLIN}, {3, "
        "POLLOUT}]",
        "poll(NULL, 0, 10) = 0", "poll(?, 99, 0) = -1 EINVAL",
        "ppoll([{3, POLLIN}], 1, {tv_sec=1, tv_nsec=5}, [SIGINT, SIGTERM]) = "
        "-1 EINTR",
        "select(5, ?, NULL, NULL, ?) = 1",
        "select(5, [3, 4] => [4], [], NULL, {tv_sec=2, tv_usec=0} => "
        "{tv_sec=1, tv_usec=5}) = 1",
        "select(5, [3], NULL, NULL, NULL) = -1 EINTR",
        "pselect6(70, [3, 69] => [], NULL, [0], {tv_sec=0, tv_nsec=5}, "
        "[SIGINT]) = 0",
        "sendmmsg(4, [{msg_hdr={msg_name=NULL, msg_namelen=0, "
        "msg_iov=[{iov_base=\"ab\", iov_len=2}], msg_iovlen=1, "
        "msg_controllen=0, msg_flags=0}, msg_len=2}, "
        "{msg_hdr={msg_name=NULL, msg_namelen=0, msg_iov=NULL, msg_iovlen=0, "
        "msg_controllen=0, msg_flags=0}, msg_len=0}], 2, MSG_NOSIGNAL) = 1",
        "recvmmsg(4, [{msg_hdr={msg_name=NULL, msg_namelen=0, "
        "msg_iov=[{iov_base=\"ab\", iov_len=8}], msg_iovlen=1, "
        "msg_controllen=0, msg_flags=0}, msg_len=2}], 5, MSG_WAITFORONE, "
        "{tv_sec=1, tv_nsec=0} => {tv_sec=0, tv_nsec=9}) = 1",
        "recvmmsg(4, ?, 5, 0, NULL) = -1 EAGAIN",
        "sendfile(3, 4, [7] => [107], 100) = 100",
        "sendfile(3, 4, NULL, 100) = -1 EPIPE",
        "sendfile(3, 4, ?, 100) = -1 EFAULT",
        "splice(3, NULL, 4, [7], 100, SPLICE_F_MOVE|SPLICE_F_MORE) = 100",
        "epoll_create1(EPOLL_CLOEXEC) = 4",
        "epoll_ctl(4, EPOLL_CTL_ADD, 3, {EPOLLIN|EPOLLET, "
        "18446744073709551615}) = 0",
        "epoll_ctl(4, EPOLL_CTL_DEL, 3, NULL) = 0",
        "epoll_ctl(4, EPOLL_CTL_DEL, 3, ?) = -1 ENOENT",
        "epoll_wait(4, [{EPOLLIN, 3}, {EPOLLHUP, 5}], 8, -1) = 2",
        "epoll_wait(4, ?, 8, 100) = -1 EINTR",
        "epoll_pwait(4, [], 8, 100, NULL) = 0", "close(3) = -1 EIO",
        "fcntl(3, F_GETFL) = 2050 (O_RDWR|O_NONBLOCK)", "fcntl(3, F_GETFD) = 0",
        "fcntl(3, F_SETFL, O_RDONLY|O_NONBLOCK) = 0",
        "fcntl(3, F_DUPFD_CLOEXEC, 10) = 10", "fcntl(3, 6, ?) = 0",
        "ioctl(3, FIONREAD, [5]) = 0", "ioctl(3, FIONBIO, [1]) = 0",
        "ioctl(3, FIONBIO, NULL) = -1 EFAULT", "ioctl(3, FIOCLEX) = 0",
        "ioctl(3, 1, ?) = -1 ENOTTY", "dup(3) = 4", "dup3(3, 9, O_CLOEXEC) = 9",
        "pipe2([3, 4], O_NONBLOCK|O_CLOEXEC) = 0",
        "eventfd(7, EFD_SEMAPHORE|EFD_NONBLOCK) = 5",
        "clock_gettime(CLOCK_MONOTONIC, {tv_sec=1, tv_nsec=5}) = 0",
        "nanosleep({tv_sec=1, tv_nsec=0}, NULL) = 0",
        "nanosleep({tv_sec=1, tv_nsec=0}, {tv_sec=0, tv_nsec=7}) = -1 EINTR",
        "[12] close(3) = 0", "close(3) = ?",
        "epoll_ctl(4, EPOLL_CTL_ADD, 3, {EPOLLIN, 7}) = ?"));

TEST(Trace, SkipsCommentsAndKeepsLineNumbers) {
  const absl::StatusOr<Trace> trace = ParseTrace(
      "trace 1\n# python3 server.py\n\nclose(3) = 0\nclose(4) = -1 EBADF "
      "(INJECTED)\n");
  ASSERT_TRUE(trace.ok()) << trace.status();
  ASSERT_EQ(trace->lines.size(), 2u);
  EXPECT_EQ(trace->lines[0].number, 4);
  EXPECT_EQ(trace->lines[1].number, 5);
  EXPECT_EQ(trace->lines[1].call.call, SyscallId::kClose);
  EXPECT_THAT(trace->lines[1].call.result, IsErrno(EBADF));
  EXPECT_EQ(trace->ToString(), "trace 1\nclose(3) = 0\nclose(4) = -1 EBADF\n");
}

TEST(Trace, WithoutItsVersionIsRefused) {
  EXPECT_EQ(
      ParseTrace("close(3) = 0\n").status().message(),
      "line 1, column 1: expected the version of the format, \"trace 1\"");
  EXPECT_FALSE(ParseTrace("trace 2\n").ok());
  EXPECT_FALSE(ParseTrace("").ok());
}

TEST(Trace, NamesTheLineOfAMistake) {
  EXPECT_EQ(ParseTrace("trace 1\n\nclose(3)\n").status(),
            absl::InvalidArgumentError("line 3, column 9: expected \" = \""));
}

// A malformed line, where the mistake is, and what is expected there.
struct Mistake {
  const char* line;
  int column;
  const char* expected;
};

void PrintTo(const Mistake& mistake, std::ostream* os) { *os << mistake.line; }

class MalformedCall : public testing::TestWithParam<Mistake> {};

TEST_P(MalformedCall, IsRefusedByColumn) {
  EXPECT_EQ(ParseCallRecord(GetParam().line, 7).status().message(),
            absl::StrCat("line 7, column ", GetParam().column, ": expected ",
                         GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    Trace, MalformedCall,
    testing::Values(
        Mistake{"bond(3) = 0", 1, "the name of a system call"},
        Mistake{"[0] close(3) = 0", 2, "a number from 1 to 2147483647"},
        Mistake{"close 3", 6, "\"(\""},
        Mistake{"close(x) = 0", 7, "a symbol or a number"},
        Mistake{"close(99999999999) = 0", 7,
                "a number from -2147483648 to 2147483647"},
        Mistake{"close(?) = 0", 7, "a symbol or a number"},
        Mistake{"close(3, 4) = 0", 8, "\")\""},
        Mistake{"listen(3) = 0", 9, "\", \""},
        Mistake{"close(3) = -1 EXXX", 15, "the symbol of an errno"},
        Mistake{"close(3) = -2", 12, "a number from 0 to 9223372036854775807"},
        Mistake{"close(3) = 0 x", 13, "the end of the line"},
        Mistake{"close(3) = 0 [{3, POLLIN}]", 14, "the end of the line"},
        Mistake{"bind(3, {AF_INET, localhost:80}, 16) = 0", 19,
                "an address and a port, such as 127.0.0.1:80"},
        Mistake{"bind(3, {AF_INET6, 127.0.0.1:80}, 16) = 0", 20,
                "an address of the family"},
        Mistake{"bind(3, {AF_INET, 127.0.0.1:80}, 8) = 0", 9,
                "a value of 8 bytes, not 16"},
        Mistake{R"(send(3, "hello"..., 40, 0) = 40)", 16, "\", \""},
        Mistake{R"(send(3, "hello", 6, 0) = 5)", 9,
                "a value of 6 bytes, not 5"},
        Mistake{R"(send(3, "hel\q", 5, 0) = 5)", 14,
                "an escape as in C: n, r, t, a quote, a backslash or an octal "
                "number"},
        Mistake{R"(send(3, "hello, 5, 0) = 5)", 26, "\"\"\""},
        Mistake{R"(send(3, 5, 5, 0) = 5)", 9, "\"\"\""},
        Mistake{R"(recv(3, "hello", 40, 0) = -1 EAGAIN)", 9,
                "\"?\", because of the result"},
        Mistake{"getsockname(3, {AF_INET, 127.0.0.1:80}, ?) = 0", 16,
                "a value of 0 bytes, not 16"},
        Mistake{"poll([{3, POLLIN}], 1, 0) = 1 [{4, POLLIN}]", 31,
                "descriptors of the first argument"},
        Mistake{"poll([{3, POLLIN}], 2, 0) = 0", 6,
                "a value of 16 bytes, not 8"},
        Mistake{R"(writev(3, [{iov_base="a", iov_len=2}], 1) = 1)", 11,
                "buffers with as much data as moved"},
        Mistake{R"(readv(3, [{iov_base="ab", iov_len=1}], 1) = 1)", 21,
                "at most iov_len bytes"},
        Mistake{"readv(3, [], 1) = 1", 10,
                "as many buffers as the next argument says"},
        Mistake{R"(writev(3, [{iov_base="", iov_len=9223372036854775808}, )"
                R"({iov_base="", iov_len=9223372036854775808}], 2) = 0)",
                11, "buffers with as much data as moved"},
        Mistake{"ppoll(NULL, 0, NULL, [SIGFOO]) = 0", 23, "a signal"},
        Mistake{"select(3, [3], NULL, NULL, NULL) = 0", 12,
                "a descriptor below the first argument"},
        Mistake{"select(3, [2] => [0, 3], NULL, NULL, NULL) = 0", 22,
                "a descriptor below the first argument"},
        Mistake{"sendfile(3, 4, 0, 5) = 5", 16, "\"[\""},
        Mistake{"sendmmsg(3, [], 1, 0) = 1", 13,
                "as many messages as the next argument says"},
        Mistake{"recvmmsg(3, [], 2, 0, NULL) = 1", 13,
                "as many messages as the result says"},
        Mistake{
            R"(recvmmsg(3, [{msg_hdr={msg_name=NULL, msg_namelen=0, )"
            R"(msg_iov=[{iov_base="ab", iov_len=2}], msg_iovlen=1, )"
            R"(msg_controllen=0, msg_flags=0}, msg_len=1}], 1, 0, NULL) = 1)",
            13, "buffers with as much data as moved"}));

}  // namespace
}  // namespace net
