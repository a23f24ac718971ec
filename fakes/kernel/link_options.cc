#include "fakes/kernel/link_options.h"

#include <ostream>

#include "absl/time/time.h"

namespace net {

std::ostream& operator<<(std::ostream& os, const LinkEnds& ends) {
  return os << ends.from.ToString() << (ends.both_ways ? " <-> " : " -> ")
            << ends.to.ToString();
}

std::ostream& operator<<(std::ostream& os, const LinkOptions& options) {
  os << "delay " << absl::FormatDuration(options.delay) << ", jitter "
     << absl::FormatDuration(options.jitter) << ", bandwidth "
     << options.bandwidth << " B/s, loss " << options.loss << ", seed "
     << options.seed;
  switch (options.rule) {
    case LinkOptions::Rule::kPass:
      break;
    case LinkOptions::Rule::kDrop:
      os << ", drops";
      break;
    case LinkOptions::Rule::kReject:
      os << ", rejects";
      break;
  }
  return os;
}

}  // namespace net
