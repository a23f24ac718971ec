#include "fakes/kernel/descriptor_table.h"

#include <fcntl.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "fakes/kernel/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A file without contents that records when it is closed.
class Nothing final : public File {
 public:
  Nothing() : File(O_RDWR) {}
  int16_t PollEvents() override { return 0; }
  SysResult Read(const Caller&, absl::Span<const iovec>) override {
    return SysResult::Error(EIO);
  }
  SysResult Write(const Caller&, absl::Span<const iovec>) override {
    return SysResult::Error(EIO);
  }
  SysResult Ioctl(uint64_t, int*) override { return SysResult::Error(ENOTTY); }
  std::string Describe() const override { return "nothing"; }
  bool closed() const { return closed_; }

 protected:
  void OnLastClose(const Caller&) override { closed_ = true; }

 private:
  bool closed_ = false;
};

class DescriptorTableTest : public testing::Test {
 protected:
  void Open(int fd, bool close_on_exec = false) {
    table_.Set(fd, file_, close_on_exec);
  }

  Nothing file_;
  DescriptorTable table_{1024};
};

TEST_F(DescriptorTableTest, IsEmptyAtFirst) {
  EXPECT_THAT(table_.Open(), IsEmpty());
  EXPECT_EQ(table_.LowestFree(), 0);
  for (const int fd : {-1, 0, 1023, 1024, 1 << 30}) {
    EXPECT_EQ(table_.Get(fd), nullptr) << fd;
  }
}

TEST_F(DescriptorTableTest, InitialDescriptorsAreNotOpenedByTheProcess) {
  for (const int fd : {0, 1, 2}) table_.SetInitial(fd, file_);
  Open(3);
  EXPECT_THAT(table_.Open(), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(table_.OpenedByProcess(), ElementsAre(3));
  DescriptorTable child(1024);
  table_.CopyTo(child);
  EXPECT_THAT(child.OpenedByProcess(), ElementsAre(3));
  table_.Remove(1);
  Open(1);
  EXPECT_THAT(table_.OpenedByProcess(), ElementsAre(1, 3));
}

// open(2): "the lowest-numbered file descriptor not currently open".
TEST_F(DescriptorTableTest, TheLowestFreeNumberIsNext) {
  for (const int fd : {0, 1, 2, 4}) Open(fd);
  EXPECT_EQ(table_.LowestFree(), 3);
  Open(3);
  EXPECT_EQ(table_.LowestFree(), 5);
  table_.Remove(1);
  EXPECT_EQ(table_.LowestFree(), 1);
  EXPECT_THAT(table_.Open(), ElementsAre(0, 2, 3, 4));
}

// fcntl(2), F_DUPFD.
TEST_F(DescriptorTableTest, TheLowestFreeNumberFromSomewhereOn) {
  for (const int fd : {0, 10, 11}) Open(fd);
  EXPECT_EQ(table_.LowestFree(10), 12);
  EXPECT_EQ(table_.LowestFree(5), 5);
  EXPECT_EQ(table_.LowestFree(1000), 1000);
}

TEST_F(DescriptorTableTest, TheSearchMayBeginHigher) {
  DescriptorTable table(1024, /*lowest=*/100);
  EXPECT_EQ(table.LowestFree(), 100);
  EXPECT_EQ(table.LowestFree(5), 100);
  table.Set(100, file_, false);
  table.Set(7, file_, false);
  table.Remove(7);
  EXPECT_EQ(table.LowestFree(), 101);
  table.Remove(100);
  EXPECT_EQ(table.Reserve(), 100);
}

// getrlimit(2), RLIMIT_NOFILE: one more than the largest number that can be
// opened.
TEST_F(DescriptorTableTest, NoNumberIsAtTheLimit) {
  table_.set_limit(2);
  Open(0);
  EXPECT_EQ(table_.LowestFree(), 1);
  Open(1);
  EXPECT_EQ(table_.LowestFree(), -1);
  EXPECT_EQ(table_.LowestFree(5), -1);
  table_.Remove(0);
  EXPECT_EQ(table_.LowestFree(), 0);
}

TEST_F(DescriptorTableTest, DescriptorsBeyondALoweredLimitStayOpen) {
  Open(500);
  table_.set_limit(3);
  EXPECT_EQ(table_.Get(500), &file_);
  EXPECT_THAT(table_.Open(), ElementsAre(500));
}

TEST_F(DescriptorTableTest, EachDescriptorIsAReference) {
  Open(0);
  Open(7);
  EXPECT_EQ(file_.references(), 2);
  EXPECT_EQ(table_.Remove(0), &file_);
  EXPECT_EQ(table_.Get(0), nullptr);
  EXPECT_EQ(file_.references(), 2) << "it is the caller's now";
  file_.Unref({});
  EXPECT_FALSE(file_.closed());
  table_.Remove(7)->Unref({});
  EXPECT_TRUE(file_.closed());
}

TEST_F(DescriptorTableTest, CloseOnExecIsTheDescriptors) {
  Open(0, /*close_on_exec=*/true);
  Open(1);
  EXPECT_TRUE(table_.close_on_exec(0));
  EXPECT_FALSE(table_.close_on_exec(1));
  table_.set_close_on_exec(0, false);
  EXPECT_FALSE(table_.close_on_exec(0));
  table_.Remove(1);
  Open(1, /*close_on_exec=*/true);
  EXPECT_TRUE(table_.close_on_exec(1));
}

TEST_F(DescriptorTableTest, AChildHasTheSameDescriptors) {
  Open(3, /*close_on_exec=*/true);
  Open(70);
  DescriptorTable child(1024);
  table_.CopyTo(child);
  EXPECT_THAT(child.Open(), ElementsAre(3, 70));
  EXPECT_TRUE(child.close_on_exec(3));
  EXPECT_FALSE(child.close_on_exec(70));
  EXPECT_EQ(file_.references(), 4);
  EXPECT_EQ(child.LowestFree(), 0);
  child.Remove(3);
  EXPECT_EQ(table_.Get(3), &file_);
}

// Compares a random sequence of calls with a sorted set of numbers.
TEST_F(DescriptorTableTest, IsASetOfNumbers) {
  std::mt19937 random(7);
  const auto up_to = [&](int most) {
    return std::uniform_int_distribution<int>(0, most)(random);
  };
  std::set<int> model;
  table_.set_limit(200);
  for (int step = 0; step < 20'000; ++step) {
    const int lowest = up_to(3) == 0 ? up_to(199) : 0;
    int free = lowest;
    while (model.count(free) > 0) ++free;
    ASSERT_EQ(table_.LowestFree(lowest), free < 200 ? free : -1)
        << "from " << lowest << " on, step " << step;
    if (free < 200 && up_to(99) < 60) {
      Open(free);
      model.insert(free);
    } else if (const int fd = up_to(199); model.erase(fd) > 0) {
      table_.Remove(fd);
    }
  }
  EXPECT_EQ(table_.Open(), std::vector<int>(model.begin(), model.end()));
}

}  // namespace
}  // namespace net::fake
