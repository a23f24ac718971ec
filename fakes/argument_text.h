#ifndef FAKES_ARGUMENT_TEXT_H_
#define FAKES_ARGUMENT_TEXT_H_

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <csignal>
#include <cstddef>
#include <ctime>
#include <string>

// Text for what the arguments of system calls point to, in the format of
// strace(1). It contains no addresses, so that two runs of a program produce
// the same text:
// - A null pointer is "NULL".
// - A pointer outside of user space, or one whose target must not be read, is
//   "?".
// - Any other pointer must be valid.

namespace net {

// Whether the target of a pointer may be read. For arguments that a call fills
// in: kHidden unless the call did.
enum class Show { kHidden, kShown };

// Returns "{AF_INET6, [::1]:80}". For other families, and for truncated
// addresses, "{AF_UNIX, ...}".
std::string AddressText(const sockaddr* addr, socklen_t size, Show show);
// Returns the length argument of a call that returns an address: "[28]", or
// "[128 => 28]" if the call changed it from `before`.
std::string LengthText(const socklen_t* len, socklen_t before, Show show);

// Returns the data quoted, "\"hello\"", with escapes such as \r, \0 and \377.
// "..." replaces bytes after the 32nd.
std::string DataText(const void* data, size_t size, Show show);
// Returns a message header with its buffers, truncated after `filled` bytes in
// total.
std::string MessageText(const msghdr* message, size_t filled, Show show,
                        Show show_data);

// Returns an option's value in the option's own form: "1", "{l_onoff=1,
// l_linger=0}", "{tv_sec=1, tv_usec=0}", or else as bytes.
std::string OptionText(int level, int name, const void* value, socklen_t size,
                       Show show);

// Returns "[{3, POLLIN}, {4, POLLIN|POLLOUT}]".
std::string PollText(const pollfd* fds, nfds_t count, Show show);
// Returns the same with `revents`, for the entries whose `revents` is not 0.
std::string PollResultText(const pollfd* fds, nfds_t count, Show show);
// Returns "{EPOLLIN}". Omits the data, which often is a pointer.
std::string EpollText(const epoll_event* event, Show show);
std::string EpollResultText(const epoll_event* events, int count, Show show);

// Returns "{tv_sec=1, tv_nsec=500000000}".
std::string TimeText(const timespec* time, Show show);
// Returns "[SIGINT, SIGTERM]".
std::string SignalsText(const sigset_t* signals, Show show);
// Returns "[5]".
std::string IntText(const int* value, Show show);
// Returns "[3, 4]".
std::string PairText(const int* values, Show show);

}  // namespace net

#endif  // FAKES_ARGUMENT_TEXT_H_
