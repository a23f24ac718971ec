#ifndef FAKES_SYMBOLS_H_
#define FAKES_SYMBOLS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace net {

// Return symbols for numbers in system calls' arguments, as in the man pages:
// "AF_INET6". A number without a known symbol is returned as a number. Flags
// are joined by `between`, by default as in strace(1):
// "SOCK_STREAM|SOCK_CLOEXEC". Without flags, the text is "0".

std::string DomainSymbol(int domain);
std::string TypeSymbols(int type, absl::string_view between = "|");
std::string ProtocolSymbol(int protocol);
std::string AcceptFlagSymbols(int flags, absl::string_view between = "|");
std::string ShutdownSymbol(int how);
std::string MessageFlagSymbols(int flags, absl::string_view between = "|");
// Returns level and name: "SOL_SOCKET, SO_ERROR".
std::string OptionSymbols(int level, int name);

// The level and the name of an option.
struct OptionNumber {
  int level;  // SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP or IPPROTO_IPV6.
  int name;

  friend std::ostream& operator<<(std::ostream& os,
                                  const OptionNumber& option) {
    return os << option.level << ", " << option.name;
  }
};

// Returns the option of a symbol such as "SO_ERROR", or nullopt if it is not
// one of those that OptionSymbols() knows.
std::optional<OptionNumber> OptionFromSymbol(absl::string_view symbol);

// Returns the symbols that OptionFromSymbol() knows.
std::vector<std::string> AllOptionSymbols();

std::string PollEventSymbols(int16_t events, absl::string_view between = "|");
std::string EpollEventSymbols(uint32_t events);
std::string EpollOperationSymbol(int operation);
std::string EpollFlagSymbols(int flags);

std::string FcntlSymbol(int command);
// Returns the command of a symbol such as "F_SETFL", or nullopt.
std::optional<int> FcntlFromSymbol(absl::string_view symbol);
// Returns the symbols that FcntlFromSymbol() knows.
std::vector<std::string> AllFcntlSymbols();
std::string IoctlSymbol(uint64_t request);
std::string DescriptorFlagSymbols(int flags);  // "FD_CLOEXEC".
std::string StatusFlagSymbols(int flags);      // "O_RDWR|O_NONBLOCK".
std::string OpenFlagSymbols(int flags);        // dup3 and pipe2: "O_CLOEXEC".
std::string EventFdFlagSymbols(int flags);
std::string TimerFlagSymbols(
    int flags);  // timerfd_settime: "TFD_TIMER_ABSTIME"
std::string SpliceFlagSymbols(int flags);
std::string ClockSymbol(clockid_t clock);

// Returns the value of any symbol that the functions above return, for example
// "SOL_SOCKET". Returns nullopt for another name.
std::optional<int64_t> NumberOfSymbol(absl::string_view symbol);

}  // namespace net

#endif  // FAKES_SYMBOLS_H_
