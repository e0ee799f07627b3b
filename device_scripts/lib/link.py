"""Records from the board to the laptop, and commands back, over the same serial line.

Purpose: the board's half of a stream; workshop_helpers/stream reads it.
Runs under: MicroPython; CPython only to import it.
Memory: one record as text, a few hundred bytes, for each `send`.

A record is one line, 0x1E + JSON + "\\n" (RFC 7464), so a plain print() passes beside it as text:
    {"seq":7,"t_us":3500210,"kind":"prediction",...,"crc":1234567}
    seq    counts records from 0, and starts again after 2^30 - 1
    t_us   microseconds since the link was opened, a true total although ticks_us() wraps. Needs a
           look at the clock (any send or poll) every 8 minutes. Above 30 bits, which is 18
           minutes, it is a heap object on a 32-bit board.
    crc    CRC-32 of all bytes between 0x1E and `,"crc"`
Samples travel in "b64" as base64 of little-endian int16, interleaved by channel; every board that
MicroPython's native code knows is little-endian.
"""

import binascii
import json
import select
import sys
import time
from array import array

_SEQ_MASK = (1 << 30) - 1
_MAX_COMMAND = 64


class Link:
    def __init__(self):
        # The raw stream where there is one: the text layer may turn "\n" into "\r\n".
        self._out = getattr(sys.stdout, "buffer", sys.stdout)
        self._binary = self._out is not sys.stdout
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._line = ""
        self._ticks = time.ticks_us()
        self._us = 0
        self.seq = 0

    def now_us(self):
        """Microseconds since the link was opened."""
        ticks = time.ticks_us()
        self._us += time.ticks_diff(ticks, self._ticks)
        self._ticks = ticks
        return self._us

    def send(self, kind, fields):
        """One record; `fields` is a dict of what JSON can say."""
        body = json.dumps(fields)[1:-1]
        text = '{"seq":%d,"t_us":%d,"kind":"%s"%s%s' % (
            self.seq,
            self.now_us(),
            kind,
            "," if body else "",
            body,
        )
        self._write(text)

    def command(self):
        """A whole command line from the laptop, without its end, or None. Never waits."""
        self.now_us()
        while self._poll.poll(0):
            char = sys.stdin.read(1)
            if not char:
                return None
            if char in "\r\n":
                line, self._line = self._line, ""
                if line:
                    return line
            elif len(self._line) < _MAX_COMMAND:
                self._line += char
        return None

    def _write(self, text):
        self.seq = (self.seq + 1) & _SEQ_MASK
        data = text.encode()
        crc = binascii.crc32(data) & 0xFFFFFFFF
        line = b'\x1e%s,"crc":%d}\n' % (data, crc)
        self._out.write(line if self._binary else line.decode())


class SampleBlocks:
    """Collects samples and sends them as records "samples", `size` at a time."""

    def __init__(self, link, channels, size):
        self._link = link
        self._channels = channels
        self._block = array("h", bytes(2 * channels * size))
        self._filled = 0
        self.sent = 0

    def add(self, block, n_samples):
        """Take the first `n_samples` of an interleaved array('h')."""
        data = self._block
        to = self._filled
        for source in range(n_samples * self._channels):
            data[to] = block[source]
            to += 1
            if to == len(data):
                self._filled = to
                self.flush()
                to = 0
        self._filled = to

    def flush(self):
        """Send what is there: at the end, and before samples that do not follow on."""
        if not self._filled:
            return
        n = self._filled // self._channels
        raw = memoryview(self._block)[: self._filled]
        text = binascii.b2a_base64(raw).decode().strip()
        self._link.send(
            "samples", {"at": self.sent, "n": n, "channels": self._channels, "b64": text}
        )
        self.sent += n
        self._filled = 0
