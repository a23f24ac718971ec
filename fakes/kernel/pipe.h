#ifndef FAKES_KERNEL_PIPE_H_
#define FAKES_KERNEL_PIPE_H_

#include <cstddef>
#include <vector>

#include "fakes/kernel/file.h"
#include "syscalls/sys_result.h"

namespace net::fake {

struct Kernel;

// An end of a pipe(7), with the parts of splice(2). splice.h puts them
// together. `nonblocking`: the file or a flag of the call is non-blocking.
class PipeFile : public File {
 public:
  // Keeps other calls from the pipe's bytes while a splice(2) waits for the
  // file at its other end, as Linux's lock of a pipe does.
  class Lock {
   public:
    explicit Lock(PipeFile& end) : end_(end) { end_.SetLocked(true); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() { end_.SetLocked(false); }

   private:
    PipeFile& end_;
  };

  PipeFile* AsPipe() final { return this; }
  bool is_stream() const final { return true; }

  // Returns whether the other end is an end of the same pipe.
  virtual bool IsOfSamePipe(const PipeFile& other) const = 0;

  // Waits until no splice(2) holds a Lock. A signal does not end the wait.
  virtual SysResult AwaitUnlocked(const Caller& caller) = 0;

  // ---- Of the read end

  // Waits for bytes. Returns their number, or 0 if no writer is left.
  virtual SysResult AwaitBytes(const Caller& caller, bool nonblocking) = 0;
  // Copies the first bytes, at most `size`, into `bytes`, but no more than one
  // message of splice(2) to a socket has. Returns whether more would follow.
  virtual bool Peek(size_t size, std::vector<char>& bytes) const = 0;
  // Removes the first bytes, at most `size`, and returns their number. The
  // caller has to call WakeWriters() if `freed` becomes true.
  virtual size_t Remove(size_t size, bool& freed) = 0;
  // Moves the first bytes, at most `size`, to the write end of another pipe,
  // and wakes the calls that wait for either. Returns the number of bytes.
  virtual size_t MoveTo(PipeFile& out, size_t size) = 0;
  virtual void WakeWriters() = 0;

  // ---- Of the write end

  // Waits for room. Fails with EPIPE, and SIGPIPE, if no reader is left.
  virtual SysResult AwaitRoom(const Caller& caller, bool nonblocking) = 0;
  // Returns the number of bytes that a splice(2) may bring.
  virtual size_t Room() const = 0;
  // Appends bytes, at most Room(), and wakes readers.
  virtual void AppendSpliced(const char* data, size_t size) = 0;

 protected:
  using File::File;
  ~PipeFile() override = default;

 private:
  virtual void SetLocked(bool locked) = 0;
};

// The two ends of a pipe(7), without references.
struct PipeEnds {
  File* read;
  File* write;
};

// Creates a pipe with Linux's default capacity of 16 pages (64 KiB).
// F_SETPIPE_SZ changes it.
PipeEnds NewPipe(Kernel& kernel);

}  // namespace net::fake

#endif  // FAKES_KERNEL_PIPE_H_
