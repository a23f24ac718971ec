#ifndef FAKES_INVOCATION_H_
#define FAKES_INVOCATION_H_

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <utility>
#include <variant>

#include "absl/container/inlined_vector.h"
#include "fakes/call.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"
#include "syscalls/syscalls.h"

namespace net {

// The arguments of a call, with the names that class Syscalls gives them:
// Arguments<Call::kSend> has the fields fd, data, size and flags.
template <Call kCall>
struct Arguments;

#define NET_SYSCALL_FIELD(type, name, kind) type name;
#define NET_SYSCALL(method, name, result, ...)                            \
  template <>                                                             \
  struct Arguments<Call::k##method> {                                     \
    NET_SYSCALL_EACH(NET_SYSCALL_FIELD, NET_SYSCALL_NOTHING, __VA_ARGS__) \
  };
#include "syscalls/syscall_table.inc"
#undef NET_SYSCALL_FIELD

// One argument, for code that treats all calls alike.
struct Argument {
  ArgumentKind kind = ArgumentKind::kNumber;
  int64_t number = 0;             // 0 if the argument is a pointer.
  const void* pointer = nullptr;  // Null if the argument is a number.
};

// Print values in messages of tests: "kind 3: 128". The number of a kind is its
// place in the enum.
std::ostream& operator<<(std::ostream& os, ArgumentKind kind);
std::ostream& operator<<(std::ostream& os, const Argument& argument);

// A system call with its arguments. A copy points to the same memory as the
// caller's arguments, so its pointers are valid only during the call.
class Invocation {
 public:
  template <Call kCall>
  explicit Invocation(const Arguments<kCall>& arguments)
      : arguments_(arguments) {}

  Call call() const { return static_cast<Call>(arguments_.index()); }

  // Returns the arguments if it is that call, else null:
  //
  //   if (auto* send = invocation.As<Call::kSend>()) send->size = 1;
  template <Call kCall>
  Arguments<kCall>* As() {
    return std::get_if<Arguments<kCall>>(&arguments_);
  }
  template <Call kCall>
  const Arguments<kCall>* As() const {
    return std::get_if<Arguments<kCall>>(&arguments_);
  }

  // Returns the arguments in their order.
  absl::InlinedVector<Argument, 6> List() const;

  // Returns the first argument if it is a descriptor, else -1. It is the
  // epoll's descriptor for epoll_ctl(2), and the old one for dup3(2).
  int fd() const;

  // Returns whether the value of a success is a new descriptor: socket,
  // accept4, dup, dup3, epoll_create1, eventfd, and fcntl with F_DUPFD or
  // F_DUPFD_CLOEXEC.
  bool makes_descriptor() const;

  // Returns the array of pipe2(2), which holds two new descriptors after a
  // success; null for every other call.
  const int* pipe_descriptors() const;

  // Makes the call on `kernel`.
  SysResult MakeOn(Syscalls& kernel) const;

  // Calls `visitor` with the Arguments.
  template <typename Visitor>
  auto Visit(Visitor&& visitor) const {
    return std::visit(std::forward<Visitor>(visitor), arguments_);
  }

 private:
  template <size_t... kIndex>
  static std::variant<Arguments<static_cast<Call>(kIndex)>...> VariantOf(
      std::index_sequence<kIndex...>);

  // The alternative with the index i has the arguments of the Call i.
  decltype(VariantOf(std::make_index_sequence<kCallCount>())) arguments_;
};

}  // namespace net

#endif  // FAKES_INVOCATION_H_
