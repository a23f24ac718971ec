#!/usr/bin/env python3
"""A driver that misbehaves as its argument says: what the runner's own tests drive.

Until then, and in all else, it answers as a driver does that has nothing but a listener.
"""

import json
import os
import signal
import socket
import sys
import time

fault = sys.argv[1]
commands = os.fdopen(int(os.environ["CONFORMANCE_READ_FD"]), "rb")
answers = os.fdopen(int(os.environ["CONFORMANCE_WRITE_FD"]), "wb")
sockets = {}


def say(message, times=1):
    body = json.dumps(message).encode()
    answers.write(b"%d\n%s" % (len(body), body) * times)
    answers.flush()


def listen(command):
    made = socket.socket(socket.AF_INET)
    made.bind((command["address"], command["port"]))
    made.listen()
    number = len(sockets) + 1
    sockets[number] = made
    port = made.getsockname()[1]
    if fault == "leaks":
        sockets["leak"] = socket.create_server(("127.0.0.1", 0))
    return {"socket": number, "port": port + 1 if fault == "lies" else port, "descriptor": made.fileno()}


def answer(command):
    name = command["command"]
    if name == "hello":
        name = "--odd, \n\u00e9" if fault == "odd_name" else "" if fault == "no_name" else "rogue"
        return {"version": 1, "name": name, "implementation_version": "1", "language": "Python", "pid": os.getpid()}
    if name == "listen":
        return listen(command)
    if name == "close":
        sockets.pop(command["socket"]).close()
        return {}
    if name == "reset":
        left = [number for number in sockets if number != "leak"]
        if fault == "forgets":
            left = [99]
        return {"closed": left}
    return {}


def misbehave(identifier):
    if fault == "dies":
        os.kill(os.getpid(), signal.SIGSEGV)
    if fault == "exits":
        print("something is missing", file=sys.stderr)
        sys.exit(3)
    if fault == "hangs":
        time.sleep(1000)
    if fault == "half":
        answers.write(b'100\n{"id": 1, "ok"')
        answers.flush()
        sys.exit(0)
    if fault == "prints":
        answers.write(b"Hello, world!\n")
        answers.flush()
    if fault == "floods":
        for _ in range(2000):
            print("x" * 1000)
        print("the last line", flush=True)
        sys.exit(3)
    if fault == "huge":
        answers.write(b"99999999\n")
        answers.flush()
    if fault == "both":
        say({"id": identifier, "ok": {}, "error": {"errno": "EPERM"}})
    if fault == "internal":
        say({"id": identifier, "internal": {"text": "KeyError: 7"}})
    if fault == "unsupported":
        say({"id": identifier, "unsupported": {"reason": "cannot do anything"}})
        return True
    return False


def greet_wrongly(identifier):
    body = json.dumps({"id": identifier + 6 * (fault == "hello_id"), "ok": answer({"command": "hello"})}).encode()
    if fault == "hello_long":
        answers.write(b"%d\n%s" % (len(body) + 5, body))
        answers.flush()
    if fault == "hello_id":
        answers.write(b"%d\n%s" % (len(body), body))
        answers.flush()
    # As if the frame waited in a buffer.
    return fault in ("hello_unflushed", "hello_long", "hello_id")


before = ""
while True:
    length = commands.readline()
    if not length:
        break
    command = json.loads(commands.read(int(length)))
    if command["command"] == "hello" and greet_wrongly(command["id"]):
        continue
    if command["command"] == "listen" and misbehave(command["id"]):
        continue
    if before == "close" and fault == "repeats":
        say({"id": command["id"] - 1, "ok": {}})
    before = command["command"]
    say({"id": command["id"], "ok": answer(command)}, 2 if before == "close" and fault == "twice" else 1)
