#ifndef FAKES_KERNEL_FILE_H_
#define FAKES_KERNEL_FILE_H_

#include <sys/types.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/sys_result.h"

namespace net::fake {

class Socket;

// Who makes a call, and by which descriptor: what a call needs to know beside
// its arguments.
struct Caller {
  CallSite site;  // where it waits, for people
  uid_t uid = 0;
  bool may_bind_privileged_ports = false;  // CAP_NET_BIND_SERVICE
  bool net_admin = false;                  // CAP_NET_ADMIN
  bool exits = false;                      // and so does not linger
  // Counts the SIGPIPEs of the process.
  int* sigpipes = nullptr;
  bool raises_sigpipe = false;  // and really sends them

  // The caller has written to what nobody reads (signal(7)).
  void SendSigpipe() const {
    ++*sigpipes;
    if (raises_sigpipe) std::raise(SIGPIPE);
  }
};

// An open file description (open(2)): what descriptors refer to, and dup(2) and
// fork(2) share. Guarded by the kernel's mutex.
class File {
 public:
  explicit File(int access_mode) : access_mode_(access_mode) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // One more descriptor, or call that is under way, refers to it.
  void Ref() { ++references_; }
  // One fewer. After the last one the file is closed, and gone. Closing may
  // wait (SO_LINGER), for which it needs to know the caller.
  void Unref(const Caller& caller) {
    if (--references_ == 0) OnLastClose(caller);
  }

  int references() const { return references_; }

  // O_RDONLY, O_WRONLY or O_RDWR.
  int access_mode() const { return access_mode_; }
  bool nonblocking() const { return nonblocking_; }
  void set_nonblocking(bool on) { nonblocking_ = on; }

  // The calls that wait for this file.
  WaitQueue& waiters() { return waiters_; }

  // The events of poll(2) that hold now, POLLERR and POLLHUP among them.
  virtual int16_t PollEvents() = 0;
  // read(2), write(2): `data` is the program's, and may be bad.
  virtual SysResult Read(const Caller& caller, char* data, size_t size) = 0;
  virtual SysResult Write(const Caller& caller, const char* data,
                          size_t size) = 0;
  // FIONREAD and the like (ioctl_list(2)); those of all files are done.
  virtual SysResult Ioctl(uint64_t request, int* value) = 0;

  // Null: not a socket (ENOTSOCK).
  virtual Socket* AsSocket() { return nullptr; }

  // For people: "TCP socket 127.0.0.1:80, listening".
  virtual std::string Describe() const = 0;

 protected:
  virtual ~File() = default;
  // Frees the file, now or when it is done.
  virtual void OnLastClose(const Caller& caller) = 0;

 private:
  WaitQueue waiters_;
  int references_ = 0;
  const int access_mode_;
  bool nonblocking_ = false;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_FILE_H_
