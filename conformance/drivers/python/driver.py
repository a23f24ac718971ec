"""Python's `socket` module behind the driver protocol (../PROTOCOL.md)."""

import binascii
import contextlib
import errno
import itertools
import json
import os
import signal
import socket
import sys
import threading


class Unsupported(Exception):
    """The module has no way to do this; the text is the reason."""


OPTIONS = {
    "listen": "nonblock no_cloexec keepalive reuseaddr reuseport backlog unknown_flag".split(),
    "connect": "nonblock no_cloexec keepalive unknown_flag".split(),
    "accept": "nonblock no_cloexec".split(),
    "adopt": ["closed"],
}
REASONS = {
    "times": "options are set by single calls, not passed as a list",
    "backlogs": "listen() takes one backlog",
    "ports": "getsockname() returns the port; there are no out-parameters",
}
OTHERS = "descriptors errno shutdown shutdown_read pending_error".split()
BLOCKING = frozenset("connect accept send recv".split())
QUICK = frozenset("hello listen adopt peeraddr localaddr shutdown pending_error close reset bye".split())
HOW = {"read": socket.SHUT_RD, "write": socket.SHUT_WR, "both": socket.SHUT_RDWR}


def make_socket(command, options):
    family = socket.AF_INET6 if ":" in command["address"] else socket.AF_INET
    # The type may include flags such as SOCK_NONBLOCK.
    sock = socket.socket(family, socket.SOCK_STREAM | options.get("unknown_flag", 0))
    try:
        set_common(sock, options)
        for name in ("keepalive", "reuseaddr", "reuseport"):
            if options.get(name):
                sock.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_" + name.upper()), 1)
        return sock
    except OSError:
        discard(sock)
        raise


def discard(sock):
    with contextlib.suppress(OSError):  # the first failure is the one to report
        sock.close()


def set_common(sock, options):
    if options.get("nonblock"):
        sock.setblocking(False)
    if options.get("no_cloexec"):
        sock.set_inheritable(True)


def endpoint(address):
    return {"endpoint": {"address": address[0], "port": address[1]}}


class Driver:
    """Each command is a method with its name, which returns the members of `ok`."""

    in_threads = BLOCKING  # the others do not block, and a thread would cost more than the command

    def __init__(self):
        self.on_signal = lambda *_: None
        self.sockets = {}
        self.numbers = itertools.count(1)

    def keep(self, sock, **more):
        number = next(self.numbers)
        self.sockets[number] = sock
        return {"socket": number, "descriptor": sock.fileno(), **more}

    def hello(self, command):
        if 1 not in command["versions"]:
            raise Unsupported("speaks version 1")
        return {
            "version": 1,
            "name": "python",
            "implementation_version": sys.version.split()[0],
            "language": "Python",
            "links": {"source": "https://github.com/python/cpython"},
            "pid": os.getpid(),
            "signal": "SIGUSR2",
            "capabilities": dict.fromkeys(OPTIONS["listen"][:-1] + OTHERS, "yes"),
        }

    def listen(self, command):
        options = command.get("options", {})
        backlog = [options["backlog"]] if "backlog" in options else []
        if backlog > [2**31 - 1]:
            raise Unsupported("listen() takes a backlog of at most 2147483647")
        sock = make_socket(command, options)
        try:
            sock.bind((command["address"], command["port"]))
            sock.listen(*backlog)
            return self.keep(sock, port=sock.getsockname()[1])
        except OSError:
            discard(sock)
            raise

    def connect(self, command):
        options = command.get("options", {})
        sock = make_socket(command, options)
        try:
            sock.connect((command["address"], command["port"]))
        except OSError as error:
            # EINPROGRESS means that a non-blocking connect goes on.
            if error.errno != errno.EINPROGRESS or not options.get("nonblock"):
                discard(sock)
                raise
        return self.keep(sock)

    def accept(self, command):
        sock, _ = self.sockets[command["socket"]].accept()
        set_common(sock, command.get("options", {}))
        return self.keep(sock)

    def adopt(self, command):
        flags = socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
        with socket.socket(fileno=os.dup(int(os.environ["CONFORMANCE_ADOPT_FD"]))) as passing:
            _, (descriptor,), _, _ = socket.recv_fds(passing, 1, 1, flags)
        # AF_INET6 has space for both kinds of addresses. Without a family the module would ask the kernel for it.
        sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 0, descriptor)
        if command["options"].get("closed"):
            os.close(descriptor)
        return self.keep(sock)

    def peeraddr(self, command):
        try:
            peer = self.sockets[command["socket"]].getpeername()
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                raise
            peer = None
        return endpoint(peer) if isinstance(peer, tuple) else {"endpoint": None}

    def localaddr(self, command):
        return endpoint(self.sockets[command["socket"]].getsockname())

    def send(self, command):
        return {"sent": self.sockets[command["socket"]].send(binascii.a2b_base64(command["data"]))}

    def recv(self, command):
        data = self.sockets[command["socket"]].recv(command["size"])
        return {"data": binascii.b2a_base64(data, newline=False).decode()}

    def shutdown(self, command):
        self.sockets[command["socket"]].shutdown(HOW[command["how"]])
        return {}

    def pending_error(self, command):
        error = self.sockets[command["socket"]].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        return {}

    def close(self, command):
        self.sockets.pop(command["socket"]).close()
        return {}

    def reset(self, _):
        closing, self.sockets = self.sockets, {}
        for sock in closing.values():
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes blocked threads, which close() does not
            with contextlib.suppress(OSError):
                sock.close()
        return {"closed": list(closing)}

    def bye(self, _):
        return {}


def answer(driver, command):
    name = command["command"]
    try:
        if name not in QUICK | BLOCKING:
            raise Unsupported(f"no command `{name}`")
        for option in command.get("options", {}):
            if option not in OPTIONS.get(name, ()):
                raise Unsupported(REASONS.get(option, f"{name} has no option `{option}`"))
        return {"ok": getattr(driver, name)(command)}
    except Unsupported as claim:
        return {"unsupported": {"reason": str(claim)}}
    except OSError as error:
        symbol = errno.errorcode.get(error.errno)
        return {"error": {"errno" if symbol else "kind": symbol or "opaque", "text": str(error)}}
    except Exception as error:  # anything else is a fault of the driver
        return {"internal": {"text": repr(error)}}


def main(driver):
    signal.signal(signal.SIGUSR2, driver.on_signal)
    commands = open(int(os.environ.get("CONFORMANCE_READ_FD", 0)), "rb")
    answers = open(int(os.environ.get("CONFORMANCE_WRITE_FD", 1)), "wb")
    writing = threading.Lock()

    def serve(command):
        message = json.dumps({"id": command["id"], **answer(driver, command)}).encode()
        with writing:
            answers.write(b"%d\n%s" % (len(message), message))
            answers.flush()

    while length := commands.readline():
        command = json.loads(commands.read(int(length)))
        if command["command"] in driver.in_threads:
            threading.Thread(target=serve, args=(command,), daemon=True).start()
            continue
        serve(command)
        if command["command"] == "bye" or 1 not in command.get("versions", [1]):
            break
    os._exit(0)  # does not wait for threads that are blocked


if __name__ == "__main__":
    main(Driver())
