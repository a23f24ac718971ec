#include "fakes/invocation.h"

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <type_traits>

#include "absl/container/inlined_vector.h"
#include "fakes/call.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

constexpr ResultKind kResultKinds[] = {
#define NET_SYSCALL(method, name, result, ...) ResultKind::result,
#include "syscalls/syscall_table.inc"
};

template <typename T>
Argument MakeArgument(ArgumentKind kind, T value) {
  if constexpr (std::is_pointer_v<T>) {
    return {.kind = kind, .number = 0, .pointer = value};
  } else {
    return {.kind = kind, .number = static_cast<int64_t>(value)};
  }
}

#define NET_ARGUMENT(type, name, kind) \
  MakeArgument(ArgumentKind::k##kind, arguments.name)
#define NET_SYSCALL(method, name, result, ...)                               \
  absl::InlinedVector<Argument, 6> ListOf(                                   \
      const Arguments<Call::k##method>& arguments) {                         \
    return {NET_SYSCALL_EACH(NET_ARGUMENT, NET_SYSCALL_COMMA, __VA_ARGS__)}; \
  }
#include "syscalls/syscall_table.inc"
#undef NET_ARGUMENT

#define NET_FIELD(type, name, kind) arguments.name
#define NET_SYSCALL(method, name, result, ...)                        \
  SysResult Make(Syscalls& kernel,                                    \
                 const Arguments<Call::k##method>& arguments) {       \
    return kernel.method(                                             \
        NET_SYSCALL_EACH(NET_FIELD, NET_SYSCALL_COMMA, __VA_ARGS__)); \
  }
#include "syscalls/syscall_table.inc"
#undef NET_FIELD

}  // namespace

std::ostream& operator<<(std::ostream& os, ArgumentKind kind) {
  return os << "kind " << static_cast<int>(kind);
}

std::ostream& operator<<(std::ostream& os, const Argument& argument) {
  os << argument.kind << ": ";
  if (argument.pointer != nullptr) return os << argument.pointer;
  return os << argument.number;
}

absl::InlinedVector<Argument, 6> Invocation::List() const {
  return std::visit([](const auto& arguments) { return ListOf(arguments); },
                    arguments_);
}

int Invocation::fd() const {
  const Argument first = List().front();
  return first.kind == ArgumentKind::kFd ? static_cast<int>(first.number) : -1;
}

bool Invocation::makes_descriptor() const {
  if (const auto* const fcntl = As<Call::kFcntl>()) {
    return fcntl->command == F_DUPFD || fcntl->command == F_DUPFD_CLOEXEC;
  }
  return kResultKinds[static_cast<size_t>(call())] == ResultKind::kDescriptor;
}

const int* Invocation::pipe_descriptors() const {
  const auto* const pipe = As<Call::kPipe2>();
  return pipe == nullptr ? nullptr : pipe->fds;
}

SysResult Invocation::MakeOn(Syscalls& kernel) const {
  return std::visit(
      [&](const auto& arguments) { return Make(kernel, arguments); },
      arguments_);
}

}  // namespace net
