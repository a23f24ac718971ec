#ifndef FAKES_KERNEL_TCP_BYTE_QUEUE_H_
#define FAKES_KERNEL_TCP_BYTE_QUEUE_H_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "fakes/kernel/race_detector.h"

namespace net::fake {

// The memory of byte queues. The chunk that was returned last is reused first,
// while it is in the processor's cache. Guarded by the kernel's mutex.
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
  // Requires that every queue has returned its chunks.
  ~ChunkPool();

  Chunk* Take() {
    // Not value-initialised, because only bytes that were written are read.
    if (free_ == nullptr) return new Chunk;
    Chunk* const chunk = free_;
    free_ = chunk->next;
    --free_count_;
    chunk->next = nullptr;
    return chunk;
  }
  void Give(Chunk* chunk) {
    if (free_count_ == kMaxFree) {
      delete chunk;
      return;
    }
    chunk->next = free_;
    free_ = chunk;
    ++free_count_;
  }

 private:
  // Chunks beyond this number are freed.
  static constexpr int kMaxFree = 1024;

  Chunk* free_ = nullptr;
  int free_count_ = 0;
};

// A first-in, first-out queue of bytes. It has no memory while it is empty.
// Pointers that are passed to it must be valid.
class ByteQueue {
 public:
  ByteQueue() = default;
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;
  // Requires that the queue is empty; otherwise its chunks leak.
  ~ByteQueue() = default;

  size_t size() const { return size_; }

  void Append(ChunkPool& pool, const char* data, size_t size) {
    ShowRead(data, size);
    if (last_ == nullptr) {
      if (size == 0) return;
      first_ = last_ = pool.Take();
      begin_ = end_ = 0;
    }
    if (size > Chunk::kSize - end_) return AppendToSeveral(pool, data, size);
    std::memcpy(last_->bytes + end_, data, size);
    end_ += static_cast<uint32_t>(size);
    size_ += size;
  }
  // Copies `size` bytes, starting at `offset`. Requires that the queue has
  // them.
  void Peek(char* to, size_t offset, size_t size) const;
  // Removes the first `size` bytes and copies them to `to`, unless that is
  // null. Requires that the queue has them.
  void Take(ChunkPool& pool, char* to, size_t size) {
    assert(size <= size_);
    if (to != nullptr) ShowWrite(to, size);
    if (size < size_ || first_ != last_ || size == 0 || to == nullptr) {
      return TakeFromSeveral(pool, to, size);
    }
    std::memcpy(to, first_->bytes + begin_, size);
    pool.Give(first_);
    Empty();
  }
  // Removes all bytes.
  void Clear(ChunkPool& pool) {
    if (first_ != nullptr) Take(pool, nullptr, size_);
  }
  // Removes all but the first `size` bytes.
  void Truncate(ChunkPool& pool, size_t size);

 private:
  friend class InvariantWalk;
  friend struct StateCorruption;

  using Chunk = ChunkPool::Chunk;

  // Append() and Take(), for more than one chunk.
  void AppendToSeveral(ChunkPool& pool, const char* data, size_t size);
  void TakeFromSeveral(ChunkPool& pool, char* to, size_t size);
  // Forgets the chunks, which were returned.
  void Empty() {
    first_ = last_ = nullptr;
    size_ = 0;
    begin_ = end_ = 0;
  }

  Chunk* first_ = nullptr;
  Chunk* last_ = nullptr;
  size_t size_ = 0;
  uint32_t begin_ = 0;  // In the first chunk.
  uint32_t end_ = 0;    // In the last chunk.
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_BYTE_QUEUE_H_
