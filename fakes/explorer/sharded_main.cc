// main() of a test whose explorations Bazel's shards divide among them, instead
// of its TESTs: in each shard, every TEST runs, and explores its part.

#include <cstdlib>

#include "gtest/gtest.h"

int main(int argc, char** argv) {
  // Bazel sets these for GoogleTest.
  for (const char* const name :
       {"GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX", "GTEST_SHARD_STATUS_FILE"}) {
    ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
