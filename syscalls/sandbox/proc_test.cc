#include "syscalls/sandbox/proc.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net::sandbox {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST(ListNumbersTest, TheOwnDescriptorsAreListedWithoutTheOneThatReadsThem) {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  const absl::StatusOr<std::vector<int>> before = ListNumbers("/proc/self/fd");
  EXPECT_THAT(before, IsOkAndHolds(Contains(fd)));
  EXPECT_TRUE(std::is_sorted(before->begin(), before->end()));
  close(fd);
  const absl::StatusOr<std::vector<int>> after = ListNumbers("/proc/self/fd");
  EXPECT_THAT(after, IsOkAndHolds(Not(Contains(fd))));
  EXPECT_EQ(before->size(), after->size() + 1);
}

TEST(ListNumbersTest, NamesThatAreNoNumbersAreLeftOut) {
  EXPECT_THAT(ListNumbers("/proc"), IsOkAndHolds(Contains(getpid())));
  EXPECT_THAT(ListNumbers("/proc/sys"), IsOkAndHolds(IsEmpty()));
}

TEST(ProcTest, AnErrorNamesThePath) {
  const auto folder = ListNumbers("/proc/none");
  EXPECT_THAT(folder, IsErrno(ENOENT));
  EXPECT_THAT(std::string(folder.status().message()),
              StartsWith("/proc/none: ENOENT"));
  const auto file = ReadFile("/proc/none");
  EXPECT_THAT(file, IsErrno(ENOENT));
  EXPECT_THAT(std::string(file.status().message()),
              StartsWith("open /proc/none: ENOENT"));
  EXPECT_THAT(ReadFile("/proc"), IsErrno(EISDIR));
  EXPECT_THAT(ReadLink("/proc/none"), IsErrno(ENOENT));
  const absl::Status written = WriteFile("/proc/none", "1");
  EXPECT_THAT(written, IsErrno(ENOENT));
  EXPECT_THAT(std::string(written.message()), StartsWith("/proc/none: ENOENT"));
}

TEST(ProcTest, FilesAreReadToTheirEnd) {
  const absl::StatusOr<std::string> status = ReadFile("/proc/self/status");
  ASSERT_THAT(status, IsOk());
  EXPECT_THAT(*status, StartsWith("Name:\t"));
  EXPECT_THAT(*status, HasSubstr("\nnonvoluntary_ctxt_switches:\t"));
  EXPECT_EQ(FirstLineOf("/proc/self/status"),
            status->substr(0, status->find('\n')));
  EXPECT_EQ(FirstLineOf("/proc/none"), "");
}

TEST(ProcTest, AFieldIsTheRestOfItsLine) {
  const std::string pid = absl::StrCat(getpid());
  EXPECT_EQ(FieldOf("/proc/self/status", "Pid"), pid);
  EXPECT_EQ(FieldOf("/proc/self/status", "Pi"), "");
  EXPECT_EQ(FieldOf("/proc/none", "Pid"), "");
}

TEST(ProcTest, DescriptorsHaveInodesAndFlags) {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int null_fd = open("/dev/null", O_WRONLY);
  ASSERT_GE(socket_fd, 0);
  ASSERT_GE(null_fd, 0);
  EXPECT_NE(SocketInode("/proc/self/fd", socket_fd), 0);
  EXPECT_THAT(ReadLink(absl::StrCat("/proc/self/fd/", socket_fd)),
              IsOkAndHolds(absl::StrCat(
                  "socket:[", SocketInode("/proc/self/fd", socket_fd), "]")));
  EXPECT_EQ(SocketInode("/proc/self/fd", null_fd), 0);
  ASSERT_TRUE(DescriptorFlags(getpid(), socket_fd).has_value());
  EXPECT_EQ(*DescriptorFlags(getpid(), socket_fd) & O_CLOEXEC, O_CLOEXEC);
  ASSERT_TRUE(DescriptorFlags(getpid(), null_fd).has_value());
  EXPECT_EQ(*DescriptorFlags(getpid(), null_fd) & O_CLOEXEC, 0);
  EXPECT_EQ(*DescriptorFlags(getpid(), null_fd) & O_ACCMODE, O_WRONLY);
  close(socket_fd);
  close(null_fd);
  EXPECT_EQ(SocketInode("/proc/self/fd", socket_fd), 0);
  EXPECT_FALSE(DescriptorFlags(getpid(), socket_fd).has_value());
}

}  // namespace
}  // namespace net::sandbox
