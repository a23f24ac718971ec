// What ThreadSanitizer shall not report. It asks the program itself, so this holds in tests, under `bazel run`, and in
// child processes alike, without a file to be found or an environment variable to be passed on.
//
// --config=tsan links it into every program as its "malloc" (.bazelrc): the one library that Bazel adds to all.
extern "C" const char* __tsan_default_suppressions();

const char* __tsan_default_suppressions() {
  // Debian's abseil is compiled without ThreadSanitizer. An absl::Status with an error is a pointer to a counted
  // representation; the last reference is given back inside that library, which hides the atomic decrement that orders
  // the deletion after all other uses. Nothing else of abseil is excused: its Mutex and Notification are not used here.
  return "race:absl::*Status*::Unref\n";
}
