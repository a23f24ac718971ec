// The reports that ThreadSanitizer suppresses. It calls this function of the
// program, so the suppressions also apply in tests, under `bazel run` and in
// child processes, without a file or an environment variable.
//
// --config=tsan links it into every program as its "malloc" (.bazelrc), the
// only library that Bazel adds to all programs.

// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" const char* __tsan_default_suppressions() {
  // Debian's abseil is compiled without ThreadSanitizer. An absl::Status with
  // an error points to a reference-counted representation. A part of the
  // counting is inside the library, which hides the atomic decrement that
  // orders the deletion after all other uses. Nothing else in abseil is
  // suppressed.
  return "race:absl::*Status*::Unref\n";
}
