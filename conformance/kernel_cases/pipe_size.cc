// fcntl(2) with F_SETPIPE_SZ and F_GETPIPE_SZ.

#include <fcntl.h>
#include <sys/epoll.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/file_commands.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::RawSocket;

constexpr int kPage = 4096;

SysResult WritePage(const RawSocket& pipe) {
  const std::string page(kPage, 'x');
  return pipe.syscalls().Write(pipe.fd(), page.data(), page.size());
}

SysResult ReadPage(const RawSocket& pipe) {
  std::string page(kPage, '.');
  return pipe.syscalls().Read(pipe.fd(), page.data(), page.size());
}

void Rounded(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  EXPECT_THAT(Fcntl(pipe.read, F_GETPIPE_SZ), IsOkAndHolds(16 * kPage));
  EXPECT_THAT(Fcntl(pipe.write, F_SETPIPE_SZ, 0), IsOkAndHolds(kPage));
  EXPECT_THAT(Fcntl(pipe.read, F_GETPIPE_SZ), IsOkAndHolds(kPage));
  EXPECT_THAT(Fcntl(pipe.read, F_SETPIPE_SZ, kPage + 1),
              IsOkAndHolds(2 * kPage));
  EXPECT_THAT(Fcntl(pipe.read, F_SETPIPE_SZ, 3 * kPage),
              IsOkAndHolds(4 * kPage));
}

void TooLarge(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  EXPECT_THAT(Fcntl(pipe.read, F_SETPIPE_SZ, -1), IsErrno(EINVAL));
  EXPECT_THAT(Fcntl(pipe.read, F_GETPIPE_SZ), IsOkAndHolds(16 * kPage));
}

void OtherFiles(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  for (const int fd : {counter.fd(), epoll.fd()}) {
    EXPECT_THAT(c.sys().Fcntl(fd, F_GETPIPE_SZ, 0), IsErrno(EBADF));
    EXPECT_THAT(c.sys().Fcntl(fd, F_SETPIPE_SZ, -1), IsErrno(EBADF));
  }
}

void Capacity(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_THAT(Fcntl(pipe.read, F_SETPIPE_SZ, 2 * kPage), IsOk());
  EXPECT_THAT(WritePage(pipe.write), IsOkAndHolds(kPage));
  EXPECT_THAT(WritePage(pipe.write), IsOkAndHolds(kPage));
  EXPECT_THAT(WritePage(pipe.write), IsErrno(EAGAIN));
  ASSERT_THAT(Fcntl(pipe.read, F_SETPIPE_SZ, 4 * kPage), IsOk());
  EXPECT_THAT(WritePage(pipe.write), IsOkAndHolds(kPage));
  EXPECT_THAT(Fcntl(pipe.read, F_SETPIPE_SZ, 2 * kPage), IsErrno(EBUSY))
      << "three pages are in use";
  ASSERT_THAT(ReadPage(pipe.read), IsOk());
  EXPECT_THAT(Fcntl(pipe.read, F_SETPIPE_SZ, 2 * kPage),
              IsOkAndHolds(2 * kPage));
  EXPECT_THAT(WritePage(pipe.write), IsErrno(EAGAIN));
}

// Each F_SETPIPE_SZ wakes, whether or not there is more room.
void WakesEpolls(Context& c) {
  ASSERT_OK_AND_ASSIGN(const PipeEnds pipe, NewPipe(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(pipe.write.fd(), EPOLLOUT | EPOLLET, 1), IsOk());
  ASSERT_THAT(WritePage(pipe.write), IsOk());
  ASSERT_THAT(epoll.Add(pipe.read.fd(), EPOLLIN | EPOLLET, 2), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:OUT 2:IN");
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(Fcntl(pipe.read, F_SETPIPE_SZ, 4 * kPage), IsOk());
    EXPECT_EQ(epoll.Ready(), "1:OUT");
  }
}

}  // namespace

const std::vector<Case>& PipeSizeKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.pipe_size.rounded",
       .requirement = "F_SETPIPE_SZ must round up to a power of two of at "
                      "least one page, and return it; F_GETPIPE_SZ returns it, "
                      "too.",
       .source = "fcntl(2), F_SETPIPE_SZ; measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &Rounded},
      {.id = "kernel.pipe_size.too_large",
       .requirement = "F_SETPIPE_SZ must fail with EINVAL beyond 2 GiB.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &TooLarge},
      {.id = "kernel.pipe_size.other_files",
       .requirement = "F_GETPIPE_SZ and F_SETPIPE_SZ must fail with EBADF on a "
                      "file that is no pipe.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &OtherFiles},
      {.id = "kernel.pipe_size.capacity",
       .requirement = "A pipe must hold as many bytes as F_SETPIPE_SZ has set; "
                      "EBUSY means that more are in it.",
       .source = "fcntl(2), F_SETPIPE_SZ and EBUSY",
       .families = AddressFamilies::kV4,
       .run = &Capacity},
      {.id = "kernel.pipe_size.epoll",
       .requirement = "F_SETPIPE_SZ must be an event for the pipe's write end "
                      "with EPOLLET, and none for its read end.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &WakesEpolls},
  };
  return cases;
}

}  // namespace net::conformance
