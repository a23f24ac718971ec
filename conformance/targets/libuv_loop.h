#ifndef CONFORMANCE_TARGETS_LIBUV_LOOP_H_
#define CONFORMANCE_TARGETS_LIBUV_LOOP_H_

#include <iterator>
#include <list>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "syscalls/mutex.h"
#include "uv.h"

namespace net::conformance {

// A loop that one thread at a time may use, inside Run(). One of the waiting
// threads runs the loop for all of them. A thread that enters Run() interrupts
// it.
class LibuvLoop {
 public:
  LibuvLoop() {
    uv_loop_init(&loop_);
    uv_async_init(&loop_, &wake_, [](uv_async_t*) {});
    // The first stream of a loop opens a spare descriptor, which the loop
    // keeps. Open it here, so that no case seems to leak it.
    uv_tcp_t first;
    uv_tcp_init(&loop_, &first);
    Close(first);
  }
  LibuvLoop(const LibuvLoop&) = delete;
  LibuvLoop& operator=(const LibuvLoop&) = delete;
  ~LibuvLoop() {
    uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
    uv_run(&loop_, UV_RUN_NOWAIT);
    uv_loop_close(&loop_);
  }

  // Calls `start`, which may use the loop, then runs the loop until `done`
  // returns true. `done` is called by any thread that runs the loop, and never
  // again after it has returned true.
  void Run(
      absl::FunctionRef<void()> start,
      absl::FunctionRef<bool()> done = [] { return true; }) {
    const MutexLock lock(mutex_);
    ++entering_;
    while (running_) {
      uv_async_send(&wake_);
      turn_.Wait(mutex_);
    }
    --entering_;
    start();
    Call call{.done = done};
    calls_.push_back(&call);
    FinishCalls();
    while (!call.finished) {
      if (running_ || entering_ > 0) {
        turn_.Wait(mutex_);
      } else {
        RunOnce();
      }
    }
  }

  // Return the loop, and run it once without waiting. Only for the functions
  // passed to Run().
  uv_loop_t* get() { return &loop_; }
  void Turn() { uv_run(&loop_, UV_RUN_NOWAIT); }

  // Closes a handle. When this returns, the loop no longer uses the handle.
  void Close(uv_tcp_t& handle) {
    bool closed = false;
    Run(
        [&] {
          handle.data = &closed;
          uv_close(reinterpret_cast<uv_handle_t*>(&handle),
                   [](uv_handle_t* h) { *static_cast<bool*>(h->data) = true; });
        },
        [&] { return closed; });
  }

 private:
  // A thread in Run().
  struct Call {
    absl::FunctionRef<bool()> done;
    bool finished = false;
  };

  void FinishCalls() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (auto it = calls_.begin(); it != calls_.end();) {
      (*it)->finished = (*it)->done();
      it = (*it)->finished ? calls_.erase(it) : std::next(it);
    }
    turn_.NotifyAll();
  }

  void RunOnce() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    running_ = true;
    mutex_.unlock();
    uv_run(&loop_, UV_RUN_ONCE);
    mutex_.lock();
    running_ = false;
    FinishCalls();
  }

  uv_loop_t loop_;
  uv_async_t wake_;
  Mutex mutex_;
  CondVar turn_;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  int entering_ ABSL_GUARDED_BY(mutex_) = 0;
  std::list<Call*> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_LIBUV_LOOP_H_
