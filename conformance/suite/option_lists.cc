#include "conformance/suite/option_lists.h"

#include <algorithm>
#include <climits>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

std::optional<std::string> Reason(const ListOnly& parts) {
  if (parts.unknown_flag) return "has no flags";
  if (parts.repeated_options) return "takes no list of options";
  if (parts.several_backlogs) return "takes one backlog";
  if (parts.backlog_above_int_max) return "takes the backlog as an int";
  if (parts.null_port) return "takes no pointer for the port";
  return std::nullopt;
}

// Returns why an implementation without the extension cannot be given the list,
// or nullopt if plain options can hold it.
template <typename List>
std::optional<Unsupported> WhyUnsupported(const Implementation& implementation,
                                          const List& list) {
  const ListOnly parts = ListOnlyPartsOf(list);
  const std::optional<std::string> reason = Reason(parts);
  if (!reason.has_value()) return std::nullopt;
  return Unsupported{implementation.WhyNoOptionList(parts).value_or(*reason)};
}

}  // namespace

std::vector<uint32_t> BacklogsOf(const ListenOptionList& list) {
  std::vector<uint32_t> all = list.backlogs;
  if (list.options.backlog.has_value()) {
    all.insert(all.begin(), static_cast<uint32_t>(*list.options.backlog));
  }
  return all;
}

std::vector<uint16_t*> PortsOf(const ListenOptionList& list) {
  std::vector<uint16_t*> all = list.ports;
  if (list.options.port != nullptr) all.insert(all.begin(), list.options.port);
  return all;
}

ListOnly ListOnlyPartsOf(const AcceptOptionList& list) {
  return {.unknown_flag = list.unknown_flag.has_value()};
}

ListOnly ListOnlyPartsOf(const ConnectOptionList& list) {
  return {.unknown_flag = list.unknown_flag.has_value(),
          .repeated_options = list.times > 1};
}

ListOnly ListOnlyPartsOf(const ListenOptionList& list) {
  const std::vector<uint32_t> backlogs = BacklogsOf(list);
  const bool above_int_max =
      std::any_of(backlogs.begin(), backlogs.end(),
                  [](uint32_t backlog) { return backlog > INT_MAX; });
  const bool null_port =
      std::count(list.ports.begin(), list.ports.end(), nullptr) > 0;
  return {.unknown_flag = list.unknown_flag.has_value(),
          .repeated_options = list.times > 1,
          .several_backlogs = backlogs.size() > 1,
          .backlog_above_int_max = above_int_max,
          .null_port = null_port};
}

Result<Handle> ListenWithList(Implementation& implementation,
                              const ip::Endpoint& local,
                              const ListenOptionList& list) {
  if (auto* const extension = implementation.option_lists()) {
    return extension->ListenWithList(local, list);
  }
  if (auto claim = WhyUnsupported(implementation, list)) return *claim;
  ListenOptions options = list.options;
  for (const uint32_t backlog : list.backlogs) {
    options.backlog = static_cast<int>(backlog);
  }
  const std::vector<uint16_t*> ports = PortsOf(list);
  // The implementation gets the caller's pointer, so that a failure that writes
  // to it is seen.
  if (!ports.empty()) options.port = ports.front();
  Result<Handle> listener = implementation.Listen(local, options);
  if (listener.ok()) {
    for (uint16_t* const port : ports) *port = *options.port;
  }
  return listener;
}

Result<Handle> ConnectWithList(Implementation& implementation,
                               const ip::Endpoint& remote,
                               const ConnectOptionList& list) {
  if (auto* const extension = implementation.option_lists()) {
    return extension->ConnectWithList(remote, list);
  }
  if (auto claim = WhyUnsupported(implementation, list)) return *claim;
  return implementation.Connect(remote, list.options);
}

Result<Handle> AcceptWithList(Implementation& implementation, Handle listener,
                              const AcceptOptionList& list) {
  if (auto* const extension = implementation.option_lists()) {
    return extension->AcceptWithList(listener, list);
  }
  if (auto claim = WhyUnsupported(implementation, list)) return *claim;
  return implementation.Accept(listener, list.options);
}

}  // namespace net::conformance
