"""Prints the path, the size and the SHA-256 of every file on the board; for benchmarks/soak.py."""

import hashlib
import json
import os
from binascii import hexlify


def _files(folder):
    for entry in os.ilistdir(folder):
        path = folder + "/" + entry[0]
        if entry[1] & 0x4000:
            yield from _files(path)
            continue
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while True:
                block = file.read(512)
                if not block:
                    break
                digest.update(block)
        yield path, hexlify(digest.digest()).decode()


print(json.dumps(dict(_files(""))))
