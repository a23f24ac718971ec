#!/usr/bin/env python3
"""requirements.py CONTRACT EXPECTATIONS < LIST: prints conformance/REQUIREMENTS.md.

LIST is the output of `conformance --list --format=json`, CONTRACT is tcp/CONTRACT.md, EXPECTATIONS is
conformance/targets/linux.expectations. Exits with 1 if a rule of the contract has no case and no reason for that, if a
case names a rule that is not there, or if a line of EXPECTATIONS names no case for kernels, or no version that ends it.

    ./bazelw run //conformance -- --list --format=json |
      python3 conformance/program/requirements.py tcp/CONTRACT.md conformance/targets/linux.expectations \
        > conformance/REQUIREMENTS.md
"""

import collections
import fnmatch
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
- Linux, of a case for kernels: the versions that do what it requires. `all`: each version that ran it. `since 6.9`: older
  versions do not. `partly since 6.6`: some updates of the versions in between do, too.
  [linux.expectations](targets/linux.expectations) names the change. The suite ran on Linux 6.18 and 6.12, and most of it on
  6.1 ([docs/PORTABLE.md](../docs/PORTABLE.md)).
- Linux, of a case for implementations: the versions on which net::tcp was seen to do what it requires.
- `./bazelw run //conformance -- --cases=ID --verbose` runs the case of a requirement.

This file is generated: conformance/program/requirements.py tells how.
"""

# The versions of Linux on which all cases for implementations ran: that of the machine that judges changes.
RAN_ON = "6.18"

# An id's parts that name an area: "kernel.poll" of "kernel.poll.closed", "listen" of "listen.state".
AREA = re.compile(r"(kernel\.)?[^.]+")

# A line of the expectations of Linux. engine/expectations.h describes the format.
LINE = re.compile(
    r"(?P<glob>\S+)\s+(?P<ending>\S+)(\s+axis=(?P<axis>\S+))?(\s+if=kernel>=(?P<first>\S+))?\s+if=kernel<(?P<end>\S+)\s+#"
)


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


def number(version):
    """Returns what sorts a version such as "6.12"."""
    return [int(part) for part in version.split(".")]


def versions_of_family(case, axis, lines):
    """Returns the versions of Linux that do what a case requires on v4 or v6."""
    lines = [line for line in lines if fnmatch.fnmatchcase(case["case"], line["glob"]) and line["axis"] in (None, axis)]
    if not lines:
        return "all"
    partly = [line["first"] for line in lines if line["ending"] == "flaky"]
    text = "since " + max((line["end"] for line in lines), key=number)
    return text + (f", partly since {min(partly, key=number)}" if partly else "")


def versions(case, lines):
    """Returns the versions of Linux that do what a case requires."""
    by_axis = {axis: versions_of_family(case, axis, lines) for axis in case["axes"]}
    if len(set(by_axis.values())) == 1:
        return by_axis[case["axes"][0]]
    return ", ".join(f"{axis} {text}" for axis, text in by_axis.items())


def is_for_kernels(case):
    return case["case"].startswith("kernel.")


def row_of(case, lines):
    """Returns the row of a case."""
    needs = ", ".join(case["needs"]) or "–"
    cells = [f"`{case['case']}`", case["requirement"], case["source"], case["level"], " ".join(case["axes"]), needs]
    cells.append(versions(case, lines) if is_for_kernels(case) else RAN_ON)
    return [cell.replace("|", "\\|").replace("\n", " ") for cell in cells]


def expectations(path, cases, mistakes):
    """Returns the lines of a file of expectations, and adds what is wrong with them to the mistakes."""
    ids = [case["case"] for case in cases if is_for_kernels(case)]
    lines = []
    with open(path, encoding="utf-8") as file:
        for text in file:
            if not text.strip() or text.startswith("#"):
                continue
            line = LINE.match(text)
            if line is None:
                mistakes.append(f'"{text.strip()}" does not name the versions that it holds for')
            elif not fnmatch.filter(ids, line["glob"]):
                mistakes.append(f'"{line["glob"]}" matches no case for kernels')
            else:
                lines.append(line)
    return lines


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
    lines = expectations(sys.argv[2], cases, mistakes)
    if mistakes:
        sys.exit("\n".join(mistakes))

    print(INTRODUCTION)
    print("## The rules of the contract\n")
    print("The rules are those of [tcp/CONTRACT.md](../tcp/CONTRACT.md).\n")
    print(table(["rule", "cases"], [[rule, ", ".join(by_rule[rule]) or WITHOUT_CASES[rule]] for rule in known]))
    heading = ["id", "requirement", "source", "level", "families", "needs", "Linux"]
    for area, members in areas.items():
        print(f"## {area}\n\n{table(heading, [row_of(case, lines) for case in members])}")


if __name__ == "__main__":
    main()
