#ifndef FAKES_KERNEL_SOCKET_H_
#define FAKES_KERNEL_SOCKET_H_

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "absl/types/span.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/raw_address.h"
#include "syscalls/sys_result.h"

namespace net::fake {

class ControlWriter;
class TcpSocket;

// A file that is a socket. Implements the socket calls of section 2 of the
// manual, after FakeProcess has looked up the descriptor and copied addresses.
// Each returns a value or an errno.
class Socket : public File {
 public:
  explicit Socket(bool is_tcp = false) : File(O_RDWR, is_tcp) {}

  Socket* AsSocket() final { return this; }
  bool has_async() const final { return true; }
  bool is_stream() const final { return true; }

  virtual int domain() const = 0;
  virtual int type() const = 0;

  virtual SysResult Bind(const Caller& caller, const RawAddress& address) = 0;
  virtual SysResult Listen(const Caller& caller, int backlog) = 0;
  // Takes the next connection out of the queue into `accepted`, which has no
  // reference yet. `nonblocking`, here and below: the file or a flag of the
  // call is non-blocking.
  virtual SysResult Accept(const Caller& caller, bool nonblocking,
                           TcpSocket** accepted) = 0;
  virtual SysResult Connect(const Caller& caller, const RawAddress& address,
                            bool nonblocking) = 0;
  virtual SysResult Name(RawAddress& name) const = 0;
  virtual SysResult PeerName(RawAddress& name) const = 0;
  virtual SysResult SetOption(const Caller& caller, int level, int name,
                              const void* value, socklen_t size) = 0;
  virtual SysResult GetOption(const Caller& caller, int level, int name,
                              void* value, socklen_t* size) = 0;
  virtual SysResult Shutdown(int how) = 0;
  // Return and clear the pending error (SO_ERROR), an errno or 0, and set it.
  virtual int TakeError() = 0;
  virtual void KeepError(int error) = 0;
  // `parts` are the program's memory and may be invalid.
  virtual SysResult Send(const Caller& caller, absl::Span<const iovec> parts,
                         int flags) = 0;
  // Implements sendmsg(2) like Send(). `address` is null, or the name in the
  // message.
  virtual SysResult SendTo(const Caller& caller, const RawAddress* address,
                           absl::Span<const iovec> parts, int flags);
  virtual SysResult Recv(const Caller& caller, absl::Span<const iovec> parts,
                         int flags) = 0;

  // Implements recvmsg(2) like Recv(), and returns control messages, too.
  virtual SysResult RecvMsg(const Caller& caller, absl::Span<const iovec> parts,
                            int flags, ControlWriter& control);

  SysResult Read(const Caller& caller, absl::Span<const iovec> parts) final;
  SysResult Write(const Caller& caller, absl::Span<const iovec> parts) final;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_SOCKET_H_
