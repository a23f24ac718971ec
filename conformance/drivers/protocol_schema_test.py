"""Tests that PROTOCOL.md and protocol.schema.json agree.

Every sample is valid, every command and kind is in both, and the schema rejects malformed messages.

    protocol_schema_test.py PROTOCOL.md protocol.schema.json
"""

import json
import re
import sys

try:
    import jsonschema
except ImportError:
    print("SKIPPED: there is no module jsonschema (Debian: python3-jsonschema)")
    sys.exit(0)

TEXT = open(sys.argv[1], encoding="utf-8").read()
SCHEMA = json.load(open(sys.argv[2], encoding="utf-8"))
SAMPLES = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)]
ANY_ID = {"id": 1}
LISTEN = {"id": 1, "command": "listen", "address": "::1", "port": 0, "options": {}}

# Invalid messages, each with its mistake.
INVALID = [
    ([], "no object"),
    ({"command": "bye"}, "no id"),
    ({"id": 0, "command": "bye"}, "an id that is not positive"),
    ({"id": 1, "command": "teleport"}, "an unknown command"),
    ({"id": 1, "command": "hello"}, "no versions"),
    ({"id": 1, "command": "peeraddr"}, "no socket"),
    ({"id": 1, "command": "accept", "socket": 1}, "no options"),
    ({"id": 1, "command": "adopt"}, "no options"),
    ({"id": 1, "command": "adopt", "options": {"closed": 5}}, "a number for true"),
    ({"id": 1, "command": "shutdown", "socket": 1, "how": "gently"}, "no such way"),
    ({"id": 1, "command": "send", "socket": 1, "data": "aGVsbG8"}, "Base64 without its padding"),
    ({**LISTEN, "address": "localhost"}, "a name, not an address"),
    ({**LISTEN, "port": 65536}, "no port"),
    ({**LISTEN, "options": {"nonblock": False}}, "an option is there or not"),
    ({**LISTEN, "options": {"backlog": 2**32}}, "no backlog"),
    ({**LISTEN, "options": {"reuseaddr": 1}}, "a number for true"),
    ({**LISTEN, "options": {"unknown_flag": True}}, "no number of the flag"),
    (ANY_ID, "neither command nor answer"),
    ({**ANY_ID, "ok": {}, "internal": {"text": ""}}, "two answers"),
    ({**ANY_ID, "ok": None}, "ok is an object"),
    ({**ANY_ID, "error": {"text": "refused"}}, "neither errno nor kind"),
    ({**ANY_ID, "error": {"kind": "unlucky"}}, "no such kind"),
    ({**ANY_ID, "error": {"errno": 111}}, "the number of an errno, not its symbol"),
    ({**ANY_ID, "unsupported": {}}, "no reason"),
    ({**ANY_ID, "internal": {}}, "no text"),
]
# Invalid members of `ok`, by command.
INVALID_OK = [
    ("hello", {"version": 1}, "the rest of hello"),
    ("listen", {"socket": 1}, "no port"),
    ("connect", {"descriptor": 5}, "no socket"),
    ("accept", {"socket": "1"}, "a text for a number"),
    ("adopt", {}, "no socket"),
    ("peeraddr", {}, "no endpoint"),
    ("localaddr", {"endpoint": None}, "only the other end can be missing"),
    ("send", {"sent": -1}, "less than nothing"),
    ("recv", {"data": "*"}, "no Base64"),
    ("reset", {}, "not what was closed"),
]

failures = []


def expect(condition, message):
    if not condition:
        failures.append(message)


def part(path):
    """Returns a validator for one of the definitions."""
    return jsonschema.Draft7Validator({**SCHEMA, "oneOf": [{"$ref": "#/definitions/" + path}]})


def words_of(pattern):
    return re.findall(pattern, TEXT, re.MULTILINE)


jsonschema.Draft7Validator.check_schema(SCHEMA)
whole = jsonschema.Draft7Validator(SCHEMA)

commands = {one["id"]: one["command"] for one in SAMPLES if "command" in one}
for sample in SAMPLES:
    for error in whole.iter_errors(sample):
        failures.append(f"PROTOCOL.md: {json.dumps(sample)}: {error.message}")
    name = commands.get(sample["id"])
    if "ok" in sample and name:
        for error in part("ok/" + name).iter_errors(sample["ok"]):
            failures.append(f"PROTOCOL.md: the answer to {name}, {json.dumps(sample['ok'])}: {error.message}")

described = set(", ".join(words_of(r"^### (.+)$")).split(", "))
expect(described == set(commands.values()), f"PROTOCOL.md: commands without a sample: {described ^ set(commands.values())}")
expect(described == set(SCHEMA["definitions"]["ok"]), "protocol.schema.json: other commands than in PROTOCOL.md")
kinds = words_of(r"^\| `(\w+)` \| [E,A-Z0-9 ]+ \|$") + ["opaque"]
expect(kinds == SCHEMA["definitions"]["kind"]["enum"], f"protocol.schema.json: other kinds than in PROTOCOL.md, {kinds}")
options = set(words_of(r"^\| `(\w+)` \| (?:true|number|0 …|array)"))
definitions = SCHEMA["definitions"]["options"].values()
known = set().union(*(one["properties"] for one in definitions))
expect(options == known, f"protocol.schema.json: other options than in PROTOCOL.md: {options ^ known}")

for message, why in INVALID:
    expect(not whole.is_valid(message), f"protocol.schema.json takes {json.dumps(message)}: {why}")
for name, ok, why in INVALID_OK:
    expect(not part("ok/" + name).is_valid(ok), f"protocol.schema.json takes {json.dumps(ok)} for {name}: {why}")

print("\n".join(failures) or f"{len(SAMPLES)} samples, {len(INVALID) + len(INVALID_OK)} invalid messages: ok")
sys.exit(bool(failures))
