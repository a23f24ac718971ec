#include "fakes/kernel/tcp/byte_queue.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "fakes/kernel/race_detector.h"

namespace net::fake {

ChunkPool::~ChunkPool() {
  while (free_ != nullptr) {
    Chunk* const chunk = free_;
    free_ = chunk->next;
    delete chunk;
  }
}

void ByteQueue::AppendToSeveral(ChunkPool& pool, const char* data,
                                size_t size) {
  size_ += size;
  while (size > 0) {
    if (end_ == Chunk::kSize) {
      last_->next = pool.Take();
      last_ = last_->next;
      end_ = 0;
    }
    const size_t part = std::min(size, Chunk::kSize - end_);
    std::memcpy(last_->bytes + end_, data, part);
    end_ += static_cast<uint32_t>(part);
    data += part;
    size -= part;
  }
}

void ByteQueue::Peek(char* to, size_t offset, size_t size) const {
  assert(offset + size <= size_);
  ShowWrite(to, size);
  size_t at = begin_ + offset;
  const Chunk* chunk = first_;
  while (size > 0) {
    for (; at >= Chunk::kSize; at -= Chunk::kSize) chunk = chunk->next;
    const size_t part = std::min(size, Chunk::kSize - at);
    std::memcpy(to, chunk->bytes + at, part);
    to += part;
    size -= part;
    at += part;
  }
}

void ByteQueue::TakeFromSeveral(ChunkPool& pool, char* to, size_t size) {
  size_ -= size;
  while (size > 0) {
    const size_t part = std::min(size, Chunk::kSize - begin_);
    if (to != nullptr) {
      std::memcpy(to, first_->bytes + begin_, part);
      to += part;
    }
    begin_ += static_cast<uint32_t>(part);
    size -= part;
    if (begin_ == Chunk::kSize) {
      Chunk* const used = first_;
      first_ = used->next;
      pool.Give(used);
      begin_ = 0;
    }
  }
  if (size_ > 0) return;
  while (first_ != nullptr) {
    Chunk* const rest = first_;
    first_ = rest->next;
    pool.Give(rest);
  }
  Empty();
}

void ByteQueue::Truncate(ChunkPool& pool, size_t size) {
  if (size >= size_) return;
  if (size == 0) {
    Take(pool, nullptr, size_);
    return;
  }
  size_ = size;
  // The chunk that holds the last byte to stay, and that byte's end in the
  // chunk.
  size_t end = begin_ + size;
  Chunk* chunk = first_;
  for (; end > Chunk::kSize; end -= Chunk::kSize) chunk = chunk->next;
  while (chunk->next != nullptr) {
    Chunk* const gone = chunk->next;
    chunk->next = gone->next;
    pool.Give(gone);
  }
  last_ = chunk;
  end_ = static_cast<uint32_t>(end);
}

}  // namespace net::fake
