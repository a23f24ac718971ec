#include "fakes/kernel/descriptor_table.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace net::fake {

int DescriptorTable::NextFree(int from) const {
  auto fd = static_cast<size_t>(from);
  while (fd / kBits < open_.size()) {
    const uint64_t free = ~open_[fd / kBits] & (~uint64_t{0} << fd % kBits);
    if (free != 0) {
      fd = fd / kBits * kBits + static_cast<size_t>(std::countr_zero(free));
      break;
    }
    fd = (fd / kBits + 1) * kBits;
  }
  return fd < static_cast<size_t>(limit_) ? static_cast<int>(fd) : -1;
}

void DescriptorTable::Grow(size_t index) {
  entries_.resize(index + 1);
  open_.resize(index / kBits + 1);
}

int DescriptorTable::Reserve() {
  const int fd = LowestFree();
  if (fd >= 0) Occupy(fd);
  return fd;
}

bool DescriptorTable::IsReserved(int fd) const {
  return IsTaken(fd) && Get(fd) == nullptr;
}

void DescriptorTable::SetInitial(int fd, File& file) {
  Set(fd, file, /*close_on_exec=*/false);
  entries_[static_cast<size_t>(fd)].initial = true;
}

std::vector<int> DescriptorTable::Open() const {
  std::vector<int> open;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].file != nullptr) open.push_back(static_cast<int>(i));
  }
  return open;
}

std::vector<int> DescriptorTable::OpenedByProcess() const {
  std::vector<int> opened = Open();
  std::erase_if(opened, [this](int fd) {
    return entries_[static_cast<size_t>(fd)].initial;
  });
  return opened;
}

void DescriptorTable::CopyTo(DescriptorTable& child) const {
  for (const int fd : Open()) {
    child.Set(fd, *Get(fd), close_on_exec(fd));
    child.entries_[static_cast<size_t>(fd)].initial =
        entries_[static_cast<size_t>(fd)].initial;
  }
}

}  // namespace net::fake
