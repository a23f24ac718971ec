#ifndef FAKES_ARGUMENT_TEXT_H_
#define FAKES_ARGUMENT_TEXT_H_

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <csignal>
#include <cstddef>
#include <ctime>
#include <string>

// What system calls' arguments point at, as text in the manner of strace(1).
// No address is ever part of it, so that two runs of a program give the same
// text: a null pointer is NULL; one outside of user space, or whose target is
// not to be read, is ?. A pointer that merely dangles must not be passed.

namespace net {

// Whether what a pointer points at may be shown. Arguments that a call fills in
// are kHidden unless it did.
enum class Show { kHidden, kShown };

// "{AF_INET6, [::1]:80}"; "{AF_UNIX, ...}" of families that are not IP, and
// where it is cut short.
std::string AddressText(const sockaddr* addr, socklen_t size, Show show);
// The length of an argument that a call fills in: "[28]", or "[128 => 28]"
// where the call has changed it.
std::string LengthText(const socklen_t* len, socklen_t before, Show show);

// "\"hello\"", with \r, \0 and \377, and ... behind the 32nd byte.
std::string DataText(const void* data, size_t size, Show show);
// Of a message: its buffers, cut after `filled` bytes in all.
std::string MessageText(const msghdr* message, size_t filled, Show show,
                        Show show_data);

// "1", "{l_onoff=1, l_linger=0}", "{tv_sec=1, tv_usec=0}", or else bytes, as
// the option has it.
std::string OptionText(int level, int name, const void* value, socklen_t size,
                       Show show);

// "[{3, POLLIN}, {4, POLLIN|POLLOUT}]".
std::string PollText(const pollfd* fds, nfds_t count, Show show);
// The same, of those entries that have `revents`, with these.
std::string PollResultText(const pollfd* fds, nfds_t count, Show show);
// "{EPOLLIN}". The data is left out: it often is a pointer.
std::string EpollText(const epoll_event* event, Show show);
std::string EpollResultText(const epoll_event* events, int count, Show show);

// "{tv_sec=1, tv_nsec=500000000}".
std::string TimeText(const timespec* time, Show show);
// "[SIGINT, SIGTERM]".
std::string SignalsText(const sigset_t* signals, Show show);
// "[5]".
std::string IntText(const int* value, Show show);
// "[3, 4]".
std::string PairText(const int* values, Show show);

}  // namespace net

#endif  // FAKES_ARGUMENT_TEXT_H_
