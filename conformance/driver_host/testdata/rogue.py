#!/usr/bin/env python3
"""A driver with the fault that its argument names, for tests of the runner.

In everything else it answers as a simple driver does.

An argument such as `listen.port=70000` is a lie: in each answer `ok` to that command, the member has this JSON text as
its value. CHILD, DEAD, PARENT and CHANNEL stand for numbers: of a child without sockets, of a process that has ended, of
the parent, and of the descriptor for answers. NOTHING leaves the member out.
"""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time

fault = sys.argv[1]
commands = os.fdopen(int(os.environ["CONFORMANCE_READ_FD"]), "rb", buffering=0)
answers = os.fdopen(int(os.environ["CONFORMANCE_WRITE_FD"]), "wb")
sockets = {}
last_number = 0


def write(text):
    answers.write(text)
    answers.flush()


def say(message, times=1):
    body = json.dumps(message)
    if fault.startswith(tuple("hello. listen. connect. accept. send. recv.".split())):
        place, value = fault.split("=", 1)
        body = body.replace(f'"{place}"', value)
    body = body.encode()
    wrong = {"longer": 1, "shorter": -1}.get(fault, 0) if "socket" in message.get("ok", {}) else 0
    write(b"%d\n%s" % (len(body) + wrong, body) * times)


def number_for(word):
    if word == "DEAD":
        child = subprocess.Popen(["true"])
        child.wait()
        return child.pid
    if word == "CHILD":
        return subprocess.Popen(["sleep", "1000"]).pid
    return {"PARENT": os.getppid(), "CHANNEL": answers.fileno()}[word]


def lied(name, ok):
    """Returns the members of `ok`, with the lie's name in place of the value, which say() replaces."""
    place = fault.split("=", 1)[0]
    command, _, member = place.partition(".")
    if command != name or not member:
        return ok
    if fault.endswith("=NOTHING"):
        return {key: value for key, value in ok.items() if key != member}
    return {**ok, member: place}


def keep(made):
    global last_number
    last_number += 1
    sockets[last_number] = made
    return {"socket": last_number, "descriptor": made.fileno()}


def listen(command):
    made = socket.socket(socket.AF_INET)
    made.bind((command["address"], command["port"]))
    made.listen()
    port = made.getsockname()[1]
    if fault == "leaks":
        sockets["leak"] = socket.create_server(("127.0.0.1", 0))
    ports = [port] * command["options"].get("ports", 0)
    return {**keep(made), "port": port + 1 if fault == "lies" else port, "ports": ports}


def answer(command):
    name = command["command"]
    if name == "hello":
        name = "--odd, \n\u00e9" if fault == "odd_name" else "" if fault == "no_name" else "rogue"
        return {"version": 1, "name": name, "implementation_version": "1", "language": "Python", "pid": os.getpid()}
    if name == "listen":
        return listen(command)
    if name == "connect":
        return keep(socket.create_connection((command["address"], command["port"])))
    if name == "accept":
        return keep(sockets[command["socket"]].accept()[0])
    if name == "send":
        return {"sent": sockets[command["socket"]].send(base64.b64decode(command["data"]))}
    if name == "recv":
        return {"data": base64.b64encode(sockets[command["socket"]].recv(command["size"])).decode()}
    if name == "close":
        sockets.pop(command["socket"]).close()
        return {}
    if name == "reset":
        left = [number for number in sockets if number != "leak"]
        if fault == "forgets":
            left = [99]
        return {"closed": left}
    return {}


def leave_a_daemon(path):
    """Starts a process without any connection to this one, which reports through a FIFO that it runs."""
    if os.fork() != 0:
        os.wait()
        return
    os.setsid()
    if os.fork() == 0:
        os.close(commands.fileno())
        os.close(answers.fileno())
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        fifo = os.open(path, os.O_WRONLY)
        os.write(fifo, b"x")
        while True:
            time.sleep(1000)
    os._exit(0)


def misbehave(identifier):
    if fault == "dies":
        os.kill(os.getpid(), signal.SIGSEGV)
    if fault == "exits":
        print("something is missing", file=sys.stderr)
        sys.exit(3)
    if fault == "hangs":
        time.sleep(1000)
    if fault == "half":
        write(b'100\n{"id": 1, "ok"')
        sys.exit(0)
    if fault == "prints":
        write(b"Hello, world!\n")
    if fault == "negative":
        write(b"-5\n{}")
    if fault == "floods":
        for _ in range(2000):
            print("x" * 1000)
        print("the last line", flush=True)
        sys.exit(3)
    if fault == "floods_without_end":
        while True:
            print("x" * 1000)
    if fault == "huge":
        write(b"99999999\n")
    if fault == "both":
        say({"id": identifier, "ok": {}, "error": {"errno": "EPERM"}})
    if fault == "internal":
        say({"id": identifier, "internal": {"text": "KeyError: 7"}})
    if fault == "unknown_id":
        say({"id": identifier + 1000, "ok": {}})
    if fault == "text_as_id":
        say({"id": str(identifier), "ok": {}})
    if fault == "daemon":
        leave_a_daemon(sys.argv[2])
    if fault == "deaf":
        commands.close()
        say({"id": identifier, "error": {"errno": "EACCES"}})
        time.sleep(1000)
    if fault == "unsupported":
        say({"id": identifier, "unsupported": {"reason": "cannot do anything"}})
        return True
    return False


def greet_wrongly(identifier):
    body = json.dumps({"id": identifier + 6 * (fault == "hello_id"), "ok": answer({"command": "hello"})}).encode()
    if fault == "hello_long":
        write(b"%d\n%s" % (len(body) + 5, body))
    if fault == "hello_id":
        write(b"%d\n%s" % (len(body), body))
    while fault == "hello_loops":
        pass
    # As if the frame were still in a buffer.
    return fault in ("hello_unflushed", "hello_long", "hello_id")


def read_exactly(size):
    text = b""
    while len(text) < size:
        text += commands.read(size - len(text))
    return text


if "=" in fault:
    place, word = fault.split("=", 1)
    if word in ("DEAD", "CHILD", "PARENT", "CHANNEL"):
        fault = f"{place}={number_for(word)}"

before = ""
last_connect = 0
while True:
    length = commands.readline()
    if not length:
        break
    command = json.loads(read_exactly(int(length)))
    if command["command"] == "hello" and greet_wrongly(command["id"]):
        continue
    if command["command"] == "listen" and misbehave(command["id"]):
        continue
    if before == "close" and fault == "repeats":
        say({"id": command["id"] - 1, "ok": {}})
    if command["command"] == "connect" and fault == "mixes":
        # As if two threads shared the variable that holds the command.
        command["id"], last_connect = last_connect or command["id"], command["id"]
    before = command["command"]
    ok = lied(command["command"], answer(command))
    say({"id": command["id"], "ok": ok}, 2 if before == "close" and fault == "twice" else 1)
