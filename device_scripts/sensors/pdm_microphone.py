"""A PDM microphone: SPM1423, MP34DT05, SPH0641.

Which firmware can: MicroPython of micropython.org can't, on no port (issue 18192 and pull request
        14176 there, both open when this was written). Two others can, and either is used:
        - ESP32 with I2S.PDM_RX in machine.I2S: builds with that pull request, such as M5Stack's;
        - OpenMV's firmware, whose module `audio` reads the microphones of the Nano 33 BLE Sense,
          the Nano RP2040 Connect, the Portenta and the Nicla boards.
        With another firmware this adapter says so; RP2040 and nRF with micropython.org's: no.
Board:  M5StickC: SPM1423, clock on 0, data on 34 (the default); AtomS3U: sck=39, sd=38.
Wiring: on the boards.
Memory: 300 bytes of buffers, and `ring_bytes` in the port; with `audio`, 8 KB.
Timing: the filter from one bit to 16 runs in the firmware. With `audio` each piece that arrives
        takes a few bytes of heap. It has not met the real chip. Some builds want the rate doubled:
        compare 10 s by the clock with what arrives, before anything is recorded.
Source: pull request 14176 for I2S.PDM_RX; OpenMV's documentation of `audio`.

config: rate_hz (16000), i2s_id (0), sck, sd, gain_bits (0 to 8: 0), ring_bytes (8192);
        with `audio`: rate_hz, gain_db (24)
"""

from array import array

from microphone import Microphone


def open(config):  # noqa: A001 - the interface's name, as with files
    rate_hz = config.get("rate_hz", 16000)
    try:
        from machine import I2S, Pin
    except ImportError:
        I2S = None
    if hasattr(I2S, "PDM_RX"):
        ring_bytes = config.get("ring_bytes", 8192)
        i2s = I2S(
            config.get("i2s_id", 0),
            sck=Pin(config.get("sck", 0)),
            ws=None,
            sd=Pin(config.get("sd", 34)),
            mode=I2S.PDM_RX,
            bits=16,
            format=I2S.MONO,
            rate=rate_hz,
            ibuf=ring_bytes,
        )
        return Microphone(i2s, rate_hz, 16, ring_bytes // 4, config.get("gain_bits", 0))
    try:
        import audio
    except ImportError:
        raise OSError(
            19,
            "this firmware reads no PDM microphone: that takes OpenMV's, or an ESP32 build with "
            "I2S.PDM_RX; use an I2S microphone or sensor='replay'",
        ) from None
    return OpenMvMicrophone(audio, rate_hz, config.get("gain_db", 24))


class OpenMvMicrophone:
    """OpenMV's `audio`: it calls back with 16-bit samples, which wait in a ring here."""

    RING = 4096  # samples, a quarter of a second at 16 kHz
    channels = 1
    channel_names = ("sound",)
    channel_units = ("1",)
    units_per_lsb = (1 / 32768,)
    late = 0
    ended = False
    recording = None
    label = None

    def __init__(self, audio, rate_hz, gain_db):
        self.rate_hz = rate_hz
        self.overruns = 0
        self._audio = audio
        self._ring = array("h", bytes(2 * self.RING))
        self._read = self._written = 0  # places; equal: empty
        audio.init(channels=1, frequency=rate_hz, gain_db=gain_db)
        audio.start_streaming(self._arrived)

    def read_into(self, block):
        n, room, ring, place = 0, len(block), self._ring, self._read
        end = self._written  # what arrives from now on comes next time
        while n < room and place != end:
            block[n] = ring[place]
            n += 1
            place = (place + 1) % self.RING
        self._read = place
        return n

    def close(self):
        self._audio.stop_streaming()

    def _arrived(self, data):
        n = len(data) // 2
        place = self._written
        if n >= self.RING - (place - self._read) % self.RING:
            self.overruns += 1  # no room: this piece is lost
            return
        ring = self._ring
        for at in range(0, 2 * n, 2):
            ring[place] = ((data[at] | data[at + 1] << 8) ^ 0x8000) - 0x8000
            place = (place + 1) % self.RING
        self._written = place
