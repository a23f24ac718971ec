#ifndef SYSCALLS_SYS_RESULT_H_
#define SYSCALLS_SYS_RESULT_H_

#include <cassert>
#include <cerrno>
#include <cstdint>
#include <ostream>

#include "syscalls/require_cxx20.h"

namespace net {

// What one system call answered: a value >= 0, or an errno.
//
// One machine word, passed in a register, cheap to copy. There is no implicit
// conversion to or from int, so a result can be mistaken neither for a
// descriptor nor for a boolean. The errno travels inside: the global `errno`
// is never part of a call's answer.
//
//   SysResult r = sys.Accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
//   if (!r.ok()) return r.error();  // e.g. EMFILE
//   int connection = r.fd();
//
// A default-constructed result is ENOSYS: what a call answers that an
// implementation of Syscalls does not have.
class [[nodiscard]] SysResult {
 public:
  constexpr SysResult() = default;

  // A success. `value` must be >= 0.
  static constexpr SysResult Ok(int64_t value = 0) {
    assert(value >= 0);
    return SysResult(value);
  }

  // A failure. `error` must be an errno, so > 0.
  static constexpr SysResult Error(int error) {
    assert(error > 0);
    return SysResult(-static_cast<int64_t>(error));
  }

  constexpr bool ok() const { return word_ >= 0; }

  // The value of a success. Requires ok().
  constexpr int64_t value() const {
    assert(ok());
    return word_;
  }

  // The value of a success whose call answers a descriptor or another int.
  // Requires ok().
  constexpr int fd() const { return static_cast<int>(value()); }

  // The errno of a failure; 0 if ok().
  constexpr int error() const { return ok() ? 0 : static_cast<int>(-word_); }

  friend constexpr bool operator==(SysResult, SysResult) = default;

 private:
  explicit constexpr SysResult(int64_t word) : word_(word) {}

  int64_t word_ = -int64_t{ENOSYS};
};

static_assert(sizeof(SysResult) == sizeof(void*));

// "5", or "-1 ECONNREFUSED", as strace(1) prints a call's answer.
std::ostream& operator<<(std::ostream& os, SysResult result);

}  // namespace net

#endif  // SYSCALLS_SYS_RESULT_H_
