#include "fakes/trap/local_message.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fakes/trap/memory_copy.h"
#include "fakes/trap/process.h"

namespace net::trap {
namespace {

uint64_t AsAddress(const void* pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

MemoryCopy* Add(MemoryCopies& memory, const void* address, size_t size,
                bool receives) {
  return receives ? memory.AddRoom(AsAddress(address), size)
                  : memory.AddCopy(AsAddress(address), size);
}

// Writes a member of a struct at an address of the target.
template <typename T>
bool WriteMember(const MemoryCopies& memory, uint64_t address, size_t offset,
                 const T& member) {
  return WriteMemory(memory.thread(), address + offset, &member,
                     sizeof(member));
}

}  // namespace

bool LocalBuffers::Prepare(MemoryCopies& memory, uint64_t address,
                           uint64_t count, bool receives, size_t& limit) {
  if (count > IOV_MAX) return false;
  std::vector<iovec> remote(count);
  if (count > 0 && !ReadMemory(memory.thread(), address, remote.data(),
                               count * sizeof(iovec))) {
    return false;
  }
  for (const iovec& buffer : remote) {
    const size_t size = std::min(buffer.iov_len, limit);
    limit -= size;
    MemoryCopy* const copy = Add(memory, buffer.iov_base, size, receives);
    if (copy == nullptr) return false;
    local_.push_back({.iov_base = copy->bytes.data(), .iov_len = size});
    copies_.push_back(copy);
  }
  return true;
}

bool LocalBuffers::WriteOutputs(const MemoryCopies& memory,
                                size_t bytes) const {
  for (const MemoryCopy* const copy : copies_) {
    const size_t size = std::min(bytes, copy->bytes.size());
    bytes -= size;
    if (!memory.Write(copy, size)) return false;
  }
  return true;
}

bool LocalMessage::Prepare(MemoryCopies& memory, uint64_t address,
                           bool receives, size_t& limit) {
  address_ = address;
  if (!ReadMemory(memory.thread(), address, &header_, sizeof(header_))) {
    return false;
  }
  if (!buffers_.Prepare(memory, AsAddress(header_.msg_iov), header_.msg_iovlen,
                        receives, limit)) {
    return false;
  }
  header_.msg_iov = buffers_.data();
  if (header_.msg_control != nullptr) {
    MemoryCopy* const control =
        Add(memory, header_.msg_control, header_.msg_controllen, receives);
    if (control == nullptr) return false;
    header_.msg_control = control->bytes.data();
    control_ = control;
  }
  if (header_.msg_name != nullptr) {
    // The kernel copies no more of an address than it has (sys/socket.h).
    const size_t size =
        std::min<size_t>(header_.msg_namelen, sizeof(sockaddr_storage));
    MemoryCopy* const name = Add(memory, header_.msg_name, size, receives);
    if (name == nullptr) return false;
    header_.msg_name = name->bytes.data();
    header_.msg_namelen = static_cast<socklen_t>(size);
    name_ = name;
  }
  return true;
}

bool LocalMessage::WriteOutputs(const MemoryCopies& memory,
                                const msghdr& header, size_t bytes) const {
  return buffers_.WriteOutputs(memory, bytes) &&
         memory.Write(name_, header.msg_namelen) &&
         memory.Write(control_, header.msg_controllen) &&
         WriteMember(memory, address_, offsetof(msghdr, msg_namelen),
                     header.msg_namelen) &&
         WriteMember(memory, address_, offsetof(msghdr, msg_controllen),
                     header.msg_controllen) &&
         WriteMember(memory, address_, offsetof(msghdr, msg_flags),
                     header.msg_flags);
}

bool LocalMessages::Prepare(MemoryCopies& memory, uint64_t address,
                            uint64_t count, bool receives, size_t limit) {
  address_ = address;
  receives_ = receives;
  // The kernel takes no more (UIO_MAXIOV in net/socket.c).
  count = std::min<uint64_t>(count, IOV_MAX);
  // A message without room ends the call: it would receive nothing.
  for (uint64_t i = 0; i < count && limit > 0; ++i) {
    LocalMessage& message = messages_.emplace_back();
    if (!message.Prepare(memory, address + i * sizeof(mmsghdr), receives,
                         limit)) {
      return false;
    }
    headers_.push_back({.msg_hdr = message.header(), .msg_len = 0});
  }
  return true;
}

bool LocalMessages::WriteOutputs(const MemoryCopies& memory, size_t count,
                                 bool has_data) const {
  uint64_t address = address_;
  auto header = headers_.begin();
  for (const LocalMessage& message : messages_) {
    if (count == 0) break;
    if (receives_ && !message.WriteOutputs(memory, header->msg_hdr,
                                           has_data ? header->msg_len : 0)) {
      return false;
    }
    if (!WriteMember(memory, address, offsetof(mmsghdr, msg_len),
                     header->msg_len)) {
      return false;
    }
    --count;
    ++header;
    address += sizeof(mmsghdr);
  }
  return true;
}

}  // namespace net::trap
