#ifndef CONFORMANCE_EXPLAIN_C_VALUES_H_
#define CONFORMANCE_EXPLAIN_C_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "syscalls/net/endpoint.h"

// Writes values in C. A number that has a symbol is written as the symbol.

namespace net::conformance {

// Return the elements of an array, or its first element, from the bytes of the
// array. Load() returns T() if there are too few bytes.
template <typename T>
std::vector<T> ElementsOf(absl::string_view bytes) {
  std::vector<T> elements(bytes.size() / sizeof(T));
  // The bytes need not be aligned, and memcpy takes no null pointer.
  if (!elements.empty()) {
    std::memcpy(elements.data(), bytes.data(), elements.size() * sizeof(T));
  }
  return elements;
}

template <typename T>
T Load(absl::string_view bytes) {
  const std::vector<T> elements = ElementsOf<T>(bytes);
  return elements.empty() ? T{} : elements.front();
}

// Returns the name of a variable: "length_2".
inline std::string Suffixed(absl::string_view name, absl::string_view suffix) {
  return absl::StrCat(name, suffix);
}

// Returns a literal: "\"hello\\n\"".
std::string CString(absl::string_view bytes);

// Returns the endpoint of a socket address. Returns nullopt if the address
// contains anything else than an IPv4 or IPv6 endpoint, such as a scope ID.
std::optional<ip::Endpoint> WholeEndpoint(absl::string_view address);

// The type of an option's value in C.
enum class OptionType { kInt, kLinger, kTimeval, kTcpInfo, kBytes };
OptionType TypeOfOption(int64_t level, int64_t name, size_t size);

// Returns two arguments of a call: a pointer to a value of this type, and its
// size, `length`. For an int this is one macro: "INT(1)". `bytes` are the bytes
// of the value.
std::string OptionArgument(OptionType type, absl::string_view bytes,
                           int64_t length);

// Returns the text of `value`, which is the third argument of fcntl(2) with
// this command, or its result.
std::string FcntlValue(int64_t command, int64_t value);

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_C_VALUES_H_
