#ifndef FAKES_TRAP_LOCAL_CALL_H_
#define FAKES_TRAP_LOCAL_CALL_H_

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/trap/local_message.h"
#include "fakes/trap/local_poll.h"
#include "fakes/trap/local_select.h"
#include "fakes/trap/memory_copy.h"
#include "fakes/trap/owned_fd.h"
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
// Not supported, because they act on the caller's own descriptors, signals or
// memory:
//
// - fcntl(2) and ioctl(2), except with commands about the open file
// - calls that change the signal mask
// - options with a pointer inside (SO_ATTACH_FILTER)
// - pipe2(2)
class LocalCall {
 public:
  struct Limits {
    // The most bytes to send or to receive.
    size_t bytes = std::numeric_limits<size_t>::max();
    // The most bytes to write of an address.
    size_t address = std::numeric_limits<size_t>::max();
  };

  LocalCall(const TrappedCall& call, std::shared_ptr<const Process> process)
      : call_(call), process_(std::move(process)), memory_(call.thread) {}
  LocalCall(const LocalCall&) = delete;
  LocalCall& operator=(const LocalCall&) = delete;
  ~LocalCall() = default;

  // Copies the memory that the call reads. Returns false if the call is not
  // supported, or if the target's memory cannot be read. The caller then lets
  // the kernel make the call, because only the kernel knows the right errno.
  bool Prepare(const Limits& limits);

  // Returns why Prepare() returned false, or why Make() could not make the
  // call; "" if it could: "it changes the signal mask of its caller".
  absl::string_view obstacle() const { return obstacle_; }

  // Returns whether the call may wait: for data, a connection, or readiness.
  bool MayBlock() const;

  // Makes the call. Returns its value or -errno. EPIPE raises SIGPIPE in this
  // thread, which must block it.
  int64_t Make();

  // Writes the call's out-parameters to the target's memory. Returns false for
  // EFAULT.
  bool WriteOutputs(int64_t result);

  // The duplicate of the first argument, or -1.
  int fd() const { return duplicates_.empty() ? -1 : duplicates_[0].get(); }
  const TrappedCall& call() const { return call_; }
  const Process& process() const { return *process_; }
  // Replaces the value that getsockopt(2) has read: an int.
  void SetOptionValue(int value);

 private:
  // The part of a copy that a successful call has filled in.
  enum class Output : uint8_t {
    kNone,
    kData,     // As many bytes as the result says.
    kCounted,  // As many bytes as the length argument says.
    kEvents,   // As many epoll_events as the result says.
    kAll,
    kTime,  // All; the kernel ignores that it cannot be written.
  };
  struct FilledCopy {
    MemoryCopy* copy;
    Output output;
  };

  bool PrepareArgument(size_t i, const Limits& limits);
  bool PrepareDescriptor(size_t i);
  bool PrepareDup3();
  bool PrepareLength(size_t i);
  bool PrepareOption(size_t i);
  bool PrepareControl(size_t i);
  bool PrepareData(size_t i, Output output, const Limits& limits);
  bool PreparePoll(size_t i);
  bool PrepareSignals(size_t i);
  bool PrepareMessage(size_t i, bool receives, const Limits& limits);
  bool PrepareBuffers(size_t i, bool receives, const Limits& limits);
  // All arguments.
  bool PrepareMessages(const Limits& limits);
  bool PrepareSelect();
  bool PrepareEpollCtl();

  // Sets the argument to a copy of `size` bytes of the target's memory, or to
  // room for them. A null pointer stays null.
  bool CopyIn(size_t i, uint64_t size, Output output = Output::kNone);
  bool MakeRoom(size_t i, uint64_t size, Output output);
  // Sets the argument to the copy, or refuses if that is null.
  bool Use(size_t i, MemoryCopy* copy, Output output);
  // Sets obstacle(). Returns false.
  bool Refuse(absl::string_view why);

  // Makes the kernel's call. Returns its value or -errno.
  int64_t MakeByKernel() const;

  // Returns the target of the kLengthInOut argument, or 0.
  socklen_t Length() const;
  // Returns whether received bytes are in the buffers. MSG_TRUNC discards them.
  bool HasData() const;

  size_t FilledBytes(const FilledCopy& filled, int64_t result) const;
  bool WriteCopies(int64_t result) const;

  const TrappedCall call_;
  const std::shared_ptr<const Process> process_;
  absl::string_view obstacle_;
  size_t address_limit_ = 0;
  std::array<uint64_t, 6> arguments_ = {};
  std::vector<OwnedFd> duplicates_;
  MemoryCopies memory_;
  std::vector<FilledCopy> copies_;
  MemoryCopy* length_ = nullptr;  // Of kLengthInOut.
  socklen_t length_before_ = 0;
  LocalBuffers buffers_;              // of readv and writev
  LocalMessage message_;              // of recvmsg and sendmsg
  LocalMessages messages_;            // of recvmmsg and sendmmsg
  LocalPoll poll_;                    // of poll and ppoll
  LocalSelect select_;                // of select and pselect6
  std::optional<epoll_event> event_;  // of epoll_ctl
};

}  // namespace net::trap

#endif  // FAKES_TRAP_LOCAL_CALL_H_
