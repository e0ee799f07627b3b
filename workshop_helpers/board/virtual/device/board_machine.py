"""`machine` of the virtual board: resets and its identity. It has no pins."""

from machine import PinBase, Signal, idle, soft_reset, time_pulse_us

PWRON_RESET = 1
HARD_RESET = 2
SOFT_RESET = 5

_state = {}


def set_up(control, cause, unique_id):
    import binascii

    _state["control"] = control
    _state["cause"] = int(cause)
    _state["id"] = binascii.unhexlify(unique_id)


def reset():
    """Reset as the RESET button does: never returns."""
    import micropython

    micropython.kbd_intr(-1)
    _state["control"].write(b"R")
    while True:
        idle()


def reset_cause():
    return _state["cause"]


def unique_id():
    return _state["id"]
