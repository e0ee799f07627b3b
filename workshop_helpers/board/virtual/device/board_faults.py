"""Faults that a virtual board has by itself, made between the mount of its flash and boot.py.

`supervisor/faults.py` has the names and what they mean.
"""

import gc
import os
import sys
import time

from flash_chip import FlashChip

_MAINS = {
    "main-loops": "print('main.py is up')\nwhile True:\n    pass\n",
    "main-floods": "while True:\n    print('temperature 21.5')\n",
    "main-sleeps": "import time\nwhile True:\n    time.sleep(3600)\n",
    "main-deaf": "import micropython\nmicropython.kbd_intr(-1)\nwhile True:\n    pass\n",
    "main-resets": (
        "import machine, time\nprint('main.py is up')\ntime.sleep(0.5)\nmachine.reset()\n"
    ),
}
_ARMV7EMSP = 7
_PIECE_BYTES = 1024
_LEFT_BYTES = 20 * 1024  # in one piece: enough for a prompt and small code
_kept = []


class TiredChip(FlashChip):
    """A flash chip whose writes can go wrong. As those of FlashChip, its methods have no branch."""

    def __init__(self, file, size_bytes):
        super().__init__(file, size_bytes)
        self.write = super().writeblocks

    def writeblocks(self, block, buffer, offset=0):
        return self.write(block, buffer, offset)

    def wear_out(self):
        self.write = lambda block, buffer, offset: -5  # EIO

    def cut_at(self, number, dip):
        """Of write `number` only half is done before `dip()`, which never returns."""
        whole, count = self.write, [0]

        def half(block, buffer, offset):
            whole(block, buffer[: len(buffer) // 2], offset)
            dip()

        special = {number: half}

        def write(block, buffer, offset):
            count[0] += 1
            return special.get(count[0], whole)(block, buffer, offset)

        self.write = write


class _Clock:
    """Stands in for the module `time`."""


def begin(names, chip, vfs, control):
    """`chip`: a mounted TiredChip, None on Windows. `vfs`: the real module. `control`: the file
    that tells the supervisor."""
    for name in names:
        if name in _MAINS:
            with open("/main.py", "w") as file:
                file.write(_MAINS[name])
    if "flash-full" in names:
        _fill()
    if "no-flash" in names:
        vfs.umount("/")
    if "flash-broken" in names and chip is not None:
        chip.wear_out()
    for name in names:
        if name.startswith("brown-out=") and chip is not None:
            chip.cut_at(int(name[10:]), lambda: _dip(control))
    if "wrong-arch" in names:
        _say_mpy(lambda mpy: mpy & 0x3FF | _ARMV7EMSP << 10)
    if "wrong-abi" in names:
        _say_mpy(lambda mpy: mpy & ~0xFF | 5)
    if "clock-back" in names:
        _step_back()
    if "heap-fragmented" in names:
        _fragment()


def _fill():
    """One file, as large as it goes."""
    block = bytes(4000)  # a block of the flash holds some pointers as well
    with open("/measurements.bin", "wb") as file:
        while os.statvfs("/")[3] > 2:  # what a write that fails had begun would be lost
            file.write(block)
            file.flush()


def _dip(control):
    """The supply fails here: never returns."""
    import micropython

    micropython.kbd_intr(-1)
    control.write(b"D")
    while True:
        pass


def _say_mpy(change):
    from collections import namedtuple

    board_sys = sys.modules["sys"]  # as the board's programs see it
    old = board_sys.implementation
    fields = ("name", "version", "_machine", "_mpy", "_build")
    values = [getattr(old, field) for field in fields]
    values[3] = change(values[3])
    board_sys.implementation = namedtuple("implementation", fields)(*values)


def _step_back():
    """Every seventh look at the clock gives a time 50 ms ago."""
    stepping = _Clock()
    for name in dir(time):
        if not name.startswith("_"):
            setattr(stepping, name, getattr(time, name))
    looks = [0]

    def stepped(read, step):
        def look():
            looks[0] += 1
            return read() - (0 if looks[0] % 7 else step)

        return look

    for name, step in (("ticks_us", 50_000), ("ticks_ms", 50), ("time_ns", 50_000_000)):
        setattr(stepping, name, stepped(getattr(time, name), step))
    sys.modules["time"] = sys.modules["utime"] = stepping


def _fragment():
    """Take the heap in small pieces and give every other one back."""
    pieces = []
    gc.collect()
    reserve = bytearray(min(_LEFT_BYTES, gc.mem_free() // 4))  # the heap may be small as well
    try:
        while True:
            pieces.append(bytearray(_PIECE_BYTES))
    except MemoryError:
        pass
    del reserve
    _kept.extend(pieces[::2])
    pieces = None
    gc.collect()
