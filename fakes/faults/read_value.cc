#include "fakes/faults/read_value.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/line_reader.h"
#include "fakes/fd_sets.h"
#include "syscalls/errors/errno_symbol.h"

namespace net {

std::string ReadOption(LineReader& reader) {
  if (reader.IsNext("\"")) return reader.ReadBytes();
  if (reader.IsNext("{tv_sec=")) return ReadTimeval(reader, "tv_usec=");
  if (reader.TryRead("{")) {
    linger value = {};
    value.l_onoff = static_cast<int>(reader.ReadField("l_onoff="));
    reader.Read(", ");
    value.l_linger = static_cast<int>(reader.ReadField("l_linger="));
    reader.Read("}");
    return BytesOf(value);
  }
  if (reader.IsNext("E")) return BytesOf(ReadErrno(reader));
  return BytesOf(reader.ReadInt());
}

int ReadErrno(LineReader& reader) {
  const size_t begin = reader.position();
  const std::optional<int> error = ErrnoFromSymbol(reader.ReadWord(""));
  if (!error.has_value()) reader.FailAt(begin, "the symbol of an errno");
  return error.value_or(0);
}

std::string ReadTimeval(LineReader& reader, absl::string_view fraction) {
  // timeval and timespec have the same form.
  static_assert(sizeof(timeval) == sizeof(timespec));
  timespec value = {};
  reader.Read("{");
  value.tv_sec = reader.ReadField("tv_sec=");
  reader.Read(", ");
  value.tv_nsec = reader.ReadField(fraction);
  reader.Read("}");
  return BytesOf(value);
}

std::string ReadTimer(LineReader& reader) {
  reader.Read("{it_interval=");
  std::string bytes = ReadTimeval(reader, "tv_nsec=");
  reader.Read(", it_value=");
  bytes += ReadTimeval(reader, "tv_nsec=");
  reader.Read("}");
  return bytes;
}

std::string ReadPollSet(LineReader& reader) {
  std::string bytes;
  reader.Read("[");
  while (reader.ok() && !reader.IsNext("]")) {
    if (!bytes.empty()) reader.Read(", ");
    pollfd one = {};
    reader.Read("{");
    one.fd = reader.ReadInt();
    reader.Read(", ");
    one.events = static_cast<int16_t>(reader.ReadNumber(INT16_MIN, UINT16_MAX));
    reader.Read("}");
    bytes += BytesOf(one);
  }
  reader.Read("]");
  return bytes;
}

std::string ReadEvent(LineReader& reader) {
  epoll_event event = {};
  reader.Read("{");
  event.events =
      static_cast<uint32_t>(reader.ReadNumber(INT32_MIN, UINT32_MAX));
  reader.Read(", ");
  event.data.u64 = reader.ReadSize();
  reader.Read("}");
  return BytesOf(event);
}

std::string ReadEvents(LineReader& reader) {
  std::string bytes;
  reader.Read("[");
  while (reader.ok() && !reader.IsNext("]")) {
    if (!bytes.empty()) reader.Read(", ");
    bytes += ReadEvent(reader);
  }
  reader.Read("]");
  return bytes;
}

std::string ReadSignals(LineReader& reader) {
  uint64_t signals = 0;
  bool is_first = true;
  reader.Read("[");
  while (reader.ok() && !reader.IsNext("]")) {
    if (!std::exchange(is_first, false)) reader.Read(", ");
    const size_t begin = reader.position();
    const absl::string_view word = reader.ReadWord("");
    int found = 0;
    for (int signal = 1; signal <= SIGRTMAX; ++signal) {
      const char* const name = sigabbrev_np(signal);
      if (name != nullptr ? word == absl::StrCat("SIG", name)
                          : word == absl::StrCat(signal)) {
        found = signal;
      }
    }
    if (found == 0) reader.FailAt(begin, "a signal");
    if (found != 0) signals |= uint64_t{1} << (found - 1);
  }
  reader.Read("]");
  return BytesOf(signals);
}

std::string ReadFdSet(LineReader& reader, int count) {
  std::string bytes(FdSetSize(count), '\0');
  bool is_first = true;
  reader.Read("[");
  while (reader.ok() && !reader.IsNext("]")) {
    if (!std::exchange(is_first, false)) reader.Read(", ");
    const size_t begin = reader.position();
    const int fd = reader.ReadInt();
    if (fd < 0 || fd >= count) {
      reader.FailAt(begin, "a descriptor below the first argument");
      break;
    }
    const auto bit = static_cast<unsigned>(fd);
    bytes[bit / CHAR_BIT] =
        static_cast<char>(static_cast<unsigned char>(bytes[bit / CHAR_BIT]) |
                          (1U << (bit % CHAR_BIT)));
  }
  reader.Read("]");
  return bytes;
}

std::string ReadOffset(LineReader& reader) {
  reader.Read("[");
  const int64_t offset = reader.ReadNumber();
  reader.Read("]");
  return BytesOf(offset);
}

std::string ReadInts(LineReader& reader, size_t count) {
  std::string bytes;
  reader.Read("[");
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) reader.Read(", ");
    bytes += BytesOf(reader.ReadInt());
  }
  reader.Read("]");
  return bytes;
}

}  // namespace net
