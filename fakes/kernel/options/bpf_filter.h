#ifndef FAKES_KERNEL_OPTIONS_BPF_FILTER_H_
#define FAKES_KERNEL_OPTIONS_BPF_FILTER_H_

#include <linux/filter.h>

#include "absl/types/span.h"

namespace net::fake {

// Returns whether Linux accepts a program of classic BPF as a socket's filter:
// known instructions, jumps forward within the program, no read of a memory
// word that was not written, no division by 0, and a return at the end
// (bpf_check_classic() in net/core/filter.c).
bool IsValidFilter(absl::Span<const sock_filter> program);

}  // namespace net::fake

#endif  // FAKES_KERNEL_OPTIONS_BPF_FILTER_H_
