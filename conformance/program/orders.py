#!/usr/bin/env python3
"""Runs all trials of a driver in random orders, and compares how each trial ended.

A trial must end as if it were the first. One that ends otherwise in another order depends on what others left behind.
`.ci/orders` builds what is needed and runs this with a driver that leaks.

Exit status: 0 each trial ended alike in all orders, 1 one did not, 2 a usage error or a run that failed.
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
    parser.add_argument("--driver", required=True, metavar="COMMAND", help="as the program takes it")
    parser.add_argument("--orders", type=int, default=20, metavar="N", help="how many orders (20)")
    parser.add_argument("--seed", type=int, metavar="N", help="of the first order, the next is that of N + 1; a random one")
    parser.add_argument("--cases", metavar="GLOB,...", help="only these cases")
    parser.add_argument("--jobs", type=int, metavar="N", help="how many trials run at a time")
    parser.add_argument("--keep", metavar="FOLDER", help="keep the records of each order there")
    arguments = parser.parse_args()
    if arguments.orders < 2:
        parser.error("--orders: at least 2, or there is nothing to compare")
    return arguments


def run_order(arguments, seed, folder):
    """Runs the trials in the order of `seed`. Returns how each ended: {"CASE AXIS": "pass, leak"}."""
    path = os.path.join(folder, f"{seed}.jsonl")
    command = [arguments.program, "--driver=" + arguments.driver, "--shuffle", f"--seed={seed}", "--records=" + path]
    if arguments.cases:
        command.append("--cases=" + arguments.cases)
    if arguments.jobs:
        command.append(f"--jobs={arguments.jobs}")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    # 1: an unexpected outcome, as those of a driver that leaks are.
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
    """The trials that ended in more than one way."""
    return {trial: endings for trial, endings in sorted(seeds_of.items()) if len(endings) > 1}


def main():
    arguments = parse_arguments()
    first = arguments.seed if arguments.seed is not None else random.randrange(1, 2**31)
    # By trial and ending, the seeds of the orders in which it ended so.
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
                  f"{time.monotonic() - started:.0f} s; {len(differing(seeds_of))} differ so far", flush=True)
    for trial, endings in differing(seeds_of).items():
        print(trial)
        for ending, seeds in sorted(endings.items()):
            print(f"  {ending}: seed {', '.join(map(str, seeds))}")
    count = len(differing(seeds_of))
    print(f"{arguments.orders} orders of {len(seeds_of)} trials, {count} ended otherwise in another order")
    return 1 if count else 0


sys.exit(main())
