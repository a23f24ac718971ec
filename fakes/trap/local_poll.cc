#include "fakes/trap/local_poll.h"

#include <poll.h>
#include <sys/types.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "fakes/trap/memory_copy.h"
#include "fakes/trap/process.h"

namespace net::trap {

bool LocalPoll::Prepare(MemoryCopies& memory, const Process& process,
                        uint64_t address, size_t count) {
  if (address == 0) return true;
  const MemoryCopy* const copy =
      memory.AddCopy(address, count * sizeof(pollfd));
  if (copy == nullptr) return false;
  address_ = address;
  set_.resize(count);
  std::memcpy(set_.data(), copy->bytes.data(), copy->bytes.size());
  for (pollfd& one : set_) {
    if (one.fd < 0) continue;
    const int duplicate = process.Duplicate(one.fd);
    if (duplicate < 0 && duplicate != -EBADF) return false;
    // A number that is not open here either: POLLNVAL.
    one.fd = duplicate >= 0 ? duplicate : INT_MAX;
    if (duplicate >= 0) duplicates_.emplace_back(duplicate);
  }
  return true;
}

bool LocalPoll::WriteOutputs(pid_t thread) const {
  for (size_t i = 0; i < set_.size(); ++i) {
    const uint64_t to =
        address_ + i * sizeof(pollfd) + offsetof(pollfd, revents);
    if (!WriteMemory(thread, to, &set_[i].revents, sizeof(set_[i].revents))) {
      return false;
    }
  }
  return true;
}

}  // namespace net::trap
