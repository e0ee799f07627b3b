"""Records a sensor: to the laptop as a stream, to the board's flash as .npy files, or both.

Board:  any; for the flash one with a file system.
Wiring: none with the replay sensor; else what the sensor's adapter says.
Memory: a fifth of a second of samples twice, and one chunk of up to 4 KB for the flash.
Timing: 10 to 100 Hz with the replay sensor on the virtual board. Not measured on a microcontroller
        yet: a flush can take 50 ms and more, which a sensor needs a FIFO to survive; what it loses
        is counted as an overrun and marked as a gap.

config, all optional but what the sensor needs:
    sensor     a name in sensors/, "replay"; its settings are in config too (recordings, ...)
    rate_hz    samples a second
    seconds    end after so long; 0: until "stop" comes, the recordings end, or the flash is full
    label      what happens now; None: nothing is said. The replay sensor says it itself.
    block      samples in a record; 0: none are sent; else a fifth of a second's
    to_flash   True: record to `folder` as well
    folder     "/recorded"; file_s: seconds a file, 60; see lib/flash_ring.py for
               max_files, max_bytes (0: keep all) and reserve_bytes (65536)
    channel_names, channel_units, units_per_lsb
               what the samples are, if the sensor does not know, as the replay does not

Its "hello" and "progress" say what flash is left (flash_free, bytes). "progress", once a second,
and "bye" say since which sample the label holds (label_at), in case its record got lost.

Commands: "label" with a "text" (it holds from the next sample on), "pause", "resume", "stop".
"""

import gc
import sys
import time
from array import array

from commands import MAX_TEXT, Commands
from flash_ring import FlashRing
from link import Link
from sample_blocks import SampleBlocks

DEFAULTS = {
    "sensor": "replay",
    "rate_hz": 10,
    "seconds": 0,
    "label": None,
    "to_flash": False,
    "folder": "/recorded",
    "file_s": 60,
    "max_files": 0,
    "max_bytes": 0,
    "reserve_bytes": 65536,
}
_CHUNK_BYTES = 4096
_PROGRESS_US = 1000000


def main(config):
    settings = dict(DEFAULTS)
    settings.update(config)
    link = Link()
    sensor = __import__("sensors." + settings["sensor"], None, None, ("open",)).open(settings)
    app = None
    try:
        app = App(link, sensor, settings)
        app.run()
    finally:
        if app:
            app.close()
        sensor.close()


class App:
    def __init__(self, link, sensor, settings):
        self.link = link
        self.sensor = sensor
        self.label = settings["label"]
        self._label_at = 0
        self.paused = False
        verbs = {"label": self._label, "pause": self.pause, "resume": self.resume}
        self.commands = Commands(link, None, verbs)
        self.n_samples = 0
        self._seconds = settings["seconds"]
        channels = sensor.channels
        rate_hz = sensor.rate_hz
        self._about = {
            "app": "recorder",
            "board": _board(),
            "sensor": settings["sensor"],
            "rate_hz": rate_hz,
        }
        self._about["channels"] = list(
            _said("channel_names", sensor, settings) or ["ch%d" % i for i in range(channels)]
        )
        for name in ("units_per_lsb", "channel_units"):
            said = _said(name, sensor, settings)
            self._about[name] = list(said or ([1.0] if name[0] == "u" else ["counts"]) * channels)
        size = settings.get("block", max(1, int(rate_hz / 5)))
        self._blocks = SampleBlocks(link, channels, size, True) if size else None
        self._block = array("h", bytes(2 * channels * max(1, int(rate_hz / 10))))
        self._ring = None
        if settings["to_flash"]:
            chunk = max(1, min(int(rate_hz), _CHUNK_BYTES // (2 * channels)))
            self._ring = FlashRing(
                settings["folder"],
                dict(self._about),
                channels,
                max(1, int(settings["file_s"] * rate_hz)),
                chunk,
                settings["max_files"],
                settings["max_bytes"],
                settings["reserve_bytes"],
            )
        self._said_by_sensor = None
        self._overruns = 0

    def run(self):
        link = self.link
        sensor = self.sensor
        gc.collect()
        hello = dict(self._about)
        hello.update(self.commands.describe())
        hello["heap_free"] = gc.mem_free()
        if self._ring:
            hello["session"] = self._ring.session
            hello["flash_free"] = self._ring.free
        link.send("hello", hello)
        if self.label:
            self._say_label()
        end_us = int(self._seconds * 1000000)
        progress_us = _PROGRESS_US
        while not (sensor.ended or self.commands.stopped or (self._ring and self._ring.full)):
            self.commands.poll()
            now_us = link.now_us()
            if end_us and now_us >= end_us:
                break
            if now_us >= progress_us:
                progress_us += _PROGRESS_US
                link.send("progress", self._progress())
            if not self.step(now_us):
                time.sleep_ms(1)
        if self._blocks:
            self._blocks.flush()
        self.close()
        bye = self._progress()
        bye["flash_full"] = bool(self._ring and self._ring.full)
        bye["records"] = link.seq + 1
        link.send("bye", bye)

    def close(self):
        """The open file is given its name: after Ctrl-C, too, which is how a laptop comes in."""
        if self._ring:
            self._ring.close(self.link.now_us())

    def step(self, now_us):
        """Fetch samples and pass them on; returns how many came. Allocates nothing."""
        sensor = self.sensor
        n = sensor.read_into(self._block)
        if self.paused:
            return n
        if sensor.recording != self._said_by_sensor:
            self._said_by_sensor = sensor.recording
            if sensor.recording is not None:
                self.set_label(sensor.label)
        if not n:
            return 0
        if getattr(sensor, "overruns", 0) != self._overruns:
            self._overruns = sensor.overruns
            self._gap()
        if self._blocks:
            self._blocks.add(self._block, n)
        if self._ring:
            self._ring.add(self._block, n, self.label, now_us)
        self.n_samples += n
        return n

    def set_label(self, text):
        """From the next sample on; a file holds one label."""
        self.label = text
        self._label_at = self.n_samples
        self.close()
        self._say_label()

    def _say_label(self):
        if self._blocks:
            self._blocks.flush()
            self._blocks.labels += 1
        self.link.send("label", {"text": self.label, "at": self.n_samples})

    def _gap(self):
        if self._blocks:
            self._blocks.flush()
            self._blocks.gaps += 1
            self.link.send("gap", {"at": self.n_samples, "lost": 0})
        if self._ring:
            self._ring.gap()

    def _label(self, command):
        text = command.get("text")
        if not isinstance(text, str) or len(text) > MAX_TEXT:
            raise ValueError("a label is a text of at most %d characters" % MAX_TEXT)
        self.set_label(text or None)

    def pause(self, command=None):
        """Samples are fetched and thrown away until `resume`; the open file is closed."""
        self.paused = True
        self.close()

    def resume(self, command=None):
        if self.paused:
            self.paused = False
            self._gap()

    def _progress(self):
        ring = self._ring
        return {
            "samples": self.n_samples,
            "label": self.label,
            "label_at": self._label_at,
            "paused": self.paused,
            "file": ring.path if ring else None,
            "files": ring.files if ring else 0,
            "size_bytes": ring.size if ring else 0,
            "flash_free": ring.free if ring else None,
            "late": self.sensor.late,
            "overruns": self._overruns,
            "heap_free": gc.mem_free(),
        }


def _board():
    """What it is, and nothing that tells whose."""
    implementation = sys.implementation
    version = ".".join([str(part) for part in implementation.version[:3]])
    name = getattr(implementation, "_machine", sys.platform)
    return "%s, MicroPython %s" % (name, version)


def _said(name, sensor, settings):
    return settings.get(name) or getattr(sensor, name, None)
