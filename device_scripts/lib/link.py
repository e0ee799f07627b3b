"""Records from the board to the laptop, and commands back, over the same serial line.

Purpose: the board's half of a stream; workshop_helpers/stream reads it. commands.py does what the
commands say.
Runs under: MicroPython; CPython only to import it.
Memory: two buffers, 512 and 320 bytes (the first grows with the longest record), and the names in
records. Records built with `begin` ... `end` allocate nothing once each name has been seen.
Timing: see line_viper.py.

A record is one line, 0x1E + JSON + "\\n" (RFC 7464), so a plain print() passes beside it as text:
    {"seq":7,"t_us":3500210,"kind":"prediction",...,"crc":1234567}
    seq    counts records from 0, and starts again after 2^30 - 1
    t_us   microseconds since the link was opened: never less than before, and a true total
           although ticks_us() wraps. Needs a look at the clock (any record or `command`) every 8
           minutes.
    crc    CRC-32 of all bytes between 0x1E and `,"crc"`
Samples travel in "b64" as base64 of little-endian int16, interleaved by channel; every board that
MicroPython's native code knows is little-endian. Floats travel as base64 of float32, to the bit, in
a field whose name ends in "_f32"; the laptop finds them under the name without that ending.

A command is one line, {"id":3,"do":"set",...,"crc":...}, of at most 256 bytes; the plain word
"stop" is one too. What is damaged is refused by an "ack" without an id.

    link.begin("prediction")
    link.int("class", 2)
    link.text("label", "walking")
    link.bytes("outputs_f32", as_bytes(outputs), 4 * len(outputs))
    link.end()
"""

import json
import select
import sys
import time
from array import array

import line

MAX_RECORD = 32768
MAX_COMMAND = 256
_SEQ_MASK = (1 << 30) - 1
_SMALL = (1 << 30) - 1
_TAIL = b',"crc":'
_ENDING = 24  # bytes that `seal` may add
_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_MAX_NAMES = 64


def _crc_table():
    table = array("H", bytes(64))
    for k in range(16):
        value = k
        for _ in range(4):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
        table[k] = value & 0xFFFF
        table[k + 16] = value >> 16
    return table


class Link:
    def __init__(self):
        # The raw stream where there is one: the text layer may turn "\n" into "\r\n".
        self._out = getattr(sys.stdout, "buffer", sys.stdout)
        self._binary = self._out is not sys.stdout
        self._in = getattr(sys.stdin, "buffer", sys.stdin)
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._table = _crc_table()
        self._buffer = bytearray(512)
        self._at = 0
        self._names = {}
        self._texts = {}
        self._byte = bytearray(1)
        self._command = bytearray(MAX_COMMAND + 64)
        self._length = 0
        self._answered = None  # the last command's id, and what was answered
        self._ticks = time.ticks_us()
        self._s = 0
        self._us = 0
        self.seq = 0

    # --- time -----------------------------------------------------------------------------
    def tick(self):
        """Look at the clock. A step back, or of over a second, counts if a second look agrees."""
        passed = time.ticks_diff(time.ticks_us(), self._ticks)
        if not 0 <= passed < 1000000:
            passed = time.ticks_diff(time.ticks_us(), self._ticks)
        self._ticks = time.ticks_add(self._ticks, passed)
        if passed > 0:  # else it runs on from where it stands
            self._us += passed
            if self._us >= 1000000:
                self._s += self._us // 1000000
                self._us %= 1000000

    def now_us(self):
        """Microseconds since the link was opened; above 30 bits (18 minutes) it is a heap object
        on a 32-bit board."""
        self.tick()
        return self._s * 1000000 + self._us

    def now_ms(self):
        """Milliseconds since the link was opened; a small integer for twelve days."""
        self.tick()
        return self._s * 1000 + self._us // 1000

    # --- records --------------------------------------------------------------------------
    def begin(self, kind):
        """Begin a record; its time is now."""
        self.tick()
        self._at = 0
        self._put(b'\x1e{"seq":')
        self._number(self.seq, 1)
        self._put(b',"t_us":')
        if self._s:
            self._number(self._s, 1)
            self._number(self._us, 6)
        else:
            self._number(self._us, 1)
        self._put(b',"kind":')
        self._put(self._known(kind))

    def int(self, name, value):
        """A whole number; beyond 30 bits it allocates."""
        self._name(name)
        if -_SMALL <= value <= _SMALL:
            self._number(value, 1)
        else:
            self._put(str(value).encode())

    def fixed(self, name, value, decimals):
        """value / 10^decimals, as text: fixed("temperature", 2534, 2) sends 25.34."""
        self._name(name)
        if value < 0:
            self._put(b"-")
            value = -value
        unit = 10**decimals
        self._number(value // unit, 1)
        if decimals:
            self._put(b".")
            self._number(value % unit, decimals)

    def text(self, name, value):
        """A text, or None. The first 64 different ones are kept; others allocate each time."""
        self._name(name)
        self._put(b"null" if value is None else self._known(value))

    def bytes(self, name, data, n):
        """The first `n` bytes of a bytes-like object, in base64."""
        self._name(name)
        self._room(n * 4 // 3 + 8)
        at = line.base64(self._buffer, line.copy(self._buffer, self._at, b'"', 1), data, n, _DIGITS)
        self._at = line.copy(self._buffer, at, b'"', 1)

    def end(self):
        """Send the record."""
        at = line.seal(self._buffer, 1, self._at, _TAIL, self._table)
        self.seq = (self.seq + 1) & _SEQ_MASK
        if self._binary:
            self._out.write(self._buffer, at)
        else:
            self._out.write(str(self._buffer[:at], "utf-8"))

    def send(self, kind, fields):
        """A rare record; `fields` is a dict of what JSON can say. Allocates."""
        body = json.dumps(fields)[1:-1]
        self.begin(kind)
        if body:
            self._put(b",")
            self._put(body.encode())
        self.end()

    # --- commands -------------------------------------------------------------------------
    def command(self):
        """The next whole command as a dict with "do" and "id", or None. Never waits."""
        self.tick()
        for _ in range(MAX_COMMAND):
            if not self._readable() or not self._in.readinto(self._byte):
                return None
            byte = self._byte[0]
            if byte == 10 or byte == 13:
                n, self._length = self._length, 0
                if n:
                    return self._parsed(n)
            elif self._length <= MAX_COMMAND:  # one more says that it is too long
                self._command[self._length] = byte
                self._length += 1
        return None

    def ack(self, command, ok, why=None, **more):
        """Answer a command; one without an id wants no answer."""
        if command.get("id") is None:
            return
        more["id"] = command["id"]
        more["ok"] = ok
        if why is not None:
            more["why"] = why
        self._answered = more
        self.send("ack", more)

    def _readable(self):
        for _ in self._poll.ipoll(0):  # poll() would make a list
            return True
        return False

    def _parsed(self, n):
        text = bytes(self._command[:n])
        if text == b"stop":
            return {"do": "stop", "id": None}
        body = text.rfind(_TAIL)
        command = None
        if n <= MAX_COMMAND and body > 0:
            # As `seal` would write it, or it is not what was sent.
            end = line.seal(self._command, 0, body, _TAIL, self._table)
            if bytes(self._command[: end - 1]) == text:
                try:
                    command = json.loads(text)
                except ValueError:
                    pass
        if not isinstance(command, dict) or "do" not in command or "id" not in command:
            self.send("ack", {"id": None, "ok": False, "why": "damaged"})
            return None
        if self._answered and command["id"] == self._answered["id"]:
            self.send("ack", self._answered)  # the answer was lost: it is not done twice
            return None
        return command

    # --- inside ---------------------------------------------------------------------------
    def _name(self, name):
        key = self._names.get(name)
        if key is None:
            key = self._names[name] = b"," + json.dumps(name).encode() + b":"
        self._put(key)

    def _known(self, text):
        quoted = self._texts.get(text)
        if quoted is None:
            quoted = json.dumps(text).encode()
            if len(self._texts) < _MAX_NAMES:
                self._texts[text] = quoted
        return quoted

    def _put(self, data):
        n = len(data)
        self._room(n)
        self._at = line.copy(self._buffer, self._at, data, n)

    def _number(self, value, width):
        self._room(16)
        self._at = line.number(self._buffer, self._at, value, width)

    def _room(self, n):
        wanted = self._at + n + _ENDING
        if wanted > len(self._buffer):
            if wanted > MAX_RECORD:
                raise ValueError("a record of more than %d bytes" % MAX_RECORD)
            self._buffer.extend(bytes(wanted - len(self._buffer)))
