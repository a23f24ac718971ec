"""Prints the driver that README.md builds after a number of steps (all steps if none is given).

    assemble_tutorial.py README.md [STEPS]
"""

import re
import sys

text = open(sys.argv[1], encoding="utf-8").read()
steps = re.split(r"^## \d+\. ", text, flags=re.MULTILINE)[1 : int(sys.argv[2]) + 1 if len(sys.argv) > 2 else None]
blocks = [re.findall(r"^```python\n(.*?)^```$", step, re.MULTILINE | re.DOTALL) for step in steps]

driver = "".join(blocks[0])
for block in sum(blocks[1:], []):
    above = "    raise NotImplementedError(f" if block.startswith(" ") else "def do("
    driver = driver.replace(above, block + above)
print(driver, end="")
