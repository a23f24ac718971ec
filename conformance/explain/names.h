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
// socket that listens is "listener", one that connects "client", an accepted
// one "server"; the second of a kind is "client2".
class Names {
 public:
  explicit Names(const Script& script);

  // Returns the name of the descriptor that a call has made; that of the pair
  // for pipe2(2).
  const std::string& OfNew(size_t call) const { return made_.at(call); }

  // Records that the call has returned, so that its new descriptors have names.
  void Return(size_t call);

  // Returns the expression of a descriptor that a call uses now: a name, or the
  // number if none of the script's calls has made it.
  std::string OfDescriptor(int64_t fd) const;

  // The descriptors that have names, by number; those of closed ones, too.
  const std::map<int64_t, std::string>& open() const { return open_; }

  // Returns the expression of a port. If it is not known, that is the number.
  std::string OfPort(uint16_t port) const;
  // Returns the name of a port that a call has returned and that was not known,
  // or nullopt if it was.
  std::optional<std::string> LearnPort(uint16_t port);
  // Records that a call was given this number.
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
