#include "syscalls/sys_result.h"

#include <ostream>

#include "syscalls/errors/errno_symbol.h"

namespace net {

std::ostream& operator<<(std::ostream& os, SysResult result) {
  if (result.ok()) return os << result.value();
  return os << "-1 " << ErrnoSymbol(result.error());
}

}  // namespace net
