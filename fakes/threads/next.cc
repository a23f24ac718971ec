#include "fakes/threads/next.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace net::threads {

void* FindNext(const char* name) {
  void* const function = dlsym(RTLD_NEXT, name);
  if (function != nullptr) return function;
  std::fprintf(stderr,
               "//fakes:thread_hooks: there is no %s to call. Link the program "
               "dynamically.\n",
               name);
  std::abort();
}

}  // namespace net::threads
