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

// Values in C. Numbers that have a symbol are written with it.

namespace net::conformance {

// Returns the elements of the array whose bytes these are; Load() the first.
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

// Returns what a socket address contains if that is nothing but an IPv4 or an
// IPv6 endpoint.
std::optional<ip::Endpoint> WholeEndpoint(absl::string_view address);

// An option's value, by the type that it has in C.
enum class OptionType { kInt, kLinger, kTimeval, kTcpInfo, kBytes };
OptionType TypeOfOption(int64_t level, int64_t name, size_t size);

// Returns the expression of a pointer to such a value, and its size, which is
// `length`: "INT(1)". `bytes` are those of the value.
std::string OptionArgument(OptionType type, absl::string_view bytes,
                           int64_t length);

// Returns the value of fcntl(2)'s command, or of its success.
std::string FcntlValue(int64_t command, int64_t value);

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_C_VALUES_H_
