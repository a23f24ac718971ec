#ifndef FAKES_PRELOAD_RIGHTS_H_
#define FAKES_PRELOAD_RIGHTS_H_

#include <sys/socket.h>

#include <vector>

#include "syscalls/sys_result.h"

// Descriptors in messages (SCM_RIGHTS, unix(7)), between threads and processes
// on one FakeKernel.
//
// Linux passes the native descriptors, and the placeholders of the others, so
// it chooses the new numbers. The files behind the placeholders pass through
// the Transit. On a native Unix socket, the placeholder's inode identifies the
// file. The data of a pair is the FakeKernel's; its placeholders are a native
// pair, which carries the descriptors of each message, and the place of the
// message in the stream.

namespace net::preload {

// Makes the placeholders of a new pair of the FakeKernel a native pair. Returns
// an errno, or 0.
int JoinPlaceholders(const int* pair);

// Returns whether the message passes descriptors.
bool HasRights(const msghdr& message);

// sendmsg(2) and recvmsg(2) on an end of a pair of the FakeKernel. The message
// that is sent has rights.
SysResult SendToPair(int fd, const msghdr& message, int flags);
SysResult ReceiveFromPair(int fd, msghdr& message, int flags);

// Keeps the files that a message on a native socket passes, until they are
// received.
class RightsOnNative {
 public:
  explicit RightsOnNative(const msghdr& message);
  // The message was not sent.
  void Discard();

 private:
  std::vector<int> held_;
};

// Called when a message was received on a native socket.
void InstallRights(const msghdr& message);

}  // namespace net::preload

#endif  // FAKES_PRELOAD_RIGHTS_H_
