#ifndef FAKES_TRAP_LOCAL_MESSAGE_H_
#define FAKES_TRAP_LOCAL_MESSAGE_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

#include "fakes/trap/memory_copy.h"

namespace net::trap {

// Copies of the messages and buffers of calls of the target. For all classes:
//
// - `receives`: the call fills in the buffers. Otherwise it reads them.
// - `limit` is the maximum number of bytes of all buffers together. Prepare()
//   shortens the buffers, and subtracts their bytes from it.
// - Prepare() returns false if the target's memory cannot be copied.
// - WriteOutputs() writes the call's out-parameters to the target's memory. It
//   returns false for EFAULT.

// The buffers of readv(2), writev(2) and of a message.
class LocalBuffers {
 public:
  // `address` is that of an array of `count` iovecs.
  bool Prepare(MemoryCopies& memory, uint64_t address, uint64_t count,
               bool receives, size_t& limit);

  iovec* data() { return local_.data(); }

  // `bytes` is the number of received bytes.
  bool WriteOutputs(const MemoryCopies& memory, size_t bytes) const;

 private:
  std::vector<iovec> local_;
  std::vector<const MemoryCopy*> copies_;
};

// The message of sendmsg(2) and recvmsg(2).
class LocalMessage {
 public:
  // `address` is that of a msghdr.
  bool Prepare(MemoryCopies& memory, uint64_t address, bool receives,
               size_t& limit);

  msghdr& header() { return header_; }

  // recvmsg(2) has filled in `header`, and `bytes` bytes of the buffers.
  bool WriteOutputs(const MemoryCopies& memory, const msghdr& header,
                    size_t bytes) const;

 private:
  uint64_t address_ = 0;
  msghdr header_ = {};  // as the call gets it
  LocalBuffers buffers_;
  const MemoryCopy* name_ = nullptr;
  const MemoryCopy* control_ = nullptr;
};

// The messages of sendmmsg(2) and recvmmsg(2).
class LocalMessages {
 public:
  // `address` is that of an array of `count` mmsghdrs. Omits the messages
  // beyond the limit.
  bool Prepare(MemoryCopies& memory, uint64_t address, uint64_t count,
               bool receives, size_t limit);

  mmsghdr* data() { return headers_.data(); }
  size_t size() const { return headers_.size(); }

  // The call has sent or received `count` messages. `has_data`: received bytes
  // are in the buffers, not discarded (MSG_TRUNC).
  bool WriteOutputs(const MemoryCopies& memory, size_t count,
                    bool has_data) const;

 private:
  uint64_t address_ = 0;
  bool receives_ = false;
  std::vector<mmsghdr> headers_;
  std::list<LocalMessage> messages_;
};

}  // namespace net::trap

#endif  // FAKES_TRAP_LOCAL_MESSAGE_H_
