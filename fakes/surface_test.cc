// Every virtual of class Syscalls is overridden by each kernel and each
// decorator. Otherwise a call added to Syscalls would return ENOSYS there.

#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "fakes/call.h"
#include "fakes/fake_process.h"
#include "fakes/fault_injector.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/mock_syscalls.h"
#include "fakes/tracing_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/linux_syscalls.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The names of the virtuals of Syscalls, in order: "Socket", "Bind".
// syscall_methods.inc is generated from syscalls/syscalls.h.
std::vector<std::string> Methods() {
  return {
#define SYSCALL(method) #method,
#include "fakes/syscall_methods.inc"
#undef SYSCALL
  };
}

// The virtuals of Syscalls that `Derived` has from `Base`. The type of
// &Derived::Method names the class that declares Method.
template <typename Derived, typename Base>
std::vector<std::string> Inherited() {
  std::vector<std::string> inherited;
#define SYSCALL(method)                                                      \
  if (std::is_same_v<decltype(&Derived::method), decltype(&Base::method)>) { \
    inherited.emplace_back(#method);                                         \
  }
#include "fakes/syscall_methods.inc"
#undef SYSCALL
  return inherited;
}

TEST(SurfaceTest, FindsWhatIsNotOverridden) {
  class OnlyClose : public Syscalls {
   public:
    SysResult Close(int) override { return SysResult::Ok(); }
  };
  std::vector<std::string> expected = Methods();
  std::erase(expected, "Close");
  EXPECT_EQ((Inherited<OnlyClose, Syscalls>()), expected);
}

TEST(SurfaceTest, CallNamesEachMethodInOrder) {
  std::vector<std::string> names;
  for (const Call call : AllCalls()) {
    names.push_back(absl::StrReplaceAll(CallName(call), {{"_", ""}}));
  }
  std::vector<std::string> expected;
  for (const std::string& method : Methods()) {
    expected.push_back(absl::AsciiStrToLower(method));
  }
  EXPECT_EQ(names, expected);
}

TEST(SurfaceTest, LinuxSyscallsIsWhole) {
  EXPECT_THAT((Inherited<LinuxSyscalls, Syscalls>()), IsEmpty());
}

// epoll(7) is not modelled.
TEST(SurfaceTest, FakeProcessIsWholeButForEpoll) {
  EXPECT_THAT((Inherited<FakeProcess, Syscalls>()),
              ElementsAre("EpollCreate1", "EpollCtl", "EpollWait"));
}

TEST(SurfaceTest, InterceptingSyscallsIsWhole) {
  EXPECT_THAT((Inherited<InterceptingSyscalls, Syscalls>()), IsEmpty());
  EXPECT_THAT((Inherited<FaultInjector, Syscalls>()), IsEmpty());
}

TEST(SurfaceTest, TracingSyscallsIsWhole) {
  EXPECT_THAT((Inherited<TracingSyscalls, Syscalls>()), IsEmpty());
}

TEST(SurfaceTest, MockSyscallsIsWhole) {
  EXPECT_THAT((Inherited<MockSyscallsMethods, Syscalls>()), IsEmpty());
  EXPECT_THAT((Inherited<MockSyscallsBase, MockSyscallsMethods>()), IsEmpty());
}

}  // namespace
}  // namespace net
