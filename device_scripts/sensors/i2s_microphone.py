"""A microphone on I2S: INMP441, ICS-43434, SPH0645.

Board:  any whose MicroPython has machine.I2S: ESP32 (all but C2), RP2040, RP2350, STM32 with I2S,
        mimxrt. The nRF port has none.
Wiring: VDD 3.3 V, GND, SCK, WS, SD; L/R to GND: left channel. Say sck=, ws= and sd=; on RP2040 ws
        is the pin after sck.
Memory: 300 bytes of buffers, and `ring_bytes` (8192) in the port.
Timing: 8192 bytes are 1024 samples on ESP32, which keeps both channels, 64 ms at 16 kHz; 2048 on
        the others. Turning a sample to int16 takes 5 to 10 µs on an ESP32 by estimation, so 16 kHz
        costs a tenth of its time or more. It has not met the real chip.
Source: "INMP441 Datasheet", InvenSense DS-INMP441-00: 24 bits, high byte first, in a slot of 32,
        SCK of 0.5 to 3.2 MHz, nothing to hear in the first 85 ms. ports/esp32/machine_i2s.c and
        ports/rp2/machine_i2s.c: once an I2S object was asked by `poll`, readinto gives what is
        there and does not wait.

config: rate_hz (8000 to 48000: 16000), i2s_id (0), sck, ws, sd, gain_bits (0 to 8: each doubles;
        speech at 1 m wants 3 to 5: 0), ring_bytes (8192)
"""

import sys

from microphone import Microphone


def open(config):  # noqa: A001 - the interface's name, as with files
    try:
        from machine import I2S, Pin
    except ImportError:
        raise OSError(19, "this board has no I2S, so no microphone; use sensor='replay'") from None
    rate_hz = config.get("rate_hz", 16000)
    if not 8000 <= rate_hz <= 48000:
        raise ValueError("the microphone gives rate_hz from 8000 to 48000, not %s" % rate_hz)
    for name in ("sck", "ws", "sd"):
        if name not in config:
            raise ValueError("say where the microphone is wired: sck=, ws= and sd=")
    ring_bytes = config.get("ring_bytes", 8192)
    i2s = I2S(
        config.get("i2s_id", 0),
        sck=Pin(config["sck"]),
        ws=Pin(config["ws"]),
        sd=Pin(config["sd"]),
        mode=I2S.RX,
        bits=32,
        format=I2S.MONO,
        rate=rate_hz,
        ibuf=ring_bytes,
    )
    ring_samples = ring_bytes // (8 if sys.platform == "esp32" else 4)
    return Microphone(i2s, rate_hz, 32, ring_samples, config.get("gain_bits", 0))
