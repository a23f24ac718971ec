#ifndef FAKES_ARGUMENT_TEXT_H_
#define FAKES_ARGUMENT_TEXT_H_

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <csignal>
#include <cstddef>
#include <ctime>
#include <string>

// Texts for the pointer arguments of system calls and their targets, in the
// format of strace(1). They contain no addresses, so that two runs of a program
// produce the same text:
// - A null pointer is "NULL".
// - A pointer outside of user space, or one whose target must not be read, is
//   "?".
// - Any other pointer must be valid.

namespace net {

// Whether the target of a pointer may be read. kHidden for an out-parameter
// that the call did not fill in.
enum class Show { kHidden, kShown };

// The part of a target that is shown.
enum class Detail {
  // As strace(1) does: data after the 32nd byte and elements after the 32nd are
  // "...", and the data of an epoll_event is omitted.
  kShort,
  // Everything, so that the text can be parsed without loss. An address or an
  // option's value whose usual form would omit something is shown as bytes.
  kComplete,
};

// Returns "{AF_INET6, [::1]:80}". For other families, and for truncated
// addresses, "{AF_UNIX, ...}", or with kComplete the bytes.
std::string AddressText(const sockaddr* addr, socklen_t size, Show show,
                        Detail detail = Detail::kShort);
// Returns the length argument of a call that returns an address: "[28]", or
// "[128 => 28]" if the call changed it from `before`.
std::string LengthText(const socklen_t* len, socklen_t before, Show show);

// Returns the data quoted, "\"hello\"", with escapes such as \r, \0 and \377.
std::string DataText(const void* data, size_t size, Show show,
                     Detail detail = Detail::kShort);
// Returns the `count` buffers of a readv(2) or writev(2), truncated after
// `filled` bytes in total.
std::string BuffersText(const iovec* buffers, size_t count, size_t filled,
                        Show show, Show show_data,
                        Detail detail = Detail::kShort);
// Returns a message header with its buffers. With kComplete, it contains the
// control data.
std::string MessageText(const msghdr* message, size_t filled, Show show,
                        Show show_data, Detail detail = Detail::kShort);

// Returns `count` message headers with their buffers, each truncated after its
// `msg_len` bytes if `is_filled` is true.
std::string MessagesText(const mmsghdr* messages, size_t count, bool is_filled,
                         Show show, Show show_data,
                         Detail detail = Detail::kShort);

// Returns how many of the `size` bytes of an option's value setsockopt(2)
// reads. For an option that OptionText() does not know, assumes 4.
size_t OptionSize(int level, int name, socklen_t size);

// Returns an option's value in the option's own form: "1", "{l_onoff=1,
// l_linger=0}", "{tv_sec=1, tv_usec=0}", or else as bytes.
std::string OptionText(int level, int name, const void* value, socklen_t size,
                       Show show, Detail detail = Detail::kShort);

// Returns "[{3, POLLIN}, {4, POLLIN|POLLOUT}]".
std::string PollText(const pollfd* fds, nfds_t count, Show show,
                     Detail detail = Detail::kShort);
// Returns the entries whose `revents` is not 0, with `revents` in place of
// `events`.
std::string PollResultText(const pollfd* fds, nfds_t count, Show show,
                           Detail detail = Detail::kShort);
// Returns a set of select(2), whose descriptors are below `count`: "[3, 4]".
std::string FdSetText(const fd_set* set, int count, Show show);
// Returns "{EPOLLIN}", or with kComplete "{EPOLLIN, 3}". The data often is a
// pointer.
std::string EpollText(const epoll_event* event, Show show,
                      Detail detail = Detail::kShort);
std::string EpollResultText(const epoll_event* events, int count, Show show,
                            Detail detail = Detail::kShort);

// Returns "{tv_sec=1, tv_nsec=500000000}".
std::string TimeText(const timespec* time, Show show);
std::string TimevalText(const timeval* time, Show show);
// Returns "{it_interval={tv_sec=0, tv_nsec=0}, it_value={tv_sec=1,
// tv_nsec=0}}".
std::string TimerText(const itimerspec* timer, Show show);
// Returns "[SIGINT, SIGTERM]".
std::string SignalsText(const sigset_t* signals, Show show);
// Returns a position in a file: "[5]".
std::string OffsetText(const int64_t* offset, Show show);
// Returns "[5]".
std::string IntText(const int* value, Show show);
// Returns "[3, 4]".
std::string PairText(const int* values, Show show);

}  // namespace net

#endif  // FAKES_ARGUMENT_TEXT_H_
