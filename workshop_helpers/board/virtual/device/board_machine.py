# ruff: noqa: F401
"""`machine` of the virtual board: resets and identity. It has no pins and no peripherals."""

from machine import PinBase, Signal, idle, soft_reset, time_pulse_us

PWRON_RESET = 1
HARD_RESET = 2
SOFT_RESET = 5

_facts = {}


def set_up(control, cause, unique_id):
    import binascii

    _facts["control"] = control
    _facts["cause"] = int(cause)
    _facts["id"] = binascii.unhexlify(unique_id)


def reset():
    """Reset as the RESET button does: never returns."""
    import micropython

    micropython.kbd_intr(-1)
    _facts["control"].write(b"R")
    while True:
        idle()


def reset_cause():
    return _facts["cause"]


def unique_id():
    return _facts["id"]
