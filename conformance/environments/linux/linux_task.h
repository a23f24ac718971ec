#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_TASK_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_TASK_H_

#include <functional>
#include <memory>

#include "conformance/suite/environment.h"

namespace net::conformance {

// Runs `body` in a thread of this process, for Environment::Start().
//
// A case that ends early, at a failed assertion, may leave a task that waits
// for an event that will never happen. Joining the task would turn the failure
// into a timeout. The destructor of a task that still runs therefore calls
// `abandon`, which must end the process.
std::unique_ptr<Task> StartLinuxTask(std::function<void()> body,
                                     std::function<void()> abandon);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_TASK_H_
