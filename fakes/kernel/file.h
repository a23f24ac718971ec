#ifndef FAKES_KERNEL_FILE_H_
#define FAKES_KERNEL_FILE_H_

#include <fcntl.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/wait_queue.h"
#include "syscalls/sys_result.h"

namespace net::fake {

class Epoll;
class PipeFile;
class Socket;
class TimerFile;

// The caller of a system call and the descriptor used: everything that a call
// depends on besides its arguments.
struct Caller {
  CallSite site;  // For reports of deadlocks.
  uid_t uid = 0;
  bool may_bind_privileged_ports = false;  // CAP_NET_BIND_SERVICE
  bool net_admin = false;                  // CAP_NET_ADMIN
  bool exits = false;  // In _exit(2), which does not linger.
  // The process's count of SIGPIPEs.
  int* sigpipes = nullptr;
  bool raises_sigpipe = false;  // Whether SIGPIPE is also raised.

  // Counts the SIGPIPE for a write without a reader (signal(7)). Also raises it
  // if raises_sigpipe.
  void SendSigpipe() const {
    ++*sigpipes;
    if (raises_sigpipe) std::raise(SIGPIPE);
  }
};

// The process or process group that is signalled when the file becomes ready
// (fcntl(2), F_SETOWN_EX), and the signal (F_SETSIG).
struct FileOwner {
  int type = F_OWNER_TID;  // F_OWNER_TID, F_OWNER_PID or F_OWNER_PGRP.
  pid_t id = 0;            // 0: nobody.
  int signal = 0;          // 0: SIGIO.
};

// An open file description (open(2)): the object that descriptors refer to,
// shared by dup(2) and fork(2). Guarded by the kernel's mutex.
class File {
 public:
  explicit File(int access_mode, bool is_tcp = false)
      : access_mode_(access_mode), is_tcp_(is_tcp) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Adds a reference, for a descriptor or a call in progress.
  void Ref() { ++references_; }
  // Removes a reference. The last one closes and frees the file. Closing can
  // block (SO_LINGER), which needs the caller.
  void Unref(const Caller& caller) {
    if (--references_ > 0) return;
    waiters_.CloseFile();
    OnLastClose(caller);
  }

  int references() const { return references_; }

  // O_RDONLY, O_WRONLY or O_RDWR.
  int access_mode() const { return access_mode_; }
  bool nonblocking() const { return nonblocking_; }
  void set_nonblocking(bool on) { nonblocking_ = on; }

  // The file status flags of fcntl(2), F_GETFL.
  virtual int status_flags() const {
    return access_mode_ | other_flags_ | (nonblocking_ ? O_NONBLOCK : 0);
  }
  // Status flags other than O_NONBLOCK: O_APPEND, O_ASYNC, O_DIRECT and
  // O_NOATIME. They are stored and have no effect.
  int other_flags() const { return other_flags_; }
  void set_other_flags(int flags) { other_flags_ = flags; }
  // Return whether the file supports O_ASYNC, and O_DIRECT.
  virtual bool has_async() const { return false; }
  virtual bool has_direct() const { return false; }

  FileOwner& owner() { return owner_; }

  // The calls that wait for this file, and the epolls that it is added to.
  WaitQueue& waiters() { return waiters_; }

  // Returns the events of poll(2) that hold now, including POLLERR and POLLHUP.
  virtual int16_t PollEvents() = 0;
  // Returns whether the file can be added to an epoll (else EPERM).
  virtual bool has_poll() const { return true; }
  // Whether the file can be read and written at all (EINVAL).
  virtual bool has_read() const { return true; }
  virtual bool has_write() const { return true; }
  // Implement read(2) and readv(2), write(2) and writev(2). `parts` are the
  // program's memory, and may be invalid. Require has_read() and has_write().
  virtual SysResult Read(const Caller& caller,
                         absl::Span<const iovec> parts) = 0;
  virtual SysResult Write(const Caller& caller,
                          absl::Span<const iovec> parts) = 0;
  // Implements FIONREAD and other requests of ioctl_list(2). FakeProcess
  // implements those that all files have.
  virtual SysResult Ioctl(uint64_t request, int* value) = 0;

  // Implement F_GETPIPE_SZ and F_SETPIPE_SZ of fcntl(2), which only pipes have.
  virtual SysResult PipeSize() const { return SysResult::Error(EBADF); }
  virtual SysResult SetPipeSize(uint32_t /*size*/) {
    return SysResult::Error(EBADF);
  }

  // Returns whether calls can name a position in the file (pread(2)), and
  // splice(2) can write to it though it is no stream.
  virtual bool has_positions() const { return false; }
  // Returns whether the file is a stream: a socket or a pipe. sendfile(2)
  // cannot read it.
  virtual bool is_stream() const { return false; }

  // Returns the file as a socket, or null if it is not one (ENOTSOCK).
  virtual Socket* AsSocket() { return nullptr; }
  // Returns whether the file is a TcpSocket. Faster than AsSocket().
  bool is_tcp() const { return is_tcp_; }
  // Returns the file as an end of a pipe, or null if it is not one.
  virtual PipeFile* AsPipe() { return nullptr; }
  // Returns the file as an epoll, or null if it is not one.
  virtual Epoll* AsEpoll() { return nullptr; }
  // Returns the file as a timerfd, or null if it is not one.
  virtual TimerFile* AsTimer() { return nullptr; }

  // Returns an object that this file shares with the files to which it passes
  // data, for ShowRelease() and ShowAcquire().
  virtual const void* SharedObject() const { return this; }

  // Returns a description for people: "TCP socket 127.0.0.1:80, LISTEN".
  virtual std::string Describe() const = 0;

 protected:
  virtual ~File() = default;
  // Frees the file, immediately or once its connection has ended.
  virtual void OnLastClose(const Caller& caller) = 0;

 private:
  friend struct StateCorruption;

  WaitQueue waiters_;
  int references_ = 0;
  const int access_mode_;
  const bool is_tcp_;
  bool nonblocking_ = false;
  int other_flags_ = 0;
  FileOwner owner_;
};

// A reference that keeps a file alive during a call, even if its descriptors
// are closed meanwhile.
class FileRef {
 public:
  FileRef(File& file, const Caller& caller) : file_(file), caller_(caller) {
    file_.Ref();
  }
  FileRef(const FileRef&) = delete;
  FileRef& operator=(const FileRef&) = delete;
  ~FileRef() { file_.Unref(caller_); }

 private:
  File& file_;
  const Caller& caller_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_FILE_H_
