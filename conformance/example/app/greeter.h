#ifndef APP_GREETER_H_
#define APP_GREETER_H_

#include "absl/status/status.h"
#include "tcp/tcp.h"

// Accepts one connection and sends "hello" to it.
absl::Status GreetOne(net::Socket& listener);

#endif  // APP_GREETER_H_
