"""A recording on LittleFS, cut at every write to the flash, run by tests/test_recorder_board.py.

The flash is memory that keeps a list of all that was done to it. From the first N entries of the
list, and half of the next one, comes the flash as a power cut there leaves it.
"""

import json
import os
from array import array

import flash_ring
import vfs

BLOCK = 512
BLOCKS = 128
CHANNELS = 2
ROWS = 23  # samples a file
ABOUT = {"rate_hz": 10, "channels": ["a", "b"]}


class Flash:
    def __init__(self, image=None):
        self.image = image or bytearray(b"\xff" * (BLOCK * BLOCKS))
        self.done = []

    def readblocks(self, block, buffer, offset=0):
        at = block * BLOCK + offset
        buffer[:] = self.image[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:
            self.ioctl(6, block)
            offset = 0
        at = block * BLOCK + offset
        self.done.append((at, bytes(buffer)))
        self.image[at : at + len(buffer)] = buffer

    def ioctl(self, what, block):
        if what == 4:
            return BLOCKS
        if what == 5:
            return BLOCK
        if what == 6:
            at = block * BLOCK
            self.done.append((at, None))
            self.image[at : at + BLOCK] = b"\xff" * BLOCK
        return 0


def mounted(flash):
    vfs.mount(vfs.VfsLfs2(flash, readsize=32, progsize=32, lookahead=32), "/cut")


def ring():
    return flash_ring.FlashRing("/cut/recorded", dict(ABOUT), CHANNELS, ROWS, 4, 0, 0, 0)


def record(flash):
    """A few labelled files, and one left open. Returns [(writes until then, samples safe then)]."""
    recorder, safe, closed = ring(), [], 0
    block = array("h", bytes(2 * CHANNELS))
    for number in range(100):
        block[0], block[1] = number, -number
        if number in (31, 70):
            recorder.close(number)
            closed = number
        if number in (10, 60):
            recorder.gap()
        recorder.add(block, 1, "walk" if number < 70 else "run", number)
        if not recorder._writer.room:
            closed = number + 1
        open_file = recorder._writer.written if recorder._name else 0
        safe.append((len(flash.done), closed + open_file))
    return safe


def samples_of(path):
    with open(path, "rb") as file:
        data = file.read()
    shape = data[10:128].decode().split("(")[1].split(")")[0].split(",")
    values = array("h", data[128:])
    return int(shape[0]), [(values[i], values[i + 1]) for i in range(0, len(values) - 1, 2)]


def check(n_safe):
    """Every closed file is whole, at most one is open; what was flushed is there, in order."""
    if "recorded" not in os.listdir("/cut"):
        assert not n_safe
        return 0
    names = os.listdir("/cut/recorded")
    for name in names:
        if name.endswith(".npy"):
            rows, samples = samples_of("/cut/recorded/" + name)
            assert rows == len(samples), name
    assert len([name for name in names if name.endswith(".part")]) <= 1, names
    ring()  # the app starts again
    found = []
    for name in os.listdir("/cut/recorded"):
        assert not name.endswith(".part"), name
        if name.endswith(".npy"):
            with open("/cut/recorded/" + name[:-4] + ".json") as file:
                about = json.load(file)
            rows, samples = samples_of("/cut/recorded/" + name)
            assert rows == len(samples) and about["rate_hz"] == 10, name
            assert name.startswith(about["label"]), name
            first = samples[0][0]
            for number in (10, 60):  # a gap is told in the file whose samples go over it
                if first < number < first + rows:
                    assert [number - first, 0] in about["gaps"], (name, about)
            found += samples
    found.sort()
    assert found == [(number, -number) for number in range(len(found))], found
    assert len(found) >= n_safe, (len(found), n_safe)
    return len(found)


def run():
    flash = Flash()
    vfs.VfsLfs2.mkfs(flash, readsize=32, progsize=32, lookahead=32)
    image = bytearray(flash.image)
    flash.done.clear()
    mounted(flash)
    safe = record(flash)
    vfs.umount("/cut")
    done = flash.done
    cuts = 0
    for n in range(len(done)):
        n_safe = 0
        for writes, samples in safe:
            if writes <= n:
                n_safe = samples
        at, data = done[n]
        for torn in (False, True):
            cut = bytearray(image)
            if torn and data is None:
                cut[at : at + BLOCK // 2] = b"\xff" * (BLOCK // 2)
            elif torn:
                cut[at : at + len(data) // 2] = data[: len(data) // 2]
            mounted(Flash(cut))
            check(n_safe)
            vfs.umount("/cut")
            cuts += 1
        data = b"\xff" * BLOCK if data is None else data
        image[at : at + len(data)] = data
    print("ok", cuts, len(done))
