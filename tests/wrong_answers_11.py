"""Wrong answers to the exercises of notebook 11."""

from __future__ import annotations

from workshop_helpers.features import device_module

bthome = device_module("bthome")


def advert(name, *values):
    return bthome.advertisement(bthome.service_data(values), name)


WRONG = {
    "11.1": [
        ((None,), "still None"),
        (("motion",), "is no bytes"),
        ((bytes(40),), "an advertisement holds 31"),
        ((bytes.fromhex("020106"),), "can't read it"),
        ((advert("clock", ("motion", 1), ("battery", 80)),), "calls itself 'clock'"),
        ((advert("watch", ("battery", 80)),), "motion should be 1"),
        ((advert("watch", ("motion", 1), ("battery", 8)),), "battery should be 80"),
    ],
    "11.2": [
        ((None, 100.0), "still None"),
        (("many", 100.0), "no number"),
        ((0.1, 100.0), "10,000 mJ"),
        ((500, 100.0), "would take 50 J"),
        ((101, 100.0), "round down"),
    ],
}
