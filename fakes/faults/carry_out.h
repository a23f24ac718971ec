#ifndef FAKES_FAULTS_CARRY_OUT_H_
#define FAKES_FAULTS_CARRY_OUT_H_

#include <cstddef>
#include <optional>

#include "absl/time/time.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

// Carries out the actions of a plan, for FaultInjector. Each function makes the
// call on `target`, and the further calls that the action needs.

namespace net {

// Makes a call of the families send or recv with at most `bytes` bytes.
SysResult MakeShort(Syscalls& target, Invocation invocation, size_t bytes);

// Makes a call for its effect. The caller replaces the result by an errno.
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

// Gives the descriptor the number `wanted`. Returns false, and leaves `fd`
// unchanged, if that number is not free.
bool MoveDescriptor(Syscalls& target, int fd, int wanted);

// Makes a call that returns an address, and lets it write at most `bytes` bytes
// of the address. Returns nullopt, and makes no call, if the caller's pointer
// is null.
std::optional<SysResult> MakeTruncated(Syscalls& target, Invocation invocation,
                                       size_t bytes);

// Reads SO_ERROR of the socket, which clears it.
void ConsumeError(Syscalls& target, int fd);

// Puts a connection into the state after a reset by the peer: SO_ERROR is
// ECONNRESET, and getpeername(2) fails with ENOTCONN. The peer receives a RST.
// Uses connect(2) to AF_UNSPEC (tcp_disconnect() of Linux). There are two
// differences from a RST of the peer: after the error has been read, recv(2)
// fails with ENOTCONN instead of returning 0, and getsockname(2) returns no
// address.
void ResetConnection(Syscalls& target, int fd);

}  // namespace net

#endif  // FAKES_FAULTS_CARRY_OUT_H_
