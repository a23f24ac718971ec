#include "fakes/kernel/tcp/socket_pool.h"

#include <cstddef>
#include <vector>

#include "absl/base/config.h"
#include "gtest/gtest.h"

namespace net::fake {
namespace {

constexpr size_t kSize = 100;

#ifndef ABSL_HAVE_ADDRESS_SANITIZER
TEST(SocketPoolTest, WhatWasReturnedLastIsReusedFirst) {
  SocketPool pool;
  void* const first = pool.Take(kSize);
  void* const second = pool.Take(kSize);
  EXPECT_NE(first, second);
  pool.Give(first);
  pool.Give(second);
  EXPECT_EQ(pool.Take(kSize), second);
  EXPECT_EQ(pool.Take(kSize), first);
  pool.Give(first);
  pool.Give(second);
}
#endif

// LeakSanitizer finds what is neither reused nor freed.
TEST(SocketPoolTest, AllMemoryIsFreed) {
  SocketPool pool;
  std::vector<void*> taken(200);
  for (void*& memory : taken) memory = pool.Take(kSize);
  for (void* const memory : taken) pool.Give(memory);
  for (void*& memory : taken) memory = pool.Take(kSize);
  for (void* const memory : taken) pool.Give(memory);
}

}  // namespace
}  // namespace net::fake
