"""Prints the id and a hash of the source of each case, a line each, sorted by id.

  case_hashes.py FILE...

FILE is a file of conformance/cases or conformance/kernel_cases. The source of a case is its entry in the table of its
file, and each function, type and constant of that file which the entry names, directly or through another. Space and
comments in lines of their own do not count. Helpers in other files do not count, either.
"""

import hashlib
import re
import sys

# A comment in lines of its own, or the end of a namespace.
_NO_CODE = re.compile(r"^(?:\s*//|\}  // namespace).*$", re.MULTILINE)
_ID = re.compile(r"\{\.id = \"([^\"]+)\"")
_TOKEN = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])'|[{}]")
# clang-format begins each definition in column 0.
_DEFINITION = re.compile(r"^(?=[A-Za-z])", re.MULTILINE)
_NAME = re.compile(r"(?:struct|class|enum class) (\w+)|(\w+)\s*[(={;\[]")


def _end_of_braces(text, begin):
    """Returns the place after the brace that closes the one at `begin`."""
    depth = 0
    for token in _TOKEN.finditer(text, begin):
        depth += {"{": 1, "}": -1}.get(token.group(), 0)
        if depth == 0:
            return token.end()
    raise ValueError("a brace is not closed")


def _split(text):
    """Returns the entries, {id: text}, and the definitions, {name: text}, of a file."""
    text = _NO_CODE.sub("", text)
    entries = {}
    rest = ""
    done = 0
    for entry in _ID.finditer(text):
        end = _end_of_braces(text, entry.start())
        entries[entry.group(1)] = text[entry.start():end]
        rest += text[done:entry.start()]
        done = end
    definitions = {}
    for definition in _DEFINITION.split(rest + text[done:]):
        name = _NAME.search(definition)
        if name:
            name = name.group(1) or name.group(2)
            definitions[name] = definitions.get(name, "") + definition  # Overloads count together.
    return entries, definitions


def _source_of(entry, definitions):
    needed = set()
    unread = [entry]
    while unread:
        for word in re.findall(r"\w+", unread.pop()):
            if word in definitions and word not in needed:
                needed.add(word)
                unread.append(definitions[word])
    return " ".join([entry] + [text for name, text in definitions.items() if name in needed])


def main():
    lines = []
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            entries, definitions = _split(file.read())
        for test_case, entry in entries.items():
            source = " ".join(_source_of(entry, definitions).split())
            lines.append("{} {}\n".format(test_case, hashlib.sha256(source.encode()).hexdigest()[:16]))
    sys.stdout.writelines(sorted(lines))


if __name__ == "__main__":
    main()
