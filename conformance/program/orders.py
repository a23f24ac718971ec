#!/usr/bin/env python3
"""Runs all trials of a driver in random orders, and compares each trial's outcomes.

A trial must end as if it were the first. If its outcome depends on the order, an earlier trial left something behind.
`.ci/orders` builds the programs and runs this script with a driver that leaks.

Exit status: 0 no trial depends on the order, 1 some do, 2 a usage error or a failed run.
"""

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import time


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, metavar="FILE", help="//conformance:driver_runner")
    parser.add_argument("--driver", required=True, metavar="COMMAND", help="the program's flag --driver")
    parser.add_argument("--orders", type=int, default=20, metavar="N", help="how many orders (20)")
    parser.add_argument("--seed", type=int, metavar="N", help="seed of the first order; the next orders have N + 1, N + 2, ... (random)")
    parser.add_argument("--cases", metavar="GLOB,...", help="only these cases")
    parser.add_argument("--jobs", type=int, metavar="N", help="how many trials run at a time")
    parser.add_argument("--keep", metavar="FOLDER", help="keep the records of each order in this folder")
    arguments = parser.parse_args()
    if arguments.orders < 2:
        parser.error("--orders: must be at least 2")
    return arguments


def run_order(arguments, seed, folder):
    """Runs the trials in the order of `seed`. Returns each trial's ending: {"CASE AXIS": "pass, leak"}."""
    path = os.path.join(folder, f"{seed}.jsonl")
    command = [arguments.program, "--driver=" + arguments.driver, "--shuffle", f"--seed={seed}", "--records=" + path]
    if arguments.cases:
        command.append("--cases=" + arguments.cases)
    if arguments.jobs:
        command.append(f"--jobs={arguments.jobs}")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    # Status 1 is an unexpected outcome. A driver that leaks always has some.
    if done.returncode not in (0, 1):
        sys.stderr.write(done.stdout[-4000:] + done.stderr[-4000:])
        print(f"orders: seed {seed}: the run ended with status {done.returncode}", file=sys.stderr)
        sys.exit(2)
    endings = {}
    with open(path, encoding="utf-8") as records:
        for line in records:
            record = json.loads(line)
            if "case" in record:
                ending = ", ".join(filter(None, [record["outcome"], record["leak"]]))
                endings[f"{record['case']} {record['axis']}"] = ending
    return endings


def differing(seeds_of):
    """Returns the trials with more than one ending."""
    return {trial: endings for trial, endings in sorted(seeds_of.items()) if len(endings) > 1}


def main():
    arguments = parse_arguments()
    first = arguments.seed if arguments.seed is not None else random.randrange(1, 2**31)
    # seeds_of[trial][ending]: the seeds of the orders in which the trial ended like this.
    seeds_of = collections.defaultdict(lambda: collections.defaultdict(list))
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or temporary
        os.makedirs(folder, exist_ok=True)
        for number in range(arguments.orders):
            started = time.monotonic()
            endings = run_order(arguments, first + number, folder)
            for trial, ending in endings.items():
                seeds_of[trial][ending].append(first + number)
            print(f"order {number + 1} of {arguments.orders}, seed {first + number}: {len(endings)} trials, "
                  f"{time.monotonic() - started:.0f} s; {len(differing(seeds_of))} depend on the order so far", flush=True)
    for trial, endings in differing(seeds_of).items():
        print(trial)
        for ending, seeds in sorted(endings.items()):
            print(f"  {ending}: seed {', '.join(map(str, seeds))}")
    count = len(differing(seeds_of))
    print(f"{arguments.orders} orders of {len(seeds_of)} trials, {count} depend on the order")
    return 1 if count else 0


sys.exit(main())
