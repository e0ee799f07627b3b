"""What sending a message and keeping a chip awake cost, as data: each number with where it is from.

Nothing here was measured by this project. Read in a maker's document: what the nRF52840 draws
while it sends and computes, the naps of the ESP32-C3 and -S3, and that a chip of the ESP32 series
draws 20 to 40 mA awake. Read in somebody's measurement: the ESP32-C3's and -S3's typical currents,
the RP2040's nap, the length of a BLE event. Remembered, not found again: the rest (the ESP32's and
the nRF52840's CPU, Wi-Fi's and LoRa's senders, flash chips), and there the links lead to the
product, not to the number. The durations of Wi-Fi are a guess that your network decides. So every
entry is a range, and what is computed from them is an estimate within a factor of two or more:
check before you rely.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

SUPPLY_V = 3.3
LORAWAN_MOST_BYTES = 242  # of a message, in any region
_ESP32 = "https://www.espressif.com/sites/default/files/documentation/esp32_datasheet_en.pdf"
_ESP_SLEEP = (
    "https://docs.espressif.com/projects/esp-techpedia/zh_CN/latest/esp-friends/"
    "advanced-development/performance/lowpower/lowpower-fundamental.html"
)
_NRF = "https://docs.nordicsemi.com/bundle/ps_nrf52840/page/keyfeatures_html5.html"
_SEMTECH = "https://www.semtech.com/products/wireless-rf/lora-connect/sx1262"
_FLASH = "https://www.winbond.com/hq/product/code-storage-flash-memory/serial-nor-flash/"


class Range(NamedTuple):
    """A number that is known roughly: the lowest, a typical one, the highest."""

    low: float
    typical: float
    high: float


@dataclass(frozen=True)
class ChipPower:
    """Currents of a chip or its board, mA: the CPU busy with the radio off, and a nap that keeps
    the RAM, as between two windows. (Deep sleep takes less, but Python starts anew after it.)"""

    busy_ma: Range
    nap_ma: Range
    source: str


# By the catalogue's name of the chip. The rest is not known here, and said to be unknown.
CHIPS: Mapping[str, ChipPower] = {
    "ESP32": ChipPower(Range(30, 45, 68), Range(0.8, 0.8, 5), _ESP32),
    "ESP32-C3": ChipPower(
        Range(20, 26.8, 35),
        Range(0.13, 0.35, 2),
        "https://robdobson.com/2023/11/investigating-esp32-c3-power-management/",
    ),
    # Lowest and highest by Espressif; 32 and 0.78 mA were measured at a DevKitC without its USB
    # (MoleNet, https://github.com/ComNets-Bremen/WUSN).
    "ESP32-S3": ChipPower(Range(20, 32, 40), Range(0.24, 0.78, 2), _ESP_SLEEP),
    "RP2040": ChipPower(
        Range(20, 26, 90),  # busy: a remark in a forum; the link is about the nap
        Range(1.3, 1.5, 2.5),
        "https://github.com/micropython/micropython/issues/8770",
    ),
    "nRF52840": ChipPower(Range(3.3, 4, 7), Range(0.0015, 0.005, 1), _NRF),
}


@dataclass(frozen=True)
class Channel:
    """A way out for a prediction: energy of one message, millijoules, and what it is made of."""

    name: str
    millijoules: Range
    made_of: str
    source: str


def energy_mj(current_ma: float, seconds: float, volts: float = SUPPLY_V) -> float:
    """Millijoules: current times voltage times time."""
    return current_ma * volts * seconds


def lora_airtime_s(payload_bytes: int, spreading_factor: int, bandwidth_hz: int = 125_000) -> float:
    """How long a LoRaWAN uplink is in the air, in seconds.

    Semtech's formula for an explicit header, a CRC, coding rate 4/5 and a preamble of 8 symbols.
    13 bytes of LoRaWAN's own come on top of the payload.

    Raises:
        ValueError: no such spreading factor, or a payload that no LoRaWAN region allows.
    """
    if not 7 <= spreading_factor <= 12 or not 0 <= payload_bytes <= LORAWAN_MOST_BYTES:
        raise ValueError("spreading_factor is 7 to 12, payload_bytes 0 to 242")
    symbol_s = 2**spreading_factor / bandwidth_hz
    slow = 1 if symbol_s > 0.016 else 0  # "low data rate optimisation"
    bits = 8 * (payload_bytes + 13) - 4 * spreading_factor + 28 + 16
    blocks = math.ceil(max(bits, 0) / (4 * (spreading_factor - 2 * slow)))
    return float((8 + 4.25 + 8 + 5 * blocks) * symbol_s)


def channels(payload_bytes: int = 8) -> tuple[Channel, ...]:
    """The ways out, cheapest first; `payload_bytes` matters to LoRaWAN only, where time in the air
    is what one pays for."""
    fast, slow = lora_airtime_s(payload_bytes, 7), lora_airtime_s(payload_bytes, 12)
    return (
        Channel(
            "BLE advertisement",
            Range(*(energy_mj(ma, 0.0012, 3.0) for ma in (4.8, 8.1, 15.4))),
            "one event on three channels, 1.2 ms at 8.1 mA (nRF52840 and its CPU, 0 dBm)",
            _NRF,
        ),
        Channel(
            "line in a log on flash",
            Range(energy_mj(15, 0.0007), energy_mj(20, 0.003), energy_mj(25, 0.05)),
            "a page written in 0.7 ms at 15 mA; at worst a sector erased in 45 ms",
            _FLASH,
        ),
        Channel(
            "LED, 0.1 s",
            Range(*(energy_mj(ma, 0.1) for ma in (1, 5, 20))),
            "5 mA for a tenth of a second",
            "https://learn.sparkfun.com/tutorials/light-emitting-diodes-leds",
        ),
        Channel(
            "LoRaWAN, SF7",
            Range(*(energy_mj(ma, fast) for ma in (25.5, 45, 90))),
            f"{1000 * fast:.0f} ms in the air at 45 mA (SX1262, 14 dBm)",
            _SEMTECH,
        ),
        Channel(
            "MQTT, Wi-Fi stays connected",
            Range(energy_mj(100, 0.01), energy_mj(110, 0.05), energy_mj(120, 0.3)),
            "50 ms at 110 mA (ESP32); staying connected costs more than that, all the time",
            _ESP32,
        ),
        Channel(
            "LoRaWAN, SF12",
            Range(*(energy_mj(ma, slow) for ma in (25.5, 45, 90))),
            f"{1000 * slow:.0f} ms in the air at 45 mA (SX1262, 14 dBm)",
            _SEMTECH,
        ),
        Channel(
            "HTTP POST, Wi-Fi joined anew",
            Range(energy_mj(90, 0.8), energy_mj(100, 2), energy_mj(130, 6)),
            "2 s at 100 mA (ESP32) for joining, an address, and the request",
            _ESP32,
        ),
    )
