#ifndef FAKES_TRAP_LOCAL_CALL_H_
#define FAKES_TRAP_LOCAL_CALL_H_

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "fakes/trap/process.h"
#include "fakes/trap/trapped_call.h"

namespace net::trap {

// A call of the target that this process makes in its place, with duplicates of
// the target's descriptors and copies of its memory. The credentials, the
// network namespace and the limits are this process's.
//
//   LocalCall local(call, process);
//   if (local.Prepare(...)) {
//     const int64_t result = local.Make();  // May block: see MayBlock().
//     ... is the notification still valid? ...
//     local.WriteOutputs(result);
//   }
//
// Not supported, because they mean the caller's own descriptors or signals:
// epoll_ctl(2), fcntl(2) except F_GETFL and F_SETFL, calls that change the
// signal mask, select(2), sendmmsg(2) and recvmmsg(2).
class LocalCall {
 public:
  struct Limits {
    // The most bytes to send or to receive.
    size_t bytes = std::numeric_limits<size_t>::max();
    // The most bytes to write of an address.
    size_t address = std::numeric_limits<size_t>::max();
  };

  LocalCall(const TrappedCall& call, std::shared_ptr<const Process> process)
      : call_(call), process_(std::move(process)) {}
  LocalCall(const LocalCall&) = delete;
  LocalCall& operator=(const LocalCall&) = delete;
  ~LocalCall() = default;

  // Copies what the call reads. Returns false if the call is not supported, or
  // if the target's memory cannot be read. Then let the kernel make the call:
  // it knows the right errno.
  bool Prepare(const Limits& limits);

  // Whether the call may wait: for data, a connection, or readiness.
  bool MayBlock() const;

  // Makes the call. Returns its value or -errno. EPIPE raises SIGPIPE in this
  // thread, which must block it.
  int64_t Make();

  // Writes what the call has filled in to the target's memory. Returns false
  // for EFAULT.
  bool WriteOutputs(int64_t result) const;

  // The duplicate of the first argument, or -1.
  int fd() const { return duplicates_.empty() ? -1 : duplicates_[0].get(); }
  const TrappedCall& call() const { return call_; }
  const Process& process() const { return *process_; }
  // Replaces the value that getsockopt(2) has read: an int.
  void SetOptionValue(int value);

 private:
  // What a successful call has filled in.
  enum class Output : uint8_t {
    kNone,
    kData,     // As many bytes as the result says.
    kCounted,  // As many bytes as the length argument says.
    kEvents,   // As many epoll_events as the result says.
    kAll,
  };
  // Memory of the target and its copy.
  struct Copy {
    uint64_t address = 0;
    std::vector<char> bytes;
    Output output = Output::kNone;
  };

  bool PrepareArgument(size_t i, const Limits& limits);
  bool PrepareDescriptor(size_t i);
  bool PrepareLength(size_t i);
  bool PrepareControl(size_t i);
  bool PrepareData(size_t i, Output output, const Limits& limits);
  bool PreparePoll(size_t i);
  bool PrepareMessage(size_t i, const Limits& limits);
  bool PrepareBuffers(uint64_t address, uint64_t count, bool receives,
                      const Limits& limits);

  // Sets the argument to a copy of `size` bytes of the target's memory, or to
  // room for them. A null pointer stays null.
  bool CopyIn(size_t i, uint64_t size, Output output = Output::kNone);
  bool MakeRoom(size_t i, uint64_t size, Output output);
  // Adds a copy. Returns null if that is not possible.
  Copy* Add(uint64_t address, uint64_t size, bool read, Output output);
  // Returns the target of the kLengthInOut argument, or 0.
  socklen_t Length() const;

  size_t FilledBytes(const Copy& copy, int64_t result) const;
  bool WriteBuffers(int64_t result) const;
  bool WriteMessage() const;
  bool WritePoll() const;

  const TrappedCall call_;
  const std::shared_ptr<const Process> process_;
  size_t address_limit_ = 0;
  std::array<uint64_t, 6> arguments_ = {};
  std::vector<OwnedFd> duplicates_;
  std::vector<std::unique_ptr<Copy>> copies_;
  uint64_t total_ = 0;
  Copy* length_ = nullptr;  // Of kLengthInOut.
  socklen_t length_before_ = 0;
  Copy* poll_ = nullptr;  // With the target's descriptors.
  std::vector<pollfd> poll_set_;
  // Of readv, writev, recvmsg and sendmsg.
  std::vector<iovec> buffers_;         // of this process
  std::vector<iovec> remote_buffers_;  // of the target
  bool receives_ = false;              // into the buffers
  msghdr message_ = {};
  Copy* name_ = nullptr;
  Copy* control_ = nullptr;
};

}  // namespace net::trap

#endif  // FAKES_TRAP_LOCAL_CALL_H_
