"""How often each class came, in one byte a class: what fits in a LoRaWAN message.

Runs under: MicroPython and CPython, with the same bytes.
Memory: 4 bytes a class, taken once; `predicted` allocates nothing.

Byte i is the share of class i in 1/255, rounded, so each share is off by at most 1/510, 0.2 %.
"""

from array import array

ERROR = 1 / 510


class ClassShares:
    def __init__(self, classes):
        """`classes`: how many there are."""
        self.counts = array("i", bytes(4 * classes))
        self.total = 0

    def predicted(self, index):
        self.counts[index] += 1
        self.total += 1

    def pack(self):
        """The shares since the last `pack`, one byte a class; all zero if nothing came."""
        total = self.total
        packed = bytes([(510 * n + total) // (2 * total) if total else 0 for n in self.counts])
        for i in range(len(self.counts)):
            self.counts[i] = 0
        self.total = 0
        return packed


def unpack(packed):
    """Shares, 0 to 1 each."""
    return [byte / 255 for byte in packed]
