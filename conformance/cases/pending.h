#ifndef CONFORMANCE_CASES_PENDING_H_
#define CONFORMANCE_CASES_PENDING_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/result.h"

namespace net::conformance {

// A call of the implementation that may block, in a task:
//
//   Pending<Sock> accepting(c, [&] { return listener.Accept(); });
//   ASSERT_TRUE(accepting.AwaitBlocked());
//   ...
//   ASSERT_OK_AND_ASSIGN(const Sock server, accepting.Join());
//
// Declare it after the objects that the call uses.
template <typename T>
class Pending {
 public:
  Pending(Context& c, std::function<Result<T>()> call)
      : task_(c.env().Start(
            [this, call = std::move(call)] { result_.emplace(call()); })) {}
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  ~Pending() = default;

  // See Task.
  bool AwaitBlocked() { return task_->AwaitBlocked(); }
  void Interrupt() { task_->Interrupt(); }

  // Waits until the call has returned, and returns its result. Must be called
  // at most once.
  Result<T> Join() {
    task_->Join();
    return *std::move(result_);
  }

 private:
  std::optional<Result<T>> result_;  // written by the task
  std::unique_ptr<Task> task_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_CASES_PENDING_H_
