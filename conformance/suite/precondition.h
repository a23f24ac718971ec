#ifndef CONFORMANCE_SUITE_PRECONDITION_H_
#define CONFORMANCE_SUITE_PRECONDITION_H_

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace net::conformance {

// Makes `precondition` the outcome of the running case, with `reason`, unless
// an assertion has failed before. Use it for conditions that only the
// operations of the case can check. Conditions that are known before the case
// starts are Needs. Later assertions of the case are ignored. May be called
// from any thread.
inline void NotePrecondition(absl::string_view reason) {
  // GTEST_SKIP() records a result that reaches the engine in order with the
  // failures. It is in a lambda because the macro returns.
  [&] { GTEST_SKIP() << reason; }();
}

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_PRECONDITION_H_
