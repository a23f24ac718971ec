#!/usr/bin/env python3
"""Python's driver (conformance/drivers/python/driver.py) with a leak.

Each failed connect and each accept leaves a socket open.

An argument selects another leak:
    everywhere: each listen and connect leaves a socket open, too
    early: opens a socket before the first command, and leaks nothing
    at_reset: only `reset` leaves a socket open
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../drivers/python"))
import driver


class Leaky(driver.Driver):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.leaked = []
        self.leak({}, "early")

    def leak(self, command, *kinds):
        """Leaves a socket with the requested flags open, if this driver is of one of these kinds."""
        if self.kind not in kinds:
            return
        no_cloexec = {name: True for name in command.get("options", {}) if name == "no_cloexec"}
        self.leaked.append(driver.make_socket({"address": "127.0.0.1"}, no_cloexec))

    def listen(self, command):
        made = super().listen(command)
        self.leak(command, "everywhere")
        return made

    def connect(self, command):
        try:
            made = super().connect(command)
        except OSError:
            self.leak(command, "usual", "everywhere")
            raise
        self.leak(command, "everywhere")
        return made

    def accept(self, command):
        made = super().accept(command)
        self.leak(command, "usual", "everywhere")
        return made

    def reset(self, command):
        closed = super().reset(command)
        self.leak(command, "at_reset")
        return closed


driver.main(Leaky(sys.argv[1] if len(sys.argv) > 1 else "usual"))
