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

// A line of a program. `without_value` replaces it where a value was not the
// same in two runs; it is "" if the line then says nothing.
struct Statement {
  std::string line;
  std::string without_value;
};

// Transfers of so many bytes may take several calls.
inline constexpr int64_t kLargeTransfer = 4096;

// A call in C, with what goes before and after it.
struct CallInC {
  std::string before;  // Statements on the same line: "length = 128; "
  std::string call;    // "getsockname(fd, ADDRESS)"
  std::vector<Statement> checks;  // of what the call has filled in
};

// Returns whether the success of a call has a value of interest: not always 0.
bool HasValue(const CallRecord& record);

// Writes the calls of a script in C, one after the other.
class CallWriter {
 public:
  explicit CallWriter(const Script& script);

  // Returns the call. `suffix` is the end of the names of the variables that it
  // fills in: "" for those that all calls share. Fails if C cannot express it
  // in one line.
  //
  // Call it in the order in which the calls begin, and Checks() in that in
  // which they return.
  absl::StatusOr<CallInC> Write(size_t call, absl::string_view suffix);
  // Returns the checks of the targets that a call has filled in.
  std::vector<Statement> Checks(size_t call, absl::string_view suffix);
  // Returns the line that makes `expression`, a call, and checks its result.
  // `type` goes before the name of a new descriptor: "int ".
  Statement Line(size_t call, absl::string_view expression,
                 absl::string_view type) const;

  const Names& names() const { return names_; }

 private:
  std::string Address(absl::string_view address, int64_t length);
  // Returns the macro of an endpoint; with the form "_POINTER" without its
  // size.
  std::string Endpoint(const ip::Endpoint& endpoint, absl::string_view form);
  absl::StatusOr<std::string> Argument(const CallRecord& record, size_t i,
                                       absl::string_view suffix,
                                       std::string& before);
  static std::string OutAddress(const CallRecord& record, size_t i,
                                absl::string_view suffix, std::string& before);
  static std::string OutOption(const CallRecord& record, size_t i,
                               absl::string_view suffix, std::string& before);
  absl::StatusOr<std::string> MessageIn(const RecordedMessage& message);
  static std::string MessageOut(const RecordedMessage& message,
                                absl::string_view suffix);
  std::string PollSet(const CallRecord& record, size_t i,
                      absl::string_view suffix, std::string& before) const;
  std::string EpollEvent(const CallRecord& record, size_t i);

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
  Names names_;
  // The data of epoll events, by its number: "client".
  std::map<uint64_t, std::string> event_data_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_C_CALL_H_
