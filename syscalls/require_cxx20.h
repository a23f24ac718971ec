#ifndef SYSCALLS_REQUIRE_CXX20_H_
#define SYSCALLS_REQUIRE_CXX20_H_

// Every header of net_tcp includes this one, directly or through others, before
// anything that an older C++ rejects.

#if __cplusplus < 202002L
#error \
    "net_tcp needs C++20. Add to .bazelrc: build --cxxopt=-std=c++20 --host_cxxopt=-std=c++20"
// A missing header ends the compilation at once. After an #error alone it goes
// on, and hundreds of errors follow.
#include "net_tcp/needs/cxx20"
#endif

#endif  // SYSCALLS_REQUIRE_CXX20_H_
