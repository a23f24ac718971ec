#include "fakes/kernel/ports/connections.h"

#include <utility>
#include <vector>

namespace net::fake {

void ConnectionTable::Grow() {
  const std::vector<ConnectionEnd*> old =
      std::exchange(buckets_, std::vector<ConnectionEnd*>(2 * buckets_.size()));
  for (ConnectionEnd* end : old) {
    while (end != nullptr) {
      ConnectionEnd* const next = end->next_;
      Link(*end);
      end = next;
    }
  }
}

}  // namespace net::fake
