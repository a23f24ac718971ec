#include "fakes/argument_text.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/fd_sets.h"
#include "fakes/kernel/user_memory.h"
#include "fakes/symbols.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/endpoint.h"

namespace net {
namespace {

constexpr size_t kMostBytes = 32;  // Bytes of data, as strace(1) shows without
                                   // -s.
constexpr size_t kMostElements = 32;   // Elements of arrays.
constexpr size_t kMostBuffers = 1024;  // UIO_MAXIOV of Linux.
constexpr size_t kLongestAddress = sizeof(sockaddr_storage);

// Returns `text()` of the `size` bytes that `pointer` points to, or "NULL" or
// "?".
std::string Pointed(const void* pointer, size_t size, Show show,
                    absl::FunctionRef<std::string()> text) {
  if (pointer == nullptr) return "NULL";
  const bool readable = fake::IsUserAddress(pointer, std::max<size_t>(size, 1));
  return show == Show::kShown && readable ? text() : "?";
}

// Loads a value that need not be aligned.
template <typename T>
T Load(const void* pointer) {
  T value;
  std::memcpy(&value, pointer, sizeof(value));
  return value;
}

void AppendByte(std::string& text, char c, bool digit_follows) {
  const auto byte = static_cast<unsigned char>(c);
  if (c >= ' ' && c <= '~') {
    text += c;
  } else if (digit_follows) {
    absl::StrAppendFormat(&text, "\\%03o", byte);
  } else {
    absl::StrAppendFormat(&text, "\\%o", byte);
  }
}

// Quotes as in C. An octal escape has as few digits as the next character
// allows.
std::string Quoted(absl::string_view bytes) {
  std::string text = "\"";
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    const bool digit_follows =
        i + 1 < bytes.size() && bytes[i + 1] >= '0' && bytes[i + 1] <= '9';
    switch (c) {
      case '\n':
        text += "\\n";
        break;
      case '\r':
        text += "\\r";
        break;
      case '\t':
        text += "\\t";
        break;
      case '"':
      case '\\':
        text += '\\';
        text += c;
        break;
      default:
        AppendByte(text, c, digit_follows);
    }
  }
  return text + "\"";
}

std::string Bytes(const void* data, size_t size, Detail detail) {
  const size_t most = detail == Detail::kShort ? kMostBytes : size;
  const absl::string_view shown(static_cast<const char*>(data),
                                std::min(size, most));
  return absl::StrCat(Quoted(shown), size > most ? "..." : "");
}

// Returns "[a, b]". "..." replaces elements after the last one that is shown.
template <typename T>
std::string List(absl::Span<const T> elements, Detail detail,
                 absl::FunctionRef<std::string(const T&)> text) {
  const size_t most =
      detail == Detail::kShort ? kMostElements : elements.size();
  std::vector<std::string> texts;
  for (const T& element : elements.subspan(0, most)) {
    texts.push_back(text(element));
  }
  if (elements.size() > most) texts.emplace_back("...");
  return absl::StrCat("[", absl::StrJoin(texts, ", "), "]");
}

std::string MessageFields(const msghdr& message, size_t filled, Show show_data,
                          Detail detail) {
  const bool has_control =
      detail == Detail::kComplete && message.msg_controllen > 0;
  return absl::StrCat(
      "{msg_name=",
      AddressText(static_cast<const sockaddr*>(message.msg_name),
                  message.msg_namelen, show_data, detail),
      ", msg_namelen=", message.msg_namelen, ", msg_iov=",
      BuffersText(message.msg_iov, message.msg_iovlen, filled, Show::kShown,
                  show_data, detail),
      ", msg_iovlen=", message.msg_iovlen,
      has_control
          ? absl::StrCat(", msg_control=",
                         DataText(message.msg_control, message.msg_controllen,
                                  show_data, detail))
          : "",
      ", msg_controllen=", message.msg_controllen,
      ", msg_flags=", MessageFlagSymbols(message.msg_flags), "}");
}

bool IsTimeout(int level, int name) {
  return level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

// Options whose value is text or a large struct.
bool IsBytes(int level, int name) {
  if (level == SOL_SOCKET) return name == SO_BINDTODEVICE || name == SO_COOKIE;
  return level == IPPROTO_TCP && (name == TCP_CONGESTION || name == TCP_INFO);
}

// The size of an option's value in the form in which OptionValue() shows it.
socklen_t FormSize(int level, int name) {
  if (level == SOL_SOCKET && name == SO_LINGER) return sizeof(linger);
  return IsTimeout(level, name) ? sizeof(timeval) : sizeof(int);
}

std::string OptionValue(int level, int name, const void* value, socklen_t size,
                        Detail detail) {
  if (IsBytes(level, name) || size < FormSize(level, name)) {
    return Bytes(value, size, detail);
  }
  if (level == SOL_SOCKET && name == SO_LINGER) {
    const auto it = Load<linger>(value);
    return absl::StrCat("{l_onoff=", it.l_onoff, ", l_linger=", it.l_linger,
                        "}");
  }
  if (IsTimeout(level, name)) {
    const auto it = Load<timeval>(value);
    return absl::StrCat("{tv_sec=", it.tv_sec, ", tv_usec=", it.tv_usec, "}");
  }
  const int number = Load<int>(value);
  const bool is_errno = level == SOL_SOCKET && name == SO_ERROR && number > 0;
  return is_errno ? ErrnoSymbol(number) : absl::StrCat(number);
}

// Returns whether the endpoint is everything that a socket address of `size`
// bytes contains, zeros apart.
bool IsWholly(const ip::Endpoint& endpoint, const sockaddr* addr,
              socklen_t size) {
  const ip::SockAddr whole(endpoint);
  const absl::string_view bytes(reinterpret_cast<const char*>(addr), size);
  const absl::string_view expected(reinterpret_cast<const char*>(whole.get()),
                                   whole.size());
  return absl::StartsWith(bytes, expected) &&
         bytes.find_first_not_of('\0', expected.size()) ==
             absl::string_view::npos;
}

}  // namespace

std::string AddressText(const sockaddr* addr, socklen_t size, Show show,
                        Detail detail) {
  // The kernel does not read the address either.
  if (size > kLongestAddress) show = Show::kHidden;
  return Pointed(addr, size, show, [&]() -> std::string {
    const std::optional<ip::Endpoint> endpoint =
        ip::EndpointFromSockaddr(addr, size);
    if (detail == Detail::kComplete &&
        !(endpoint.has_value() && IsWholly(*endpoint, addr, size))) {
      return Bytes(addr, size, detail);
    }
    if (size < sizeof(sa_family_t)) return "{...}";
    return absl::StrCat("{", DomainSymbol(Load<sa_family_t>(addr)), ", ",
                        endpoint.has_value() ? endpoint->ToString() : "...",
                        "}");
  });
}

std::string LengthText(const socklen_t* len, socklen_t before, Show show) {
  return Pointed(len, sizeof(*len), show, [&] {
    const auto after = Load<socklen_t>(len);
    // The kernel reads it as an int.
    const auto number = [](socklen_t length) {
      return absl::StrCat(static_cast<int>(length));
    };
    return after == before
               ? absl::StrCat("[", number(after), "]")
               : absl::StrCat("[", number(before), " => ", number(after), "]");
  });
}

std::string DataText(const void* data, size_t size, Show show, Detail detail) {
  return Pointed(data, size, show, [&] { return Bytes(data, size, detail); });
}

std::string BuffersText(const iovec* buffers, size_t count, size_t filled,
                        Show show, Show show_data, Detail detail) {
  if (count > kMostBuffers) show = Show::kHidden;
  size_t rest = filled;
  const auto buffer = [&](const iovec& part) {
    const size_t size = std::min(part.iov_len, rest);
    rest -= size;
    return absl::StrCat(
        "{iov_base=", DataText(part.iov_base, size, show_data, detail),
        ", iov_len=", part.iov_len, "}");
  };
  return Pointed(buffers, count * sizeof(iovec), show, [&] {
    return List<iovec>(absl::MakeConstSpan(buffers, count), detail, buffer);
  });
}

std::string MessageText(const msghdr* message, size_t filled, Show show,
                        Show show_data, Detail detail) {
  return Pointed(message, sizeof(*message), show, [&] {
    return MessageFields(*message, filled, show_data, detail);
  });
}

std::string MessagesText(const mmsghdr* messages, size_t count, bool is_filled,
                         Show show, Show show_data, Detail detail) {
  if (count > kMostBuffers) show = Show::kHidden;
  const auto text = [&](const mmsghdr& one) {
    const size_t filled = is_filled ? one.msg_len : SIZE_MAX;
    return absl::StrCat(
        "{msg_hdr=", MessageFields(one.msg_hdr, filled, show_data, detail),
        ", msg_len=", one.msg_len, "}");
  };
  return Pointed(messages, count * sizeof(mmsghdr), show, [&] {
    return List<mmsghdr>(absl::MakeConstSpan(messages, count), detail, text);
  });
}

size_t OptionSize(int level, int name, socklen_t size) {
  if (static_cast<int>(size) < 0) return 0;
  return IsBytes(level, name) ? size : std::min(size, FormSize(level, name));
}

std::string OptionText(int level, int name, const void* value, socklen_t size,
                       Show show, Detail detail) {
  // The kernel does not read the value of a negative size.
  if (static_cast<int>(size) < 0) show = Show::kHidden;
  return Pointed(value, size, show,
                 [&] { return OptionValue(level, name, value, size, detail); });
}

std::string PollText(const pollfd* fds, nfds_t count, Show show,
                     Detail detail) {
  const auto text = [](const pollfd& one) {
    return absl::StrCat("{", one.fd, ", ", PollEventSymbols(one.events), "}");
  };
  return Pointed(fds, count * sizeof(pollfd), show, [&] {
    return List<pollfd>(absl::MakeConstSpan(fds, count), detail, text);
  });
}

std::string PollResultText(const pollfd* fds, nfds_t count, Show show,
                           Detail detail) {
  const auto text = [](const pollfd& one) {
    return absl::StrCat("{", one.fd, ", ", PollEventSymbols(one.revents), "}");
  };
  return Pointed(fds, count * sizeof(pollfd), show, [&] {
    std::vector<pollfd> ready;
    std::copy_if(fds, fds + count, std::back_inserter(ready),
                 [](const pollfd& one) { return one.revents != 0; });
    return List<pollfd>(ready, detail, text);
  });
}

std::string FdSetText(const fd_set* set, int count, Show show) {
  return Pointed(set, FdSetSize(count), show, [&] {
    std::vector<int> fds;
    ForEachInSet(set, count, [&](int fd) { fds.push_back(fd); });
    return absl::StrCat("[", absl::StrJoin(fds, ", "), "]");
  });
}

std::string EpollText(const epoll_event* event, Show show, Detail detail) {
  return Pointed(event, sizeof(*event), show, [&] {
    const auto it = Load<epoll_event>(event);
    return absl::StrCat("{", EpollEventSymbols(it.events),
                        detail == Detail::kComplete
                            ? absl::StrCat(", ", uint64_t{it.data.u64})
                            : "",
                        "}");
  });
}

std::string EpollResultText(const epoll_event* events, int count, Show show,
                            Detail detail) {
  const auto size = static_cast<size_t>(std::max(count, 0));
  return Pointed(events, size * sizeof(epoll_event), show, [&] {
    return List<epoll_event>(absl::MakeConstSpan(events, size), detail,
                             [&](const epoll_event& one) {
                               return EpollText(&one, Show::kShown, detail);
                             });
  });
}

std::string TimeText(const timespec* time, Show show) {
  return Pointed(time, sizeof(*time), show, [&] {
    return absl::StrCat("{tv_sec=", time->tv_sec, ", tv_nsec=", time->tv_nsec,
                        "}");
  });
}

std::string TimevalText(const timeval* time, Show show) {
  return Pointed(time, sizeof(*time), show, [&] {
    return absl::StrCat("{tv_sec=", time->tv_sec, ", tv_usec=", time->tv_usec,
                        "}");
  });
}

std::string TimerText(const itimerspec* timer, Show show) {
  return Pointed(timer, sizeof(*timer), show, [&] {
    return absl::StrCat("{it_interval=", TimeText(&timer->it_interval, show),
                        ", it_value=", TimeText(&timer->it_value, show), "}");
  });
}

std::string SignalsText(const sigset_t* signals, Show show) {
  return Pointed(signals, sizeof(*signals), show, [&] {
    std::vector<std::string> names;
    for (int signal = 1; signal <= SIGRTMAX; ++signal) {
      if (sigismember(signals, signal) != 1) continue;
      const char* const name = sigabbrev_np(signal);
      names.push_back(name != nullptr ? absl::StrCat("SIG", name)
                                      : absl::StrCat(signal));
    }
    return absl::StrCat("[", absl::StrJoin(names, ", "), "]");
  });
}

std::string IntText(const int* value, Show show) {
  return Pointed(value, sizeof(*value), show,
                 [&] { return absl::StrCat("[", Load<int>(value), "]"); });
}

std::string OffsetText(const int64_t* offset, Show show) {
  return Pointed(offset, sizeof(*offset), show,
                 [&] { return absl::StrCat("[", Load<int64_t>(offset), "]"); });
}

std::string PairText(const int* values, Show show) {
  return Pointed(values, 2 * sizeof(*values), show, [&] {
    return absl::StrCat("[", values[0], ", ", values[1], "]");
  });
}

}  // namespace net
