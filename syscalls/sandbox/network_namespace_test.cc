#include "syscalls/sandbox/network_namespace.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/forbidden_calls.h"
#include "syscalls/sandbox/other_user.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/testing/matchers.h"

// Systems that allow namespaces but give no capabilities in them are imitated
// by seccomp(2): each system call that would need a capability fails with
// EPERM.

namespace net::sandbox {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// Returns what `body` returns in a child, whose failed expectations fail the
// test.
std::string InChild(absl::FunctionRef<std::string()> body) {
  const absl::StatusOr<std::string> text = RunInChild([body] {
    std::string returned = body();
    if (testing::Test::HasFailure()) _exit(1);
    return returned;
  });
  EXPECT_THAT(text, IsOk());
  return text.value_or("");
}

ino_t OwnNamespace(const char* kind) {
  struct stat link = {};
  EXPECT_EQ(stat(absl::StrCat("/proc/self/ns/", kind).c_str(), &link), 0);
  return link.st_ino;
}

// Returns why there is no network of its own, or that the process was moved.
std::string WhyNotAndNotMoved() {
  const ino_t network = OwnNamespace("net");
  const ino_t user = OwnNamespace("user");
  const absl::Status entered = EnterOwnNetwork();
  if (entered.ok()) return "it was moved";
  const bool is_moved =
      network != OwnNamespace("net") || user != OwnNamespace("user");
  return absl::StrCat(is_moved ? "it was moved, though " : "",
                      entered.message());
}

TEST(OwnNetworkTest, IsEnteredOrNotAtAll) {
  const std::string why = InChild([] {
    const ino_t before = OwnNamespace("net");
    const absl::Status entered = EnterOwnNetwork();
    EXPECT_EQ(entered.ok(), before != OwnNamespace("net"));
    return std::string(entered.message());
  });
  if (!why.empty()) GTEST_SKIP() << why;
}

TEST(OwnNetworkTest, EachCallEntersAnother) {
  const std::string why = InChild([]() -> std::string {
    if (absl::Status first = EnterOwnNetwork(); !first.ok()) {
      return std::string(first.message());
    }
    const ino_t before = OwnNamespace("net");
    EXPECT_THAT(EnterOwnNetwork(), IsOk());
    EXPECT_NE(before, OwnNamespace("net"));
    return "";
  });
  if (!why.empty()) GTEST_SKIP() << why;
}

TEST(OwnNetworkTest, WithoutTheRightToConfigureItIsNotEntered) {
  EXPECT_THAT(InChild([] {
                EXPECT_THAT(ForbidInterfaceFlags(), IsOk());
                return WhyNotAndNotMoved();
              }),
              AllOf(StartsWith("no network namespace of its own: "),
                    HasSubstr("EPERM")));
}

TEST(OwnNetworkTest, AUserNamespaceWithoutCapabilitiesIsNotEntered) {
  for (const auto forbid : {&ForbidInterfaceFlags, &ForbidWriting}) {
    const std::string why = InChild([forbid]() -> std::string {
      if (!BecomeOtherUser().ok()) return "skip";
      EXPECT_THAT(forbid(), IsOk());
      return WhyNotAndNotMoved();
    });
    if (why == "skip") GTEST_SKIP() << "there is no other user";
    EXPECT_THAT(why, AllOf(StartsWith("no network namespace of its own: "),
                           HasSubstr("EPERM")));
  }
}

TEST(NetworkOfTest, AForkedChildSharesTheNetwork) {
  absl::StatusOr<WatchedChild> child = WatchedChild::Start([](int) {
    while (true) pause();
  });
  ASSERT_THAT(child, IsOk());
  EXPECT_THAT(SharesNetworkWith(child->pid()), IsOkAndHolds(true));
}

TEST(NetworkOfTest, TheNetworkOfAnotherProcessIsEntered) {
  // In a child, because CheckOwnNetwork() keeps its first result, and other
  // tests need a first call.
  const std::string why =
      InChild([] { return std::string(CheckOwnNetwork().message()); });
  if (!why.empty()) GTEST_SKIP() << why;
  absl::StatusOr<WatchedChild> other = WatchedChild::Start([](int report) {
    WriteReport(report, EnterOwnNetwork().ok() ? "in" : "not in");
    while (true) pause();
  });
  ASSERT_THAT(other, IsOk());
  std::array<pollfd, 2> events = other->Events();
  ASSERT_GE(poll(events.data(), events.size(), /*timeout=*/-1), 1);
  ASSERT_THAT(other->Read(), IsOk());
  ASSERT_EQ(other->report(), "in");
  InChild([&] {
    EXPECT_THAT(SharesNetworkWith(other->pid()), IsOkAndHolds(false));
    EXPECT_THAT(EnterNetworkOf(other->pid()), IsOk());
    EXPECT_THAT(SharesNetworkWith(other->pid()), IsOkAndHolds(true));
    return "";
  });
}

}  // namespace
}  // namespace net::sandbox
