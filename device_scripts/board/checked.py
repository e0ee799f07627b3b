"""Run `_w_c`, if its CRC-32 is `_w_s`. The host puts both before this; the code deletes all three
names. Nothing is caught here: one damaged byte must not switch the check off."""

from binascii import crc32 as _w_k

if _w_k(_w_c) != _w_s:  # noqa: F821
    raise ValueError("damaged on the way")
exec(_w_c)  # noqa: F821
