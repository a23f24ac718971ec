#ifndef SYSCALLS_SYS_RESULT_H_
#define SYSCALLS_SYS_RESULT_H_

#include <cassert>
#include <cerrno>
#include <cstdint>
#include <ostream>

#include "syscalls/require_cxx20.h"

namespace net {

// Result of one system call: a value >= 0, or an errno.
//
// It is one machine word, which is passed in a register and cheap to copy. It
// does not convert implicitly to or from int, so it cannot be mistaken for a
// descriptor or a boolean. It contains the errno; callers need not read the
// global `errno`.
//
//   SysResult r = sys.Accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
//   if (!r.ok()) return r.error();  // e.g. EMFILE
//   int connection = r.fd();
//
// A default-constructed result is the error ENOSYS, which Syscalls returns for
// calls that an implementation does not have.
class [[nodiscard]] SysResult {
 public:
  constexpr SysResult() = default;

  // Returns a success. Requires `value` >= 0.
  static constexpr SysResult Ok(int64_t value = 0) {
    assert(value >= 0);
    return SysResult(value);
  }

  // Returns a failure. `error` is an errno; requires `error` > 0.
  static constexpr SysResult Error(int error) {
    assert(error > 0);
    return SysResult(-static_cast<int64_t>(error));
  }

  constexpr bool ok() const { return word_ >= 0; }

  // Returns the value of a success. Requires ok().
  constexpr int64_t value() const {
    assert(ok());
    return word_;
  }

  // Returns the value of a success as an int, for calls that return a
  // descriptor or a count that fits. Requires ok().
  constexpr int fd() const { return static_cast<int>(value()); }

  // Returns the errno of a failure, or 0 if ok().
  constexpr int error() const { return ok() ? 0 : static_cast<int>(-word_); }

  friend constexpr bool operator==(SysResult, SysResult) = default;

 private:
  explicit constexpr SysResult(int64_t word) : word_(word) {}

  int64_t word_ = -int64_t{ENOSYS};
};

static_assert(sizeof(SysResult) == sizeof(void*));

// Writes "5" or "-1 ECONNREFUSED", as strace(1) does.
std::ostream& operator<<(std::ostream& os, SysResult result);

}  // namespace net

#endif  // SYSCALLS_SYS_RESULT_H_
