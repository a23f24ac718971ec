#ifndef CONFORMANCE_EXPLAIN_NAMES_H_
#define CONFORMANCE_EXPLAIN_NAMES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conformance/explain/script.h"
#include "fakes/faults/call_record.h"

namespace net::conformance {

// Returns whether a successful call returns a new descriptor.
bool MakesDescriptor(const CallRecord& record);

// The names of variables in a program that makes the calls of a script. A
// socket that listens is "listener", a socket that connects is "client", and an
// accepted one is "server". The second socket of a kind has a number:
// "client2".
class Names {
 public:
  explicit Names(const Script& script);

  // Returns the name of the descriptor that a call has made. For pipe2(2),
  // returns the name of the pair.
  const std::string& OfNew(size_t call) const { return made_.at(call); }

  // Records that the call has returned, so that its new descriptors have names.
  void Return(size_t call);

  // Returns the expression for a descriptor: its name, or its number if no call
  // of the script has made it.
  std::string OfDescriptor(int64_t fd) const;

  // The names of descriptors, by number. Includes closed descriptors.
  const std::map<int64_t, std::string>& open() const { return open_; }

  // Returns the expression for a port: its name, or its number if it has no
  // name.
  std::string OfPort(uint16_t port) const;
  // Gives a name to a port that a call has returned, and returns the name.
  // Returns nullopt if the program knows the port already.
  std::optional<std::string> LearnPort(uint16_t port);
  // Records that an argument of a call has this port.
  void UsePort(uint16_t port) { used_.try_emplace(port, ""); }

 private:
  std::string Unique(const std::string& base);

  const Script& script_;
  std::map<size_t, std::string> made_;    // By call.
  std::map<int64_t, std::string> open_;   // By number; closed ones too.
  std::map<uint16_t, std::string> used_;  // Ports; "" for a constant.
  std::map<std::string, int> counts_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_NAMES_H_
