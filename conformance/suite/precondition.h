#ifndef CONFORMANCE_SUITE_PRECONDITION_H_
#define CONFORMANCE_SUITE_PRECONDITION_H_

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace net::conformance {

// Makes `precondition` the outcome of the case that runs, with the reason,
// unless an assertion has failed before: what it needs is not there, which only
// its operations could show (what is known before is a Need). What the case
// does and asserts afterwards does not count. From any thread.
inline void NotePrecondition(absl::string_view reason) {
  // A part of GoogleTest's results of its own, which reaches the engine in the
  // order of the failures. The macro returns.
  [&] { GTEST_SKIP() << reason; }();
}

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_PRECONDITION_H_
