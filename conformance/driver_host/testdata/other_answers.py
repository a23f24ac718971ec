"""The Python driver with one difference, for tests of the suite.

    other_answers.py DRIVER VARIANT

DRIVER is the file conformance/drivers/python/driver.py. VARIANT is a key of VARIANTS.
"""

import importlib.machinery
import importlib.util
import sys

sys.dont_write_bytecode = True  # DRIVER may be in a folder that cannot be written to


def load(path):
    loader = importlib.machinery.SourceFileLoader("driver", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("driver", loader))
    loader.exec_module(module)
    return module


driver = load(sys.argv[1])
Driver = driver.Driver


class NoLocaladdr(Driver):
    """The API cannot return the local address."""

    def localaddr(self, command):
        raise driver.Unsupported("has no localaddr")


class NoAdopt(Driver):
    """The language cannot receive a descriptor."""

    def adopt(self, command):
        raise driver.Unsupported("has no adopt")


class AnyFlags(Driver):
    """Ignores one bit of the flags. It is not the bit of earlier versions of the suite (1 << 30)."""

    def without(self, command):
        options = command.get("options", {})
        flag = options.get("unknown_flag", 0) & ~(1 << 20)
        return {**command, "options": {**options, "unknown_flag": flag}}

    def listen(self, command):
        return super().listen(self.without(command))

    def connect(self, command):
        return super().connect(self.without(command))


def by_socket(_, command):
    return command["socket"]


def by_descriptor(self, command):
    return self.sockets[command["socket"]].fileno()


def keeping(query, key):
    """Keeps the first answer `ok` to a query for each value of `key`."""

    class Keeping(Driver):
        def __init__(self):
            super().__init__()
            self.kept = {}

        def reset(self, command):
            self.kept = {}
            return super().reset(command)

    def answer(self, command):
        of = key(self, command)
        if of not in self.kept:
            self.kept[of] = getattr(Driver, query)(self, command)
        return self.kept[of]

    setattr(Keeping, query, answer)
    return Keeping


class KeepsNoError(keeping("pending_error", by_socket)):
    """Keeps the answer that a non-blocking connect has no error yet."""

    def pending_error(self, command):
        is_nonblocking = self.sockets[command["socket"]].gettimeout() == 0
        return super().pending_error(command) if is_nonblocking else Driver.pending_error(self, command)


VARIANTS = {
    "none": Driver,
    "no_localaddr": NoLocaladdr,
    "no_adopt": NoAdopt,
    "any_flags": AnyFlags,
    "keeps_peer": keeping("peeraddr", by_socket),
    "keeps_peer_of_descriptor": keeping("peeraddr", by_descriptor),
    "keeps_local": keeping("localaddr", by_socket),
    "keeps_local_of_descriptor": keeping("localaddr", by_descriptor),
    "keeps_no_error": KeepsNoError,
}

driver.main(VARIANTS[sys.argv[2]]())
