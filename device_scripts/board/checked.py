"""Run `_w_code`, if it is what `_w_sum` says. The host puts both before this; the code deletes all
three names. Nothing is caught here: one damaged byte must not switch the check off."""

from binascii import crc32 as _w_crc

if _w_crc(_w_code) != _w_sum:  # noqa: F821
    raise ValueError("damaged on the way")
exec(_w_code)  # noqa: F821
