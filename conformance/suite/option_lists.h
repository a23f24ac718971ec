#ifndef CONFORMANCE_SUITE_OPTION_LISTS_H_
#define CONFORMANCE_SUITE_OPTION_LISTS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "conformance/suite/call_options.h"
#include "conformance/suite/result.h"
#include "syscalls/net/endpoint.h"

// An extension of Implementation, for APIs that take the options of a call as a
// list of values. Such a list can hold more than the plain option structs:
//
// - an option several times
// - several backlogs, and backlogs above INT_MAX
// - several pointers for the port, and null pointers
// - a bit that is not a flag
//
// Cases that call an implementation with a list have Need::kOptionLists.

namespace net::conformance {

class Implementation;

struct AcceptOptionList {
  AcceptOptions options;
  // A bit to add to the API's flags. It has no meaning in Linux or in the API
  // (see drivers/PROTOCOL.md, `unknown_flag`).
  std::optional<uint32_t> unknown_flag;
};

struct ConnectOptionList {
  ConnectOptions options;
  // The number of times to give each boolean option that is true.
  int times = 1;
  std::optional<uint32_t> unknown_flag;
};

struct ListenOptionList {
  ListenOptions options;
  int times = 1;
  // The backlogs to give in this order, after the one in `options`.
  std::vector<uint32_t> backlogs;
  // Places for the port, written on success only, beside the one in `options`.
  // The API gets null pointers, too.
  std::vector<uint16_t*> ports;
  std::optional<uint32_t> unknown_flag;
};

// Return all backlogs of a list, and all pointers for the port, in order.
std::vector<uint32_t> BacklogsOf(const ListenOptionList& list);
std::vector<uint16_t*> PortsOf(const ListenOptionList& list);

// The parts of a list that the plain option structs cannot hold.
struct ListOnly {
  bool unknown_flag = false;
  bool repeated_options = false;
  bool several_backlogs = false;
  bool backlog_above_int_max = false;
  bool null_port = false;
};
// Returns which of these parts a list has.
ListOnly ListOnlyPartsOf(const AcceptOptionList& list);
ListOnly ListOnlyPartsOf(const ConnectOptionList& list);
ListOnly ListOnlyPartsOf(const ListenOptionList& list);

// The calls with lists. An Implementation whose API has such lists derives from
// this class, too, and overrides Implementation::option_lists(). The rules for
// the methods of Implementation apply. If the API lacks a part of the list, the
// method returns Unsupported.
class OptionListExtension {
 public:
  virtual Result<Handle> ListenWithList(const ip::Endpoint& local,
                                        const ListenOptionList& list) = 0;
  virtual Result<Handle> ConnectWithList(const ip::Endpoint& remote,
                                         const ConnectOptionList& list) = 0;
  virtual Result<Handle> AcceptWithList(Handle listener,
                                        const AcceptOptionList& list) = 0;

 protected:
  ~OptionListExtension() = default;
};

// Call an implementation with a list, with or without the extension. Without
// the extension, they use the plain option structs if these can hold the list;
// the one port that the implementation reports is written to all pointers for
// the port. If the structs cannot hold the list, they return Unsupported.
Result<Handle> ListenWithList(Implementation& implementation,
                              const ip::Endpoint& local,
                              const ListenOptionList& list);
Result<Handle> ConnectWithList(Implementation& implementation,
                               const ip::Endpoint& remote,
                               const ConnectOptionList& list);
Result<Handle> AcceptWithList(Implementation& implementation, Handle listener,
                              const AcceptOptionList& list);

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_OPTION_LISTS_H_
