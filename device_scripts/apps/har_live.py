"""Tells what the wearer does, live: sensor -> window -> features -> trees -> laptop.

Board:  any with emlearn_trees and 40 KB of free heap.
Wiring: none with the replay sensor.
Needs:  a model in /models/<name>/ that was trained on the features computed here; it is refused
        otherwise, since a wrong rate or window gives wrong answers without any error.
Memory: window 240 bytes, features 48 bytes, one record (see link.py); the model itself. Within a
        recording the loop allocates nothing.
Timing: on the virtual board (a laptop) 30 to 50 µs for the features and 3 to 15 µs for 20 trees,
        at 10 Hz. Not measured on a microcontroller yet; every record says what it took.

config, all optional but the recordings:
    model      folder of the model, "/models/har"
    sensor     a name in sensors/, "replay"; its settings are in config too (recordings, ...)
    seconds    end after so long; 0: run until "stop" comes, or the recordings end
    rate_hz, window, hop
               what the sensor is to deliver and the app to compute, when it is not the model that
               says so; a model that was trained otherwise is refused
    block      samples in a record; 0: none are sent; else a fifth of a second's

commands while it runs: stop; label (text); set threshold (0 to 1): a winner with a smaller share
of the votes is called "unsure".
"""

import gc
import time
from array import array

import model_store
from commands import Commands
from link import Link
from motion_features import FEATURES_ID, MotionFeatures, feature_names
from sample_blocks import SampleBlocks, as_bytes
from windower import Windower

DEFAULTS = {"sensor": "replay", "model": "/models/har", "loop": True, "seconds": 0}
UNSURE = "unsure"


def check(meta, sensor, window, hop):
    """ValueError if the model was trained on something else than this app computes."""
    trained = meta["metadata"]
    channels = trained.get("channels", ())
    computed = feature_names(channels)
    named = tuple(meta["features"] or ())
    differing = [i for i in range(len(computed)) if named[i : i + 1] != computed[i : i + 1]]
    first = differing[0] if differing else 0
    wanted = (
        ("features_id", trained.get("features_id"), FEATURES_ID),
        ("rate_hz", trained.get("rate_hz"), sensor.rate_hz),
        ("window", trained.get("window"), window),
        ("hop", trained.get("hop"), hop),
        ("channels", len(channels), sensor.channels),
        ("features", meta["n_features"], len(computed)),
        ("feature %d" % first, named[first : first + 1], computed[first : first + 1]),
        ("scale", meta["scale"] in (1, [1] * meta["n_features"]), True),
        ("units", trained.get("channel_units"), known(sensor.channel_units, trained)),
    )
    for name, in_model, here in wanted:
        if in_model != here:
            raise ValueError(
                "the model was trained with %s %s, this app has %s" % (name, in_model, here)
            )
    ours, theirs = sensor.units_per_lsb, trained.get("units_per_lsb")
    for i in range(len(ours or ()) if theirs else 0):
        if not same(ours[i], theirs[i]):
            raise ValueError(
                "a count of the sensor means %s, in the training it meant %s" % (ours[i], theirs[i])
            )


def known(units, trained):
    """The sensor's units, or the model's where the sensor does not know its own."""
    return trained.get("channel_units") if units is None else list(units)


def same(a, b):
    """Equal but for the rounding of short floats."""
    return abs(a - b) <= 1e-4 * abs(b)


def main(config):
    settings = dict(DEFAULTS)
    settings.update(config)
    link = Link()
    # The model first: it needs the largest piece of heap.
    model = model_store.load(settings["model"])
    trained = model.meta["metadata"]
    for name in ("rate_hz", "window", "hop"):
        if trained.get(name) is None:
            raise ValueError("model.json does not say the %s it was trained with" % name)
        settings.setdefault(name, trained.get(name))
    # A sensor that can is to give the counts that the model was trained on.
    if trained.get("units_per_lsb"):
        settings.setdefault("units_per_lsb", trained["units_per_lsb"])
    sensor = __import__("sensors." + settings["sensor"], None, None, ("open",)).open(settings)
    try:
        check(model.meta, sensor, settings["window"], settings["hop"])
        run(link, model, sensor, settings)
    finally:
        sensor.close()


def run(link, model, sensor, settings):
    live = Live(link, model, sensor, settings)
    live.hello()
    end_ms = int(settings["seconds"] * 1000)
    while not (sensor.ended or live.commands.stopped):
        if end_ms and link.now_ms() >= end_ms:
            break
        if not live.step():
            time.sleep_ms(1)
    live.bye()


class Live:
    """The app's state; `step` allocates nothing within a recording."""

    def __init__(self, link, model, sensor, settings):
        channels = sensor.channels
        self._link = link
        self._model = model
        self._sensor = sensor
        self._windower = Windower(channels, settings["window"], settings["hop"])
        self._features = MotionFeatures(channels, settings["window"])
        block_samples = settings.get("block", max(1, int(sensor.rate_hz / 5)))
        self._blocks = SampleBlocks(link, channels, block_samples) if block_samples else None
        self._block = array("h", bytes(2 * channels * settings["hop"]))
        self._outputs = as_bytes(model.outputs)
        self._recording = self._truth = None
        self._n_samples = self._n_predictions = 0
        self._name = settings["sensor"]
        self._overruns = 0
        self.commands = Commands(link, {"threshold": (0.0, 0, 1)})
        self._least = array("f", [0.0])
        self._least_bits = as_bytes(self._least)

    def hello(self):
        meta = self._model.meta
        trained = meta["metadata"]
        gc.collect()
        fields = {
            "app": "har_live",
            "model": meta["name"],
            "sha256": meta["sha256"],
            "classes": self._model.classes,
            "features_id": FEATURES_ID,
            "window": self._windower.window,
            "hop": self._windower.hop,
            "rate_hz": self._sensor.rate_hz,
            "channels": trained["channels"],
            "units_per_lsb": trained.get("units_per_lsb"),
            "channel_units": trained.get("channel_units"),
            "sensor": self._name,
            "heap_free": gc.mem_free(),
        }
        fields.update(self.commands.describe())
        self._link.send("hello", fields)

    def step(self):
        """Take what the sensor has, send what follows from it; the number of samples."""
        if self.commands.poll():
            self._least[0] = self.commands.values["threshold"]
        sensor = self._sensor
        block = self._block
        n = sensor.read_into(block)
        if sensor.overruns != self._overruns:
            self._lost()
        if sensor.recording != self._recording:
            self._recording = sensor.recording
            self._truth = truth_of(sensor.label, self._model.classes)
            self._windower.reset()
        if not n:
            return 0
        if self._blocks:
            self._blocks.add(block, n)
        start = 0
        while start < n:
            start = self._windower.push(block, start, n)
            if self._windower.ready:
                self._predict(self._n_samples + start)
        self._n_samples += n
        self.commands.at = self._n_samples
        return n

    def _lost(self):
        """Samples were lost before the next ones: no window and no block may span the gap."""
        self._overruns = self._sensor.overruns
        self._windower.reset()
        if self._blocks:
            self._blocks.flush()
        self._link.begin("overrun")
        self._link.int("overruns", self._overruns)
        self._link.int("at", self._n_samples)
        self._link.end()

    def _predict(self, at):
        """One answer; `at` counts the samples since the start, up to the end of the window."""
        link = self._link
        model = self._model
        t0 = time.ticks_us()
        row = self._features.compute(self._windower.data)
        t1 = time.ticks_us()
        index = model.predict(row)
        t2 = time.ticks_us()
        link.begin("prediction")
        link.text("label", model.classes[index] if self._is_sure(index) else UNSURE)
        link.int("class", index)
        link.bytes("outputs_f32", self._outputs, 4 * len(model.outputs))
        link.int("feature_us", time.ticks_diff(t1, t0))
        link.int("us", time.ticks_diff(t2, t1))
        link.int("at", at)
        link.text("recording", self._recording)
        link.text("truth", self._truth)
        link.end()
        self._n_predictions += 1

    def _is_sure(self, index):
        """Whether the winner's share is at least the threshold. Both are 0 to 1, and such floats
        are in the order of their bytes; as numbers they would be objects."""
        if len(self._model.outputs) == 1:
            return True  # one score for two classes is no share
        bits = self._outputs
        least = self._least_bits
        if bits is self._model.outputs:  # no view of the bytes on this board
            return bits[index] >= least[0]
        place = 4 * index + 3
        for i in range(4):
            a = bits[place - i]
            b = least[3 - i]
            if a != b:
                return a > b
        return True

    def bye(self):
        if self._blocks:
            self._blocks.flush()
        gc.collect()
        self._link.send(
            "bye",
            {
                "samples": self._n_samples,
                "predictions": self._n_predictions,
                "late": self._sensor.late,
                "overruns": self._overruns,
                "records": self._link.seq + 1,
                "heap_free": gc.mem_free(),
            },
        )


def truth_of(label, classes):
    """The class that a recording's label means, or the label: in a file's name it has small letters
    and "_" for all that is neither letter nor digit."""
    for name in classes:
        if label is not None and plain(str(name)) == plain(label):
            return name
    return label


def plain(text):
    return "".join([char for char in text.lower() if char.isalpha() or char.isdigit()])
