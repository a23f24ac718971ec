#ifndef FAKES_PRELOAD_DESCRIPTORS_H_
#define FAKES_PRELOAD_DESCRIPTORS_H_

#include "fakes/preload/native_descriptors.h"

// The descriptors of the program that belong to the FakeKernel.

namespace net::preload {

// Returns the kind of a descriptor; kNative if the FakeKernel is not in charge
// (IsInCharge()). Ends the program if the descriptor is foreign (see
// RefuseForeign()). `call` is the name of the caller's function, for the
// message.
Kind KindOf(int fd, const char* call);
inline bool IsFake(int fd, const char* call) {
  return KindOf(fd, call) != Kind::kNative;
}
// Returns whether the descriptor belongs to the FakeKernel of this process. For
// close(2), dup2(2) and similar calls, which a child may make on its parent's
// descriptors before exec: they treat foreign descriptors as native.
bool IsOwned(int fd);

// Returns whether the descriptor is a connection to the server of a shared
// FakeKernel. The program has not opened it and must not close it.
bool IsInternal(int fd);

// Sets the kind of a descriptor that is already open, because it was inherited
// through execve(2) or is internal. kNative when it is closed.
void SetKind(int fd, Kind kind);

// Returns the kind of the placeholder of a socket.
Kind KindOfSocket(int fd);

// Finds the native members of an epoll that was inherited through execve(2).
void FindNativeMembers(int epoll);

// Makes a foreign descriptor native. Called when a native call is about to
// close it, or to reuse its number.
void ForgetForeign(int fd);

// Makes all descriptors foreign. Called in the child of fork(2).
void DisownDescriptors();

// Closes the internal descriptors, which are connections of the parent's
// threads. Called in the child of fork(2).
void CloseInternal();

// Returns the native descriptors of this process.
NativeDescriptors& OwnDescriptors();

}  // namespace net::preload

#endif  // FAKES_PRELOAD_DESCRIPTORS_H_
