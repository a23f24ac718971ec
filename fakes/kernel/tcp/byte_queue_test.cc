#include "fakes/kernel/tcp/byte_queue.h"

#include <cstddef>
#include <random>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace net::fake {
namespace {

constexpr size_t kChunk = ChunkPool::Chunk::kSize;

// Returns bytes whose values depend on their position in the stream.
std::string Stream(size_t from, size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>((from + i) * 2654435761U >> 13);
  }
  return bytes;
}

class ByteQueueTest : public testing::Test {
 protected:
  ~ByteQueueTest() override { queue_.Truncate(pool_, 0); }

  void Append(absl::string_view bytes) {
    queue_.Append(pool_, bytes.data(), bytes.size());
  }
  std::string Take(size_t size) {
    std::string bytes(size, '\0');
    queue_.Take(pool_, bytes.data(), size);
    return bytes;
  }
  std::string Peek(size_t offset, size_t size) {
    std::string bytes(size, '\0');
    queue_.Peek(bytes.data(), offset, size);
    return bytes;
  }

  ChunkPool pool_;
  ByteQueue queue_;
};

TEST_F(ByteQueueTest, IsEmptyAtFirst) {
  EXPECT_EQ(queue_.size(), 0U);
  EXPECT_EQ(Take(0), "");
  EXPECT_EQ(Peek(0, 0), "");
}

TEST_F(ByteQueueTest, GivesBackWhatWentInInOrder) {
  Append("first ");
  Append("");
  Append("second");
  EXPECT_EQ(queue_.size(), 12U);
  EXPECT_EQ(Take(3), "fir");
  EXPECT_EQ(Take(9), "st second");
  EXPECT_EQ(queue_.size(), 0U);
}

TEST_F(ByteQueueTest, PeekTakesNothing) {
  Append("0123456789");
  EXPECT_EQ(Peek(2, 3), "234");
  EXPECT_EQ(Take(10), "0123456789");
}

TEST_F(ByteQueueTest, BytesThatNobodyWantsAreGone) {
  Append("0123456789");
  queue_.Take(pool_, nullptr, 7);
  EXPECT_EQ(Take(3), "789");
}

TEST_F(ByteQueueTest, TruncateKeepsTheFirstBytes) {
  Append("0123456789");
  queue_.Truncate(pool_, 20);
  EXPECT_EQ(queue_.size(), 10U);
  queue_.Truncate(pool_, 4);
  Append("abc");
  EXPECT_EQ(Take(7), "0123abc");
}

// Sizes and offsets around the end of one chunk and of two.
TEST_F(ByteQueueTest, ChunksDoNotShow) {
  for (const size_t size :
       {kChunk - 1, kChunk, kChunk + 1, 2 * kChunk, 2 * kChunk + 1}) {
    SCOPED_TRACE(size);
    const std::string bytes = Stream(size, size);
    Append(bytes);
    EXPECT_EQ(Peek(size - 2, 2), bytes.substr(size - 2));
    EXPECT_EQ(Take(size - 1), bytes.substr(0, size - 1));
    Append("x");
    EXPECT_EQ(Take(2), bytes.substr(size - 1) + "x");
  }
}

TEST_F(ByteQueueTest, TruncateAtTheEndOfAChunk) {
  for (const size_t left : {kChunk - 1, kChunk, kChunk + 1}) {
    SCOPED_TRACE(left);
    const std::string bytes = Stream(0, 3 * kChunk);
    Append(bytes);
    queue_.Truncate(pool_, left);
    Append("more");
    EXPECT_EQ(Take(left + 4), bytes.substr(0, left) + "more");
  }
}

// Compares a random sequence of calls with a string.
TEST_F(ByteQueueTest, IsAStringInChunks) {
  std::mt19937 random(20240229);
  const auto up_to = [&](size_t most) {
    return std::uniform_int_distribution<size_t>(0, most)(random);
  };
  std::string model;
  size_t appended = 0;
  for (int step = 0; step < 20'000; ++step) {
    switch (up_to(3)) {
      case 0: {
        const std::string bytes =
            Stream(appended, up_to(1) == 0 ? up_to(9) : up_to(3 * kChunk));
        appended += bytes.size();
        Append(bytes);
        model += bytes;
        break;
      }
      case 1: {
        const size_t size = up_to(model.size());
        ASSERT_EQ(Take(size), model.substr(0, size)) << "step " << step;
        model.erase(0, size);
        break;
      }
      case 2: {
        const size_t offset = up_to(model.size());
        const size_t size = up_to(model.size() - offset);
        ASSERT_EQ(Peek(offset, size), model.substr(offset, size))
            << "step " << step;
        break;
      }
      default:
        // Seldom, so that the queue can grow long.
        if (up_to(9) > 0) break;
        model.resize(up_to(model.size()));
        queue_.Truncate(pool_, model.size());
        break;
    }
    ASSERT_EQ(queue_.size(), model.size()) << "step " << step;
  }
}

TEST_F(ByteQueueTest, QueuesShareAPool) {
  ByteQueue other;
  Append(Stream(0, 2 * kChunk));
  const std::string bytes = Stream(7, 2 * kChunk);
  other.Append(pool_, bytes.data(), bytes.size());
  EXPECT_EQ(Take(2 * kChunk), Stream(0, 2 * kChunk));
  Append(Stream(9, kChunk));
  std::string taken(bytes.size(), '\0');
  other.Take(pool_, taken.data(), taken.size());
  EXPECT_EQ(taken, bytes);
  EXPECT_EQ(Take(kChunk), Stream(9, kChunk));
}

}  // namespace
}  // namespace net::fake
