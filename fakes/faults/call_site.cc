#include "fakes/faults/call_site.h"

#include "absl/strings/string_view.h"

namespace net {
namespace {

absl::string_view& CurrentSite() {
  thread_local absl::string_view current;
  return current;
}

}  // namespace

CallSite::CallSite(absl::string_view name) : outer_(CurrentSite()) {
  CurrentSite() = name;
}

CallSite::~CallSite() { CurrentSite() = outer_; }

absl::string_view CallSite::Current() { return CurrentSite(); }

}  // namespace net
