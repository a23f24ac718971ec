#ifndef FAKES_THREADS_NEXT_H_
#define FAKES_THREADS_NEXT_H_

#include <atomic>

// Lets a hook call the function that it replaces.
//
// A hook is a function with the name of one of the C library. The dynamic
// linker takes the first definition that it finds, in the program, then in its
// libraries in the order of the command line. The program's hook therefore also
// gets the calls of libstdc++.so and of every other library.
//
// The next function is
// - the interceptor of AddressSanitizer or ThreadSanitizer, if there is one;
// - otherwise the definition of the next library (dlsym(3), RTLD_NEXT).
//
// The sanitizers of clang are linked into the program itself, where RTLD_NEXT
// would skip them. Their functions are weak symbols, which a hook overrides,
// and have a second name for this purpose, __interceptor_NAME. The sanitizers
// of gcc are libraries with the same second names.

namespace net::threads {

// Returns the definition after the calling program's or library's. Aborts if
// there is none: the program is linked with -static.
void* FindNext(const char* name);

// A pointer to the next function, found at the first call.
template <typename Result, typename... Arguments>
class Next {
 public:
  using Function = Result (*)(Arguments...);

  constexpr Next(Function interceptor, const char* name)
      : interceptor_(interceptor), name_(name) {}

  Result operator()(Arguments... arguments) { return Find()(arguments...); }

 private:
  Function Find() {
    Function function = function_.load(std::memory_order_relaxed);
    if (function == nullptr) {
      function = interceptor_ != nullptr
                     ? interceptor_
                     : reinterpret_cast<Function>(FindNext(name_));
      function_.store(function, std::memory_order_relaxed);
    }
    return function;
  }

  const Function interceptor_;
  const char* const name_;
  std::atomic<Function> function_{nullptr};
};

}  // namespace net::threads

// Declares next::NAME, the next function of the C library's function NAME.
#define NET_NEXT_FUNCTION(name)                                      \
  /* NOLINTNEXTLINE(bugprone-reserved-identifier): the run-time's */ \
  extern "C" [[gnu::weak]] decltype(name) __interceptor_##name;      \
  namespace net::threads::next {                                     \
  inline constinit Next name(&__interceptor_##name, #name);          \
  }

#endif  // FAKES_THREADS_NEXT_H_
