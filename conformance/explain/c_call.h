#ifndef CONFORMANCE_EXPLAIN_C_CALL_H_
#define CONFORMANCE_EXPLAIN_C_CALL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/explain/names.h"
#include "conformance/explain/script.h"
#include "fakes/faults/call_record.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {

// A line of a C program. `without_value` replaces `line` if two runs gave
// different values. It is "" if nothing is left to check without the value.
struct Statement {
  std::string line;
  std::string without_value;
};

// The size in bytes from which on a transfer may take several calls.
inline constexpr int64_t kLargeTransfer = 4096;

// A call in C, with the statements before and after it.
struct CallInC {
  std::string before;  // Statements on the same line: "length = 128; "
  std::string call;    // "getsockname(fd, ADDRESS)"
  std::vector<Statement> checks;  // of the call's out-parameters
};

// Returns whether a successful call can return another value than 0.
bool HasValue(const CallRecord& record);

// Writes the calls of a script in C, one after the other.
class CallWriter {
 public:
  explicit CallWriter(const Script& script);

  // Returns the call. `suffix` is the end of the names of the variables for its
  // out-parameters: "" for the variables that all calls share. Fails if C
  // cannot express the call in one line.
  //
  // Call Write() in the order in which the calls begin, and Checks() in the
  // order in which they return.
  absl::StatusOr<CallInC> Write(size_t call, absl::string_view suffix);
  // Returns the checks of a call's out-parameters.
  std::vector<Statement> Checks(size_t call, absl::string_view suffix);
  // Returns the line that makes the call `expression` and checks its result.
  // `type` precedes the name of a new descriptor: "int ".
  Statement Line(size_t call, absl::string_view expression,
                 absl::string_view type) const;

  const Names& names() const { return names_; }

 private:
  // Returns whether argument `i` of the call that is being written is a pointer
  // to memory that the process does not have.
  bool IsBad(size_t i) const;
  // Returns the expression of a pointer whose target the program does not have.
  std::string UnknownTarget(size_t i, absl::string_view suffix) const;
  std::string Address(absl::string_view address, int64_t length);
  // Returns the macro for the address of an endpoint and its size. With the
  // form "_POINTER", returns the macro for the address alone.
  std::string Endpoint(const ip::Endpoint& endpoint, absl::string_view form);
  absl::StatusOr<std::string> Argument(const CallRecord& record, size_t i,
                                       absl::string_view suffix,
                                       std::string& before);
  std::string OutAddress(const CallRecord& record, size_t i,
                         absl::string_view suffix, std::string& before) const;
  std::string OutOption(const CallRecord& record, size_t i,
                        absl::string_view suffix, std::string& before) const;
  absl::StatusOr<std::string> MessageIn(const RecordedMessage& message);
  static std::string MessageOut(const RecordedMessage& message,
                                absl::string_view suffix);
  std::string PollSet(const CallRecord& record, size_t i,
                      absl::string_view suffix, std::string& before) const;
  std::string EpollEvent(const CallRecord& record, size_t i);

  // ---- Several buffers, messages or descriptors (c_several.cc)
  absl::StatusOr<std::string> ArgumentOfSeveral(const CallRecord& record,
                                                size_t i,
                                                absl::string_view suffix,
                                                std::string& before);
  static absl::StatusOr<std::string> Buffers(const CallRecord& record, size_t i,
                                             absl::string_view suffix);
  absl::StatusOr<std::string> Messages(const CallRecord& record, size_t i,
                                       absl::string_view suffix,
                                       std::string& before);
  std::string Set(const CallRecord& record, size_t i, absl::string_view suffix,
                  std::string& before) const;
  static void CheckMessages(const CallRecord& record, absl::string_view suffix,
                            std::vector<Statement>& checks);
  void CheckSeveral(const CallRecord& record, size_t i,
                    absl::string_view suffix,
                    std::vector<Statement>& checks) const;

  void CheckAddress(const CallRecord& record, size_t i,
                    absl::string_view suffix, std::vector<Statement>& checks);
  static void CheckOption(const CallRecord& record, size_t i,
                          absl::string_view suffix,
                          std::vector<Statement>& checks);
  static void CheckData(absl::string_view data, absl::string_view suffix,
                        std::vector<Statement>& checks);
  static void CheckPollSet(const CallRecord& record, size_t i,
                           absl::string_view suffix,
                           std::vector<Statement>& checks);
  void CheckEpollEvents(const CallRecord& record, size_t i,
                        absl::string_view suffix,
                        std::vector<Statement>& checks) const;

  const Script& script_;
  std::vector<size_t> bad_;  // Of the call that is being written.
  Names names_;
  // The data of epoll events, by its number: "client".
  std::map<uint64_t, std::string> event_data_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_C_CALL_H_
