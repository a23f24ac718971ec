#include "fakes/mock_syscalls.h"

namespace net {

MockSyscallsBase::MockSyscallsBase() = default;
MockSyscallsBase::~MockSyscallsBase() = default;

}  // namespace net
