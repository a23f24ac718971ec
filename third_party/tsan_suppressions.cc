// What ThreadSanitizer shall not report. It asks the program itself, so this
// holds in tests, under `bazel run` and in child processes alike, with no file
// to be found and no environment variable to be passed on.
//
// --config=tsan links it into every program as its "malloc" (.bazelrc): the one
// library that Bazel adds to all.

// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" const char* __tsan_default_suppressions() {
  // Debian's abseil is compiled without ThreadSanitizer. An absl::Status with
  // an error points to a counted representation. Part of the counting happens
  // inside that library, which hides the atomic decrement that orders the
  // deletion after all other uses. Nothing else of abseil is excused.
  return "race:absl::*Status*::Unref\n";
}
