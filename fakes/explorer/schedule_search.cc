#include "fakes/explorer/schedule_search.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "fakes/explorer/schedule_policies.h"
#include "fakes/explorer/schedule_record.h"

namespace net {

void ScheduleSearch::SearchExhaustively() {
  const auto levels = static_cast<size_t>(limits_.bounds.max_preemptions) + 1;
  if (progress_.pending.empty()) {
    progress_.pending.assign(levels, {});
    progress_.exhaustive.assign(levels, 0);
    progress_.pending[0].push_back({});
  }
  for (size_t level = 0; level < levels; ++level) {
    std::vector<Node>& nodes = progress_.pending[level];
    // Depth first: the list stays short.
    while (!nodes.empty() && !is_stopped_) {
      if (progress_.runs >= limits_.bounds.max_schedules) return;
      const Node node = std::move(nodes.back());
      nodes.pop_back();
      RunNode(node, static_cast<int>(level));
      SaveNowAndThen();
    }
  }
  is_exhausted_ = !is_stopped_;
}

void ScheduleSearch::RunNode(const Node& node, int preemptions) {
  DeviatingSchedule policy(node.deviations);
  const ScheduledRun run = run_(policy, /*is_repeated=*/false);
  const ScheduleRecord& record = policy.record();
  ++progress_.runs;
  ++progress_.exhaustive[static_cast<size_t>(preemptions)];
  progress_.longest = std::max(progress_.longest, record.size());
  const bool is_as_before =
      node.deviations.empty() ||
      (policy.has_made_all() &&
       record.DigestAt(node.deviations.back().point) == node.digest);
  const bool is_power_of_two = (progress_.runs & (progress_.runs - 1)) == 0;
  repeats_ = is_as_before && (!is_power_of_two || Repeats(node, record, run));
  is_stopped_ = !run.goes_on || !repeats_;
  if (!is_stopped_) AddChildren(node, preemptions, record);
}

bool ScheduleSearch::Repeats(const Node& node, const ScheduleRecord& record,
                             const ScheduledRun& run) {
  DeviatingSchedule policy(node.deviations);
  const ScheduledRun again = run_(policy, /*is_repeated=*/true);
  return again.digest == run.digest &&
         policy.record().Digest() == record.Digest();
}

void ScheduleSearch::AddChildren(const Node& node, int preemptions,
                                 const ScheduleRecord& record) {
  const size_t first =
      node.deviations.empty() ? 0 : node.deviations.back().point + 1;
  for (size_t point = first; point < record.size(); ++point) {
    for (const int participant : record.RunnableAt(point)) {
      if (participant == record[point].chosen) continue;
      const int sum =
          preemptions + (record.IsPreemption(point, participant) ? 1 : 0);
      if (sum > limits_.bounds.max_preemptions || IsOfOtherShard(node))
        continue;
      std::vector<Node>& nodes = progress_.pending[static_cast<size_t>(sum)];
      Node& child = nodes.emplace_back();
      child.deviations.reserve(node.deviations.size() + 1);
      child.deviations = node.deviations;
      child.deviations.push_back({.point = point, .participant = participant});
      child.digest = record.DigestAt(point);
    }
  }
}

bool ScheduleSearch::IsOfOtherShard(const Node& parent) {
  // The schedules with one deviation, and all that follow from them, are a
  // unit of work.
  return parent.deviations.empty() &&
         units_++ % limits_.shard_total != limits_.shard_index;
}

void ScheduleSearch::SaveNowAndThen() {
  if (save_ == nullptr || is_stopped_ || ++unsaved_ < save_every_) return;
  unsaved_ = 0;
  save_();
}

void ScheduleSearch::SearchRandomly() {
  while (progress_.next_random < limits_.bounds.pct_schedules && !is_stopped_) {
    const int64_t i = progress_.next_random++;
    if (i % limits_.shard_total != limits_.shard_index) continue;
    PctSchedule policy(limits_.pct_seed + static_cast<uint64_t>(i),
                       limits_.bounds.pct_depth,
                       std::max<size_t>(progress_.longest, 1));
    is_stopped_ = !run_(policy, /*is_repeated=*/false).goes_on;
    ++progress_.random;
    progress_.longest = std::max(progress_.longest, policy.record().size());
    SaveNowAndThen();
  }
}

}  // namespace net
