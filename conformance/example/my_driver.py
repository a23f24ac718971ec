import base64, errno, itertools, json, os, socket

commands = open(int(os.environ["CONFORMANCE_READ_FD"]), "rb")
answers = open(int(os.environ["CONFORMANCE_WRITE_FD"]), "wb", buffering=0)

sockets, numbers = {}, itertools.count(1)

def keep(sock):
    number = next(numbers)
    sockets[number] = sock
    return {"socket": number, "descriptor": sock.fileno()}

def endpoint(address): return {"endpoint": {"address": address[0], "port": address[1]}}

def do(name, c):
    if name == "hello" and 1 in c["versions"]:
        return {"version": 1, "name": "my_sockets", "implementation_version": "1", "language": "Python",
                "pid": os.getpid(), "limits": {"operations": 1}}
    if name == "bye": return {}
    if c.get("options"): raise NotImplementedError("no options")
    sock = sockets[c["socket"]] if "socket" in c else None
    if name in ("close", "reset"):
        closed = [c["socket"]] if name == "close" else list(sockets)
        for number in closed: sockets.pop(number).close()
        return {"closed": closed}
    if name == "listen":
        sock = socket.socket(socket.AF_INET6 if ":" in c["address"] else socket.AF_INET)
        sock.bind((c["address"], c["port"]))
        sock.listen()
        return {**keep(sock), "port": sock.getsockname()[1]}
    if name == "localaddr": return endpoint(sock.getsockname())
    if name == "connect": return keep(socket.create_connection((c["address"], c["port"])))
    if name == "accept": return keep(sock.accept()[0])
    if name == "peeraddr":
        try: return endpoint(sock.getpeername())
        except OSError as error:
            if error.errno != errno.ENOTCONN: raise
            return {"endpoint": None}
    if name == "send": return {"sent": sock.send(base64.b64decode(c["data"]))}
    if name == "recv": return {"data": base64.b64encode(sock.recv(c["size"])).decode()}
    if name == "shutdown": return sock.shutdown({"read": 0, "write": 1, "both": 2}[c["how"]]) or {}
    raise NotImplementedError(f"no command {name}")

while length := commands.readline():
    c = json.loads(commands.read(int(length)))
    try: answer = {"ok": do(c["command"], c)}
    except NotImplementedError as claim: answer = {"unsupported": {"reason": str(claim)}}
    except OSError as error: answer = {"error": {"errno": errno.errorcode[error.errno], "text": str(error)}}
    except Exception as error: answer = {"internal": {"text": repr(error)}}
    message = json.dumps({"id": c["id"], **answer}).encode()
    answers.write(b"%d\n%s" % (len(message), message))
    if c["command"] == "bye": break
