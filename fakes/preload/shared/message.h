#ifndef FAKES_PRELOAD_SHARED_MESSAGE_H_
#define FAKES_PRELOAD_SHARED_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Messages between a process on a shared FakeKernel and the server that holds
// it (fakes/preload/shared/protocol.h).

namespace net::preload {

// Appends values to the bytes of a message. Both ends run on one machine, so a
// value is the bytes of its object.
//
// A short message needs no memory of the heap: a malloc(3) of the program may
// hold its own locks when it locks a mutex, for which a request is sent.
class MessageWriter {
 public:
  template <typename T>
  MessageWriter& Put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    static_assert(!std::is_pointer_v<T>);
    return Append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  MessageWriter& PutBytes(const void* data, size_t size) {
    Put<uint64_t>(size);
    return Append(static_cast<const char*>(data), size);
  }
  MessageWriter& PutText(absl::string_view text) {
    return PutBytes(text.data(), text.size());
  }

  // Appends the values of another message.
  MessageWriter& Append(const MessageWriter& other) {
    return Append(other.bytes_.data(), other.bytes_.size());
  }

  absl::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

 private:
  MessageWriter& Append(const char* data, size_t size) {
    const size_t before = bytes_.size();
    bytes_.resize(before + size);
    if (size > 0) std::memcpy(bytes_.data() + before, data, size);
    return *this;
  }

  absl::InlinedVector<char, 512> bytes_;
};

// Takes the values in the order in which they were put. Beyond the end of the
// message, values are 0 and texts empty.
class MessageReader {
 public:
  MessageReader() = default;
  explicit MessageReader(absl::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T Take() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value = {};
    if (bytes_.size() < sizeof(value)) {
      bytes_ = {};
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof(value));
    bytes_.remove_prefix(sizeof(value));
    return value;
  }
  absl::string_view TakeBytes() {
    const auto size = Take<uint64_t>();
    const absl::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(taken.size());
    return taken;
  }

 private:
  absl::string_view bytes_;
};

// One end of a stream socket that carries messages. Owns the descriptor.
// Thread-compatible.
class MessageChannel {
 public:
  explicit MessageChannel(int fd) : fd_(fd) {}
  MessageChannel(const MessageChannel&) = delete;
  MessageChannel& operator=(const MessageChannel&) = delete;
  ~MessageChannel();

  int fd() const { return fd_; }

  // Sends a message of a type. Returns false if the peer is gone.
  bool Send(uint32_t type, absl::string_view bytes);
  // Waits until Receive() returns without blocking for long. Returns false
  // after `limit`.
  bool IsReadable(absl::Duration limit) const;
  // Waits for a message. Returns false if the peer is gone. The bytes are valid
  // until the next call.
  bool Receive(uint32_t& type, MessageReader& message);

 private:
  struct Header {
    uint32_t type;
    uint32_t reserved;
    uint64_t size;
  };

  // Receives until `size` unread bytes are in `buffer_`.
  bool Fill(size_t size);

  const int fd_;
  std::string buffer_;
  size_t begin_ = 0;  // The first unread byte.
  size_t end_ = 0;    // Behind the last unread byte.
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_SHARED_MESSAGE_H_
