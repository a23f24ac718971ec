#ifndef CONFORMANCE_DRIVER_HOST_PASSING_H_
#define CONFORMANCE_DRIVER_HOST_PASSING_H_

namespace net::conformance {

// A pair of connected AF_UNIX sockets through which the runner passes
// descriptors to a driver (unix(7), SCM_RIGHTS). Owns both ends; the driver has
// a duplicate of its end.
//
// Throws HarnessError if a system call fails.
class Passing {
 public:
  Passing();
  Passing(const Passing&) = delete;
  Passing& operator=(const Passing&) = delete;
  ~Passing();

  // The driver's end.
  int receiver() const { return receiver_; }

  // Sends a duplicate of `fd` with one byte of data. Does not wait for the
  // driver.
  void Pass(int fd) const;

  // Closes both ends. For a forked process that does not need its copies.
  void Close();

  // Closes the duplicates that the driver has not received. They would keep
  // connections and ports open.
  void TakeBack() const;

 private:
  int sender_ = -1;
  int receiver_ = -1;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_PASSING_H_
