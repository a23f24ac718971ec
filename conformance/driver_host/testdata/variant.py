#!/usr/bin/env python3
"""variant.py DIFFERENCE...: the tree's Python driver with differences, for tests of the runner.

A difference is a method of Variant that is called before the first command. Harmless differences must change no
outcome. Faults must be found and named.
"""

import contextlib
import errno
import os
import select
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../drivers/python"))

import driver


class Variant(driver.Driver):
    """The Python driver with the given differences."""

    def __init__(self, differences):
        super().__init__()
        self.limits = {}
        self.blocks = False  # the main thread is in a call on a socket
        for name in differences:
            getattr(self, "be_" + name)()

    def hello(self, command):
        return {**super().hello(command), "limits": self.limits}

    def wrap(self, name, replacement):
        """Replaces the method of a command by `replacement`, which gets the old method as its first argument."""
        before = getattr(self, name)
        setattr(self, name, lambda command: replacement(before, command))

    # Limits of operations.

    def be_one(self):
        """Holds one operation: the thread that reads the commands carries them out."""
        self.in_threads = ()
        self.limits = {"operations": 1}

    def be_two(self):
        """Holds two operations: without a free thread it reads no command."""
        self.limits = {"operations": 2}
        self.in_threads = driver.BLOCKING | driver.QUICK - {"hello", "bye"}
        places = threading.Semaphore(2)

        def counted(before, command):
            with places:
                return before(command)

        for name in self.in_threads:
            self.wrap(name, counted)

    def be_rubbish(self):
        self.limits = {"operations": "many"}

    def be_zero(self):
        self.limits = {"operations": 0}

    # Ways of waiting.

    def wait_with(self, wait):
        """Calls `wait(fd, for_writing)` before each blocking operation."""

        def waiting(before, command, for_writing=False):
            sock = self.sockets[command["socket"]]
            if sock.getblocking():
                wait(sock.fileno(), for_writing)
            return before(command)

        self.wrap("accept", waiting)
        self.wrap("recv", waiting)
        self.wrap("send", lambda before, command: waiting(before, command, for_writing=True))

    def be_polling(self):
        def wait(fd, for_writing):
            poll = select.poll()
            poll.register(fd, select.POLLOUT if for_writing else select.POLLIN)
            poll.poll()

        self.wait_with(wait)

    def be_selecting(self):
        self.wait_with(lambda fd, for_writing: select.select(*([], [fd]) if for_writing else ([fd], []), []))

    def be_epolling(self):
        def wait(fd, for_writing):
            with select.epoll() as inner, select.epoll() as outer:
                inner.register(fd, select.EPOLLOUT if for_writing else select.EPOLLIN)
                outer.register(inner.fileno(), select.EPOLLIN)
                outer.poll()

        self.wait_with(wait)

    # Harmless differences.

    def be_short_sending(self):
        def send(command):
            data = driver.binascii.a2b_base64(command["data"])
            return {"sent": self.sockets[command["socket"]].send(data[:1000])}

        self.send = send

    def be_short_receiving(self):
        self.wrap("recv", lambda recv, command: recv({**command, "size": min(command["size"], 1000)}))

    def be_high(self):
        """Its descriptors have high numbers."""
        for _ in range(300):
            os.open("/dev/null", os.O_RDONLY)

    def be_asking(self):
        """Calls getsockname() in each command."""

        def asking(before, command):
            with contextlib.suppress(OSError):
                self.sockets[command["socket"]].getsockname()
            return before(command)

        for name in "accept peeraddr localaddr send recv shutdown pending_error close".split():
            self.wrap(name, asking)

    def be_slow(self):
        """Needs 20 ms more for each command."""

        def slow(before, command):
            time.sleep(0.02)
            return before(command)

        for name in driver.BLOCKING | driver.QUICK:
            self.wrap(name, slow)

    def be_listening_twice(self):
        def listen(before, command):
            ok = before(command)
            backlog = command.get("options", {}).get("backlog")
            self.sockets[ok["socket"]].listen(*[] if backlog is None else [backlog])
            return ok

        self.wrap("listen", listen)

    # Faults.

    def be_interruptible(self, names=("accept", "connect")):
        """Reports a signal as EINTR. Only in the main thread, where Python's handlers run."""

        def handler(*_):
            if self.blocks:
                raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR))

        def watched(before, command):
            self.blocks = True
            try:
                return before(command)
            finally:
                self.blocks = False

        for name in names:
            self.wrap(name, watched)
        self.on_signal = handler

    def be_interruptible_in_data(self):
        """As recv(2) and send(2) behave; not a fault."""
        self.be_interruptible(("send", "recv"))

    def be_deaf_to_shutdown(self):
        """Answers `ok` to shutdown, and does nothing."""
        self.shutdown = lambda command: {}

    def be_locked(self, names=("accept", "recv")):
        """Waits for a lock that is never released, instead of the socket."""

        def locked(_, command):
            lock = threading.Lock()
            lock.acquire()
            lock.acquire()

        for name in names:
            self.wrap(name, locked)

    def be_locked_in_connect(self):
        self.be_locked(("connect",))

    def be_forgetful(self):
        """Starts none of its blocking operations, and reads the next command."""
        self.in_threads = driver.BLOCKING
        for name in ("accept", "recv"):
            self.wrap(name, lambda _, command: sys.exit())  # ends the thread

    def be_sleepy(self):
        """Sleeps instead of waiting for the socket."""
        for name in ("accept", "recv"):
            self.wrap(name, lambda _, command: time.sleep(1000))

    def be_losing(self):
        """Receives data, and answers that the stream has ended."""

        def recv(before, command):
            before(command)
            return {"data": ""}

        self.wrap("recv", recv)

    def be_keeping(self):
        """Answers that it sent the data, and sends nothing."""
        self.send = lambda command: {"sent": len(driver.binascii.a2b_base64(command["data"]))}


driver.main(Variant(sys.argv[1:]))
