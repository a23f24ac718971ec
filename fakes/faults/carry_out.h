#ifndef FAKES_FAULTS_CARRY_OUT_H_
#define FAKES_FAULTS_CARRY_OUT_H_

#include <cstddef>
#include <optional>

#include "absl/time/time.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

// The actions of a plan, as FaultInjector carries them out. Each function makes
// the call on `target`, and the further calls that the action needs.

namespace net {

// Makes a call of the families send or recv with at most `bytes` bytes.
SysResult MakeShort(Syscalls& target, Invocation invocation, size_t bytes);

// Makes the call for its effect; its result will be replaced by an errno.
// - Addresses, their lengths and option values are written elsewhere, because a
//   failing call leaves the caller's unchanged. Received data is written to the
//   caller's buffers.
// - connect(2) with EINTR or EINPROGRESS (`error`) does not wait for the
//   connection, because the real call returns before there is one. O_NONBLOCK
//   is set meanwhile.
// - A descriptor that the call makes is closed: no descriptor is left behind
//   when a call fails. A connection that accept4(2) returned is lost.
void MakeForEffect(Syscalls& target, Invocation invocation, int error);

// Sleeps on the clock of the target. A signal does not end the sleep.
void Delay(Syscalls& target, absl::Duration delay);

// Gives the descriptor the number `wanted`, which must be free. Returns whether
// it was; if not, `fd` stays as it is.
bool MoveDescriptor(Syscalls& target, int fd, int wanted);

// Makes a call that returns an address, and lets it write at most `bytes` bytes
// of it. Returns nullopt, and makes no call, if it asks for no address.
std::optional<SysResult> MakeTruncated(Syscalls& target, Invocation invocation,
                                       size_t bytes);

// Reads SO_ERROR of the socket, which clears it.
void ConsumeError(Syscalls& target, int fd);

// Makes a connection as it is when the peer has reset it: the peer is sent a
// RST, SO_ERROR is ECONNRESET, getpeername(2) fails with ENOTCONN. It is done
// by connect(2) to AF_UNSPEC (tcp_disconnect() of Linux). Differences from a
// RST that came from the peer: after the error has been read, recv(2) fails
// with ENOTCONN instead of returning 0, and getsockname(2) has no address.
void ResetConnection(Syscalls& target, int fd);

}  // namespace net

#endif  // FAKES_FAULTS_CARRY_OUT_H_
