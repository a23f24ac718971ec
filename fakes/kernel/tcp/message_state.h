#ifndef FAKES_KERNEL_TCP_MESSAGE_STATE_H_
#define FAKES_KERNEL_TCP_MESSAGE_STATE_H_

#include "fakes/kernel/tcp/arrival_times.h"
#include "fakes/kernel/tcp/zero_copy.h"

namespace net::fake {

// The state of a socket's control messages and error queue. Most sockets have
// none.
struct MessageState {
  ArrivalTimes arrivals;  // Of data, for SO_TIMESTAMP and its like.
  ZeroCopySends zero_copy;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_MESSAGE_STATE_H_
