#ifndef FAKES_FAULTS_READ_VALUE_H_
#define FAKES_FAULTS_READ_VALUE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "fakes/faults/line_reader.h"

// Read the values of a trace's line in the form of ToString(CallRecord). Return
// the bytes that a call has in memory. If a value has another form, the reader
// fails (LineReader::status()).

namespace net {

// Returns the bytes of a value.
template <typename T>
std::string BytesOf(const T& value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Reads the symbol of an errno, and returns its number.
int ReadErrno(LineReader& reader);

// Reads the value of a socket option: a number, an errno (SO_ERROR), a timeval,
// a linger or a quoted text.
std::string ReadOption(LineReader& reader);

// Reads a timeval or a timespec. `fraction` is "tv_usec=" or "tv_nsec=".
std::string ReadTimeval(LineReader& reader, absl::string_view fraction);

// Reads an itimerspec.
std::string ReadTimer(LineReader& reader);

// Reads an array of pollfd.
std::string ReadPollSet(LineReader& reader);

// Read an epoll_event, and an array of them.
std::string ReadEvent(LineReader& reader);
std::string ReadEvents(LineReader& reader);

// Reads a set of signals in the kernel's format: 8 bytes.
std::string ReadSignals(LineReader& reader);

// Reads a set of select(2), whose descriptors are below `count`.
std::string ReadFdSet(LineReader& reader, int count);

// Reads a position in a file: "[5]".
std::string ReadOffset(LineReader& reader);

// Reads an array of `count` ints.
std::string ReadInts(LineReader& reader, size_t count);

}  // namespace net

#endif  // FAKES_FAULTS_READ_VALUE_H_
