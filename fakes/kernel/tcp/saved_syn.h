#ifndef FAKES_KERNEL_TCP_SAVED_SYN_H_
#define FAKES_KERNEL_TCP_SAVED_SYN_H_

#include <cstdint>
#include <vector>

#include "fakes/kernel/options/options.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/sysctls.h"

namespace net::fake {

// The headers of a SYN as TCP_SAVED_SYN returns them (tcp(7)): the IP header
// and the TCP header with its options; with TCP_SAVE_SYN 2, the link layer's
// header before them.
//
// They have the fields of a SYN on Linux's loopback interface, except for three
// that no program can foresee: the identification is 0, and sequence number and
// timestamp are `number`.
std::vector<uint8_t> MakeSyn(const FourTuple& tuple,
                             const SocketOptions& options,
                             const FakeSysctls& sysctls, uint32_t number,
                             bool with_link_header);

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_SAVED_SYN_H_
