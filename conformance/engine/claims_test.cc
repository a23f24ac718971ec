#include "conformance/engine/claims.h"

#include <string>
#include <vector>

#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Case kOne = {.id = "listen.one", .run = nullptr};
constexpr Case kTwo = {.id = "listen.two", .run = nullptr};

class ClaimsTest : public testing::Test {
 protected:
  Record Proves(const Target& target, std::vector<std::string> features) {
    return {.trial = {.test_case = &kOne, .target = &target},
            .verdict = {.proven = std::move(features)}};
  }
  Record Claims(const Target& target, std::vector<std::string> features) {
    return {.trial = {.test_case = &kTwo, .target = &target},
            .verdict = {.outcome = Outcome::kUnsupported,
                        .message = "has no such option",
                        .claimed = std::move(features)}};
  }

  const Target one_{.name = "one"};
  const Target other_{.name = "other"};
};

TEST_F(ClaimsTest, AClaimIsFalseIfAllOfItWasDoneElsewhere) {
  EXPECT_THAT(
      FalseClaims({Proves(one_, {"listen", "listen.reuseport"}),
                   Claims(one_, {"listen", "listen.reuseport"})}),
      ElementsAre(AllOf(
          HasSubstr("listen.two v4 one"), HasSubstr("has no such option"),
          HasSubstr("listen.reuseport"), HasSubstr("listen.one v4 one"))));
}

TEST_F(ClaimsTest, ItIsNotIfAPartOfItWasNever) {
  EXPECT_THAT(FalseClaims({Proves(one_, {"listen", "listen.reuseport"}),
                           Claims(one_, {"listen", "listen.keepalive"})}),
              IsEmpty());
}

TEST_F(ClaimsTest, AnotherImplementationProvesNothing) {
  EXPECT_THAT(
      FalseClaims({Proves(other_, {"listen"}), Claims(one_, {"listen"})}),
      IsEmpty());
}

}  // namespace
}  // namespace net::conformance
