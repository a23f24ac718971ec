#ifndef FAKES_PRELOAD_SHARED_CALL_CODEC_H_
#define FAKES_PRELOAD_SHARED_CALL_CODEC_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "fakes/preload/shared/call_regions.h"
#include "fakes/preload/shared/message.h"
#include "syscalls/sys_result.h"

// System calls as messages. Everything follows from the kinds of arguments in
// syscalls/syscall_table.inc, so a new call needs nothing here, unless it has a
// new kind of pointer (call_regions.cc).

namespace net::preload {

// In the client: the memory of one call. Valid while the call's arguments are.
class ClientCall {
 public:
  // Finds the regions.
  explicit ClientCall(const Invocation& invocation);

  // Writes the call, with the data that it reads.
  void Put(MessageWriter& message) const;
  // Takes the result, and fills in the memory that the call has written.
  SysResult TakeResult(MessageReader& message) const;

 private:
  const Call call_;
  absl::InlinedVector<Argument, 6> arguments_;
  std::vector<Region> regions_;
};

// In the server: a call with copies of the client's memory.
class ServerCall {
 public:
  // Fails if the message is not one of ClientCall.
  static std::optional<ServerCall> Take(MessageReader& message);

  const Invocation& invocation() const { return *invocation_; }

  // Writes the result, and the memory that the call has written.
  void PutResult(SysResult result, MessageWriter& message);

 private:
  struct Copy {
    std::unique_ptr<char[]> bytes;
    size_t size;
    Region::Back back;
    char* place;  // Where another copy has the pointer to this one, or null.
    std::array<char, sizeof(void*)> client_pointer;  // Its value in the client.
  };

  std::vector<Copy> copies_;
  std::optional<Invocation> invocation_;
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_SHARED_CALL_CODEC_H_
