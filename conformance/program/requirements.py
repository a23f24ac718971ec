#!/usr/bin/env python3
"""requirements.py CONTRACT < LIST: prints conformance/REQUIREMENTS.md.

LIST is the output of `conformance --list --format=json`, CONTRACT is tcp/CONTRACT.md. Exits with 1 if a rule of the
contract has no case and no reason for that, or if a case names a rule that is not there.

    ./bazelw run //conformance -- --list --format=json |
      python3 conformance/program/requirements.py tcp/CONTRACT.md > conformance/REQUIREMENTS.md
"""

import collections
import json
import re
import sys

# The rules that no case can check, and why.
WITHOUT_CASES = {
    "SendAll": "Only net::tcp has this call, so that no case can ask others for it. //tcp:socket_test checks the rule.",
}

INTRODUCTION = """\
# The requirements

Each requirement that the conformance suite checks, with its source, its level and the address families and abilities that
its case needs. The machine that judges changes runs every case, on Linux 6.18.

- Levels: a `must` holds for everybody; from a `should`, good implementations may differ for a documented reason; of a
  `variation`, each known behaviour has a name.
- Families: `v4` and `v6`, each a trial of its own.
- `./bazelw run //conformance -- --cases=ID --verbose` runs the case of a requirement.

This file is generated: conformance/program/requirements.py tells how.
"""

# An id's parts that name an area: "kernel.poll" of "kernel.poll.closed", "listen" of "listen.state".
AREA = re.compile(r"(kernel\.)?[^.]+")


def rules(path):
    """Returns the first column of the contract's table."""
    with open(path, encoding="utf-8") as file:
        rows = [line.split("|")[1].strip() for line in file if line.startswith("|")]
    return rows[2:]  # Without the heading and the line below it.


def named_rules(source, known):
    """Returns the rules that a source names: all known ones in "contract: any failure, flags", and what is unknown."""
    found = []
    for part in source.split(";"):
        if not part.strip().startswith("contract: "):
            continue
        rest = part.strip().removeprefix("contract: ")
        while rest:
            match = max((rule for rule in known if rest == rule or rest.startswith(rule + ", ")), key=len, default=rest)
            found.append(match)
            rest = rest[len(match) + 2 :]
    return found


def table(heading, rows):
    """Returns a table in Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in [heading, *rows]]
    return "\n".join([lines[0], "|---" * len(heading) + "|", *lines[1:]]) + "\n"


def row_of(case):
    """Returns the row of a case."""
    needs = ", ".join(case["needs"]) or "–"
    cells = [f"`{case['case']}`", case["requirement"], case["source"], case["level"], " ".join(case["axes"]), needs]
    return [cell.replace("|", "\\|").replace("\n", " ") for cell in cells]


def main():
    known = rules(sys.argv[1])
    cases = json.load(sys.stdin)
    by_rule = collections.defaultdict(list)
    areas = collections.defaultdict(list)
    for case in cases:
        areas[AREA.match(case["case"]).group()].append(case)
        for rule in named_rules(case["source"], known):
            by_rule[rule].append(f"`{case['case']}`")
    mistakes = [f'{names[0]}: "{rule}" is no rule of the contract' for rule, names in by_rule.items() if rule not in known]
    mistakes += [f'"{rule}" has no case' for rule in known if rule not in by_rule and rule not in WITHOUT_CASES]
    mistakes += [f'"{rule}" has cases, and a reason for having none' for rule in WITHOUT_CASES if rule in by_rule]
    if mistakes:
        sys.exit("\n".join(mistakes))

    print(INTRODUCTION)
    print("## The rules of the contract\n")
    print("The rules are those of [tcp/CONTRACT.md](../tcp/CONTRACT.md).\n")
    print(table(["rule", "cases"], [[rule, ", ".join(by_rule[rule]) or WITHOUT_CASES[rule]] for rule in known]))
    heading = ["id", "requirement", "source", "level", "families", "needs"]
    for area, members in areas.items():
        print(f"## {area}\n\n{table(heading, [row_of(case) for case in members])}")


if __name__ == "__main__":
    main()
