#include "fakes/trap/memory_copy.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "fakes/trap/process.h"

namespace net::trap {
namespace {

// The most memory that is copied for a call.
constexpr size_t kMostMemory = size_t{64} << 20;

}  // namespace

MemoryCopy* MemoryCopies::AddRoom(uint64_t address, size_t size) {
  if (size > kMostMemory - total_) return nullptr;
  total_ += size;
  auto copy = std::make_unique<MemoryCopy>();
  copy->address = address;
  copy->bytes.resize(size);
  copies_.push_back(std::move(copy));
  return copies_.back().get();
}

MemoryCopy* MemoryCopies::AddCopy(uint64_t address, size_t size) {
  MemoryCopy* const copy = AddRoom(address, size);
  if (copy == nullptr || size == 0) return copy;
  return ReadMemory(thread_, address, copy->bytes.data(), size) ? copy
                                                                : nullptr;
}

bool MemoryCopies::Write(const MemoryCopy* copy, size_t size) const {
  if (copy == nullptr) return true;
  size = std::min(size, copy->bytes.size());
  return size == 0 ||
         WriteMemory(thread_, copy->address, copy->bytes.data(), size);
}

}  // namespace net::trap
