#include "conformance/mutants/museum.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/files.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runfiles.h"
#include "conformance/explain/killed_mutants.h"
#include "conformance/mutants/examination.h"
#include "conformance/mutants/killed_mutants.h"
#include "conformance/mutants/mutation.h"
#include "conformance/suite/case.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using testing::ElementsAre;
using testing::Field;

std::vector<const Mutant*> AllBugs() {
  std::vector<const Mutant*> all;
  for (const Mutant& bug : RealBugs()) all.push_back(&bug);
  for (const Mutant& bug : OwnBugs()) all.push_back(&bug);
  return all;
}

std::vector<std::vector<Finding>> OnFakeKernel(
    absl::Span<const Exhibit> exhibits) {
  return Examine(
      exhibits, {}, [](const Record&) {}, nullptr);
}

Mutation NoMutation() {
  return [](Invocation&, auto make, Syscalls&) -> SysResult { return make(); };
}

TEST(Museum, HasBugsFromPublicTrackersItsOwnAndHarmlessVariants) {
  EXPECT_GE(RealBugs().size(), 60U);
  EXPECT_GE(OwnBugs().size(), 40U);
  EXPECT_GE(HarmlessVariants().size(), 25U);
}

absl::StatusOr<std::string> TextOf(absl::string_view runfile) {
  const auto path = FindRunfile(runfile);
  if (!path.has_value()) return absl::NotFoundError(runfile);
  return ReadFile(*path);
}

// If this fails, copy the file of this folder that Bazel has made.
TEST(SourceMutants, AreInTheFileOfExplain) {
  const auto made = TextOf("conformance/mutants/source_mutants.txt");
  ASSERT_TRUE(made.ok()) << made.status();
  const auto used = TextOf("conformance/explain/source_mutants.txt");
  ASSERT_TRUE(used.ok()) << used.status();
  EXPECT_EQ(*used, *made);
}

// If this fails, make the file again: its first lines say how. .ci/museum
// checks that it names all cases that find the bugs.
TEST(Museum, IsInTheFileOfExplain) {
  const auto text = TextOf("conformance/explain/killed_mutants.txt");
  ASSERT_TRUE(text.ok()) << text.status();
  const auto all = ParseKilledMutants(*text);
  ASSERT_TRUE(all.ok()) << all.status();
  const std::vector<KilledMutant>& recorded = *all;
  EXPECT_EQ(*text, KilledMutantsText(recorded));
  const std::vector<const Mutant*> bugs = AllBugs();
  ASSERT_EQ(recorded.size(), bugs.size());
  for (size_t i = 0; i < bugs.size(); ++i) {
    SCOPED_TRACE(bugs[i]->name);
    const KilledMutant expected = Killed(*bugs[i], {});
    EXPECT_EQ(recorded[i].name, expected.name);
    EXPECT_EQ(recorded[i].source, expected.source);
    EXPECT_EQ(recorded[i].text, expected.text);
    std::vector<absl::string_view> by_requirement;
    for (const KilledMutant::Killer& killer : recorded[i].killers) {
      EXPECT_NE(FindCaseOf(bugs[i]->layer, killer.test_case), nullptr)
          << killer.test_case;
      if (killer.by_requirement) by_requirement.push_back(killer.test_case);
    }
    EXPECT_THAT(by_requirement,
                testing::UnorderedElementsAreArray(bugs[i]->killers));
  }
}

TEST(Killed, HasTheCasesThatFoundTheBug) {
  const Mutant bug = {.name = "name",
                      .family = "family",
                      .mistake = "A mistake.",
                      .killers = {"listen.backlog.given"},
                      .mutation = NoMutation()};
  std::vector<Finding> findings(3);
  findings[0].test_case = FindCaseOf(Layer::kLibrary, "listen.backlog.default");
  findings[0].found = true;
  findings[1].test_case = FindCaseOf(Layer::kLibrary, "listen.backlog.zero");
  findings[2].test_case = FindCaseOf(Layer::kLibrary, "listen.backlog.given");
  findings[2].found = true;
  // The second case no longer finds it.
  const KilledMutant killed =
      Killed(bug, findings, {{"listen.backlog.zero"}, {"accept.in_order"}});
  EXPECT_EQ(killed.text, "A mistake.");
  EXPECT_THAT(killed.killers,
              ElementsAre(KilledMutant::Killer{"listen.backlog.given", true},
                          KilledMutant::Killer{"listen.backlog.default", false},
                          KilledMutant::Killer{"accept.in_order", false}));
}

TEST(Museum, NamesAreDifferent) {
  std::set<absl::string_view> names;
  for (const Mutant* bug : AllBugs()) {
    EXPECT_TRUE(names.insert(bug->name).second) << bug->name;
  }
  for (const HarmlessVariant& one : HarmlessVariants()) {
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
  }
}

TEST(Museum, RealBugsHaveAReport) {
  for (const Mutant& bug : RealBugs()) {
    SCOPED_TRACE(bug.name);
    EXPECT_NE(bug.report.project, "");
    EXPECT_NE(bug.report.noticed, "");
    EXPECT_TRUE(absl::StartsWith(bug.report.link, "https://"));
    EXPECT_GE(bug.report.year, 1990);
  }
  for (const Mutant& bug : OwnBugs()) {
    EXPECT_EQ(bug.report.year, 0) << bug.name;
  }
}

TEST(Museum, CasesExist) {
  for (const Mutant* bug : AllBugs()) {
    SCOPED_TRACE(bug->name);
    EXPECT_FALSE(bug->killers.empty());
    for (const absl::string_view id : bug->killers) {
      EXPECT_NE(FindCaseOf(bug->layer, id), nullptr) << id;
    }
  }
  for (const HarmlessVariant& one : HarmlessVariants()) {
    for (const absl::string_view id : one.differs_in) {
      EXPECT_NE(FindCaseOf(Layer::kLibrary, id), nullptr) << id;
    }
  }
}

TEST(Museum, EachBugIsFoundByEachOfItsCases) {
  std::vector<Exhibit> exhibits;
  for (const Mutant* bug : AllBugs()) {
    Exhibit exhibit = {
        .name = bug->name, .mutation = &bug->mutation, .layer = bug->layer};
    for (const absl::string_view id : bug->killers) {
      exhibit.cases.push_back(FindCaseOf(bug->layer, id));
    }
    exhibits.push_back(exhibit);
  }
  const auto findings = OnFakeKernel(exhibits);
  for (size_t i = 0; i < exhibits.size(); ++i) {
    for (const Finding& finding : findings[i]) {
      EXPECT_TRUE(finding.found)
          << exhibits[i].name << ", " << finding.test_case->id;
      EXPECT_EQ(finding.harness_error, "") << exhibits[i].name;
    }
  }
}

// .ci/museum runs the other cases, too.
TEST(Museum, NothingIsFoundInHarmlessVariants) {
  std::vector<Exhibit> exhibits;
  for (const HarmlessVariant& one : HarmlessVariants()) {
    Exhibit exhibit = {
        .name = one.name, .mutation = &one.mutation, .is_bug = false};
    for (const Case* test_case : CasesFor(one)) {
      if (absl::StartsWith(test_case->id, "data.recv.") ||
          absl::StartsWith(test_case->id, "data.send.") ||
          absl::StartsWith(test_case->id, "listen.defaults.") ||
          absl::StartsWith(test_case->id, "accept.inherits.")) {
        exhibit.cases.push_back(test_case);
      }
    }
    exhibits.push_back(exhibit);
  }
  const auto findings = OnFakeKernel(exhibits);
  for (size_t i = 0; i < exhibits.size(); ++i) {
    for (const Finding& finding : findings[i]) {
      EXPECT_FALSE(finding.found)
          << exhibits[i].name << ", " << finding.test_case->id << ": "
          << finding.message;
      EXPECT_EQ(finding.harness_error, "") << exhibits[i].name;
    }
  }
}

TEST(Examine, FindsNothingInWhatIsIntact) {
  const Mutation none = NoMutation();
  const Exhibit intact = {
      .name = "intact",
      .mutation = &none,
      .cases = {FindCaseOf(Layer::kLibrary, "listen.backlog.given"),
                FindCaseOf(Layer::kLibrary, "peeraddr.v4_mapped.accepted")}};
  EXPECT_THAT(OnFakeKernel({intact}),
              ElementsAre(ElementsAre(Field(&Finding::found, false),
                                      Field(&Finding::found, false))));
}

TEST(Examine, TellsTheAddressFamiliesOnWhichACaseFails) {
  const Mutation v6_only = Before<Call::kListen>([](auto& call, Syscalls& sys) {
    sockaddr_storage name = {};
    socklen_t size = sizeof(name);
    static_cast<void>(
        sys.GetSockName(call.fd, reinterpret_cast<sockaddr*>(&name), &size));
    if (name.ss_family == AF_INET6) call.backlog = 3;
  });
  const Exhibit bug = {
      .name = "v6_only",
      .mutation = &v6_only,
      .cases = {FindCaseOf(Layer::kLibrary, "listen.backlog.given")}};
  EXPECT_THAT(
      OnFakeKernel({bug}),
      ElementsAre(ElementsAre(testing::AllOf(
          Field(&Finding::found, true), Field(&Finding::families, "v6")))));
}

// Faults are injected above the kernel, and the mutation is above them.
TEST(Examine, MutatesAlsoWhileFaultsAreInjected) {
  const Mutation close_again =
      After<Call::kClose>([](auto& call, SysResult result, Syscalls& kernel) {
        static_cast<void>(kernel.Close(call.fd));
        return result;
      });
  const Exhibit bug = {
      .name = "close_again",
      .mutation = &close_again,
      .cases = {FindCaseOf(Layer::kLibrary, "faults.close.not_retried")}};
  EXPECT_THAT(OnFakeKernel({bug}),
              ElementsAre(ElementsAre(Field(&Finding::found, true))));
}

// The first mutation is the outer one.
TEST(Both, CallsTheFirstOneFirst) {
  std::string order;
  const Mutation both = Both(
      [&](Invocation&, auto make, Syscalls&) -> SysResult {
        order += "first ";
        return make();
      },
      [&](Invocation&, auto make, Syscalls&) -> SysResult {
        order += "second ";
        return make();
      });
  Syscalls none;
  Invocation call(Arguments<Call::kClose>{.fd = 3});
  EXPECT_EQ(both(
                call,
                [&] {
                  order += "kernel";
                  return SysResult::Ok();
                },
                none),
            SysResult::Ok());
  EXPECT_EQ(order, "first second kernel");
}

}  // namespace
}  // namespace net::conformance
