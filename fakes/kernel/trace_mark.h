#ifndef FAKES_KERNEL_TRACE_MARK_H_
#define FAKES_KERNEL_TRACE_MARK_H_

#include <string>

namespace net::fake {

// The line that precedes the calling thread's next call in a trace; "" for
// none. The kernel sets it, and TracingSyscalls takes it.
inline std::string& PendingTraceMark() {
  static thread_local std::string mark;
  return mark;
}

}  // namespace net::fake

#endif  // FAKES_KERNEL_TRACE_MARK_H_
