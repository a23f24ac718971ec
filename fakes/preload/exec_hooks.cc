#include <unistd.h>

#include <cstdarg>
#include <vector>

#include "fakes/preload/timers.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"

// execve(2) and its relatives. A new program finds the FakeKernel in a
// server.

NET_NEXT_FUNCTION(execve)
NET_NEXT_FUNCTION(execvpe)
NET_NEXT_FUNCTION(fexecve)

namespace net::preload {
namespace {

void BeforeExec() {
  if (!IsInCharge()) return;
  if (Own() != nullptr) Own()->ShareForExec();
  if (Tree() != nullptr) Tree()->KeepAlarm(CurrentAlarm());
}

// The arguments of execl(3) up to the null pointer, which it includes.
class ArgumentList {
 public:
  ArgumentList(const char* first, va_list& rest) {
    for (const char* one = first; one != nullptr;
         one = va_arg(rest, const char*)) {
      arguments_.push_back(const_cast<char*>(one));
    }
    arguments_.push_back(nullptr);
  }

  char* const* get() const { return arguments_.data(); }

 private:
  std::vector<char*> arguments_;
};

}  // namespace
}  // namespace net::preload

using net::preload::ArgumentList;
using net::preload::BeforeExec;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
// NOLINTBEGIN(cert-dcl50-cpp): so is the number of arguments.
extern "C" {

int execve(const char* path, char* const arguments[],
           char* const environment[]) noexcept {
  BeforeExec();
  return next::execve(path, arguments, environment);
}

int execvpe(const char* file, char* const arguments[],
            char* const environment[]) noexcept {
  BeforeExec();
  return next::execvpe(file, arguments, environment);
}

int fexecve(int fd, char* const arguments[],
            char* const environment[]) noexcept {
  BeforeExec();
  return next::fexecve(fd, arguments, environment);
}

int execv(const char* path, char* const arguments[]) noexcept {
  return execve(path, arguments, environ);
}

int execvp(const char* file, char* const arguments[]) noexcept {
  return execvpe(file, arguments, environ);
}

int execl(const char* path, const char* argument, ...) noexcept {
  va_list rest;
  va_start(rest, argument);
  const ArgumentList arguments(argument, rest);
  va_end(rest);
  return execve(path, arguments.get(), environ);
}

int execlp(const char* file, const char* argument, ...) noexcept {
  va_list rest;
  va_start(rest, argument);
  const ArgumentList arguments(argument, rest);
  va_end(rest);
  return execvpe(file, arguments.get(), environ);
}

int execle(const char* path, const char* argument, ...) noexcept {
  va_list rest;
  va_start(rest, argument);
  const ArgumentList arguments(argument, rest);
  char* const* const environment = va_arg(rest, char* const*);
  va_end(rest);
  return execve(path, arguments.get(), environment);
}

}  // extern "C"
// NOLINTEND(cert-dcl50-cpp)
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
