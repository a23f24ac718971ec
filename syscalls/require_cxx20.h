#ifndef SYSCALLS_REQUIRE_CXX20_H_
#define SYSCALLS_REQUIRE_CXX20_H_

// Reports a compiler that is not set to C++20 or later. Every header of net_tcp
// includes this file, directly or indirectly, before any code that an older C++
// rejects.

#if __cplusplus < 202002L
#error \
    "net_tcp needs C++20. Add to .bazelrc: build --cxxopt=-std=c++20 --host_cxxopt=-std=c++20"
// Including a missing header ends the compilation immediately. #error alone
// does not: the compiler continues and prints hundreds of errors.
#include "net_tcp/needs/cxx20"
#endif

#endif  // SYSCALLS_REQUIRE_CXX20_H_
