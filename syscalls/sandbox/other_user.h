#ifndef SYSCALLS_SANDBOX_OTHER_USER_H_
#define SYSCALLS_SANDBOX_OTHER_USER_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

// A second user, for rules that depend on the owner of a socket. Only root can
// change to another user, and in a user namespace only if that namespace maps
// one (user_namespaces(7)).

namespace net::sandbox {

// Returns OK if RunAsOtherUser() is possible; otherwise the message says why it
// is not: "no second user: seteuid: EPERM: ...".
absl::Status CheckOtherUser();

// Runs `body` with the effective user ID of a user who is not root
// (seteuid(2)). This changes the effective user of all threads. Requires root.
absl::Status RunAsOtherUser(absl::FunctionRef<void()> body);

// Changes to a user without privileges (setuid(2)). Cannot be undone.
absl::Status BecomeOtherUser();

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_OTHER_USER_H_
