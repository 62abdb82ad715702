"""Watch a folder of versions as a server does: `reader.py FOLDER`, until its standard input ends.

Prints the name of every version as soon as it is seen, and at the end JSON: for every version, what
it held when it was first seen and when it was last seen.
"""

import json
import os
import pathlib
import select
import sys


def contents(folder):
    """Relative path -> size of all files; None if the folder has been removed meanwhile."""
    try:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        found = {str(path.relative_to(folder)): path.stat().st_size for path in files}
    except FileNotFoundError:
        return None
    return found if folder.is_dir() else None


seen = {}
parent = pathlib.Path(sys.argv[1])
print("watching", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    for name in os.listdir(parent):
        if name.isdecimal():
            found = contents(parent / name)
            if found is not None:
                if name not in seen:
                    print(name, flush=True)
                first, _ = seen.setdefault(name, (found, found))
                seen[name] = (first, found)
print(json.dumps(seen))
