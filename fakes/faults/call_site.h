#ifndef FAKES_FAULTS_CALL_SITE_H_
#define FAKES_FAULTS_CALL_SITE_H_

#include "absl/strings/string_view.h"

namespace net {

// The name of the place in the program that makes the calls of this thread, for
// the filter "from=" of a fault plan:
//
//   {
//     const CallSite site("Server::Start");
//     sys.Bind(...);  // bind(from=Server)=EADDRINUSE matches
//   }
//
// Sites nest; the innermost counts.
class CallSite {
 public:
  // `name` must outlive the object.
  explicit CallSite(absl::string_view name);
  CallSite(const CallSite&) = delete;
  CallSite& operator=(const CallSite&) = delete;
  ~CallSite();

  // Returns the name of this thread's innermost site; "" if there is none.
  static absl::string_view Current();

 private:
  const absl::string_view outer_;
};

}  // namespace net

#endif  // FAKES_FAULTS_CALL_SITE_H_
