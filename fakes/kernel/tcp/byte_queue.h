#ifndef FAKES_KERNEL_TCP_BYTE_QUEUE_H_
#define FAKES_KERNEL_TCP_BYTE_QUEUE_H_

#include <cstddef>
#include <cstdint>

namespace net::fake {

// Where byte queues get their memory from, and give it back to: the chunk that
// was used last is the next one to be used, while it is in the processor's
// cache. Guarded by the kernel's mutex.
class ChunkPool {
 public:
  struct Chunk {
    static constexpr size_t kSize = 4096 - sizeof(void*);
    Chunk* next = nullptr;
    char bytes[kSize];
  };

  ChunkPool() = default;
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;
  // Every queue must have given its chunks back.
  ~ChunkPool();

  Chunk* Take();
  void Give(Chunk* chunk);

 private:
  // More than these go back to the heap.
  static constexpr int kMaxFree = 1024;

  Chunk* free_ = nullptr;
  int free_count_ = 0;
};

// A first-in, first-out queue of bytes, without memory while it is empty. What
// it is called with must be memory that can be read or written.
class ByteQueue {
 public:
  ByteQueue() = default;
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;
  // Must be empty, or its chunks are lost.
  ~ByteQueue() = default;

  size_t size() const { return size_; }

  void Append(ChunkPool& pool, const char* data, size_t size);
  // Copies `size` bytes from `offset` on, which must be there.
  void Peek(char* to, size_t offset, size_t size) const;
  // Takes the first `size` bytes, which must be there; `to` may be null, for
  // bytes that nobody wants.
  void Take(ChunkPool& pool, char* to, size_t size);
  // Forgets all but the first `size` bytes.
  void Truncate(ChunkPool& pool, size_t size);

 private:
  using Chunk = ChunkPool::Chunk;

  Chunk* first_ = nullptr;
  Chunk* last_ = nullptr;
  size_t size_ = 0;
  uint32_t begin_ = 0;  // in the first chunk
  uint32_t end_ = 0;    // in the last chunk
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_BYTE_QUEUE_H_
