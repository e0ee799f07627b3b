"""The bytes of a record, in plain Python: digits, base64 and CRC-32 into a buffer.

Purpose: link.py's inner loops where the firmware does not compile viper; else line_viper.py, which
is the same text with types and says the same bytes. A test holds the two together.
Runs under: MicroPython and CPython.
Memory: nothing is allocated, also on 32-bit boards: no value here exceeds 30 bits.
Timing: on a microcontroller, too slow for more than a few KB/s.
"""


def copy(out, at, data, n):
    """Bytes to `at`; returns the place after them, as all of these do."""
    i = 0
    while i < n:
        out[at] = data[i]
        at += 1
        i += 1
    return at


def samples(out, at, data, start, n):
    """`n` int16 values from `start` on."""
    i = 0
    while i < n:
        out[at] = data[start]
        at += 1
        start += 1
        i += 1
    return at


def number(out, at, value, width):
    """A whole number of at most 30 bits in decimal, with zeros up to `width` digits."""
    if value < 0:
        out[at] = 45
        at += 1
        value = 0 - value
    n = 1
    rest = value // 10
    while rest:
        n += 1
        rest = rest // 10
    if n < width:
        n = width
    i = at + n
    while i > at:
        i -= 1
        out[i] = 48 + value % 10
        value = value // 10
    return at + n


def base64(out, at, data, n, digits):
    """`n` bytes in base64, padded."""
    i = 0
    while i < n:
        a = data[i]
        b = 0
        c = 0
        if i + 1 < n:
            b = data[i + 1]
        if i + 2 < n:
            c = data[i + 2]
        out[at] = digits[a >> 2]
        out[at + 1] = digits[((a & 3) << 4) | (b >> 4)]
        out[at + 2] = digits[((b & 15) << 2) | (c >> 6)]
        out[at + 3] = digits[c & 63]
        i += 3
        at += 4
    if i > n:
        out[at - 1] = 61
    if i > n + 1:
        out[at - 2] = 61
    return at


def seal(out, start, end, tail, table):
    """Put `tail` (seven bytes), the CRC-32 of `start` to `end`, a brace and a newline at `end`.

    The CRC is two halves, four bits of a byte at a time: 32 bits are no small integer. `table` has
    16 lower halves and then 16 upper ones.
    """
    low = 0xFFFF
    high = 0xFFFF
    i = start
    while i < end:
        b = out[i]
        k = (low ^ b) & 15
        low = ((low >> 4) | ((high & 15) << 12)) ^ table[k]
        high = (high >> 4) ^ table[k + 16]
        k = (low ^ (b >> 4)) & 15
        low = ((low >> 4) | ((high & 15) << 12)) ^ table[k]
        high = (high >> 4) ^ table[k + 16]
        i += 1
    low ^= 0xFFFF
    high ^= 0xFFFF
    i = 0
    while i < 7:
        out[end] = tail[i]
        end += 1
        i += 1
    # Ten digits, the last one first; then without the leading zeros, which JSON does not know.
    i = 10
    while i:
        i -= 1
        k = ((high % 10) << 16) | low
        high = high // 10
        low = k // 10
        out[end + i] = 48 + k % 10
    k = 0
    while k < 9 and out[end + k] == 48:
        k += 1
    i = 10 - k
    while i:
        out[end] = out[end + k]
        end += 1
        i -= 1
    out[end] = 125
    out[end + 1] = 10
    return end + 2
