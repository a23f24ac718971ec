#include "fakes/mock_syscalls.h"

#include <cerrno>
#include <string>

#include "fakes/call.h"
#include "fakes/call_text.h"
#include "fakes/invocation.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net {
namespace {

// Returns the text of a call that has no result yet: "close(3)".
template <Call kCall>
std::string TextOf(const Arguments<kCall>& arguments) {
  // After EINVAL no argument counts as filled in, and the set of poll(2) is not
  // read: it may be longer than its memory.
  return CallText(Invocation(arguments)).Call(SysResult::Error(EINVAL));
}

}  // namespace

MockSyscallsMethods::MockSyscallsMethods() = default;
MockSyscallsMethods::~MockSyscallsMethods() = default;

#define NET_SYSCALL(method, name, result, ...)                              \
  SysResult MockSyscallsBase::method(NET_SYSCALL_PARAMETERS(__VA_ARGS__)) { \
    const testing::ScopedTrace trace(                                       \
        __FILE__, __LINE__,                                                 \
        TextOf<Call::k##method>({NET_SYSCALL_NAMES(__VA_ARGS__)}));         \
    return MockSyscallsMethods::method(NET_SYSCALL_NAMES(__VA_ARGS__));     \
  }
#include "syscalls/syscall_table.inc"

}  // namespace net
