"""Tells what the wearer does, live: sensor -> window -> features -> trees -> laptop.

Board:  any with emlearn_trees and 40 KB of free heap.
Wiring: none with the replay sensor.
Needs:  a model in /models/<name>/ that was trained on the features computed here; it is refused
        otherwise, since a wrong rate or window gives wrong answers without any error.
Memory: window 240 bytes, features 48 bytes, one record as text; the model itself.
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
"""

import gc
import time
from array import array

import model_store
from link import Link, SampleBlocks
from motion_features import FEATURES_ID, MotionFeatures, feature_names
from windower import Windower

DEFAULTS = {"sensor": "replay", "model": "/models/har", "loop": True, "seconds": 0}


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
    )
    for name, in_model, here in wanted:
        if in_model != here:
            raise ValueError(
                "the model was trained with %s %s, this app has %s" % (name, in_model, here)
            )


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
    sensor = __import__("sensors." + settings["sensor"], None, None, ("open",)).open(settings)
    try:
        check(model.meta, sensor, settings["window"], settings["hop"])
        run(link, model, sensor, settings)
    finally:
        sensor.close()


def run(link, model, sensor, settings):
    trained = model.meta["metadata"]
    channels = sensor.channels
    windower = Windower(channels, settings["window"], settings["hop"])
    features = MotionFeatures(channels, settings["window"])
    block_samples = settings.get("block", max(1, int(sensor.rate_hz / 5)))
    blocks = SampleBlocks(link, channels, block_samples) if block_samples else None
    block = array("h", bytes(2 * channels * settings["hop"]))
    gc.collect()
    link.send(
        "hello",
        {
            "app": "har_live",
            "model": model.meta["name"],
            "sha256": model.meta["sha256"],
            "classes": model.classes,
            "features_id": FEATURES_ID,
            "window": windower.window,
            "hop": windower.hop,
            "rate_hz": sensor.rate_hz,
            "channels": trained["channels"],
            "units_per_lsb": trained.get("units_per_lsb"),
            "channel_units": trained.get("channel_units"),
            "sensor": settings["sensor"],
            "heap_free": gc.mem_free(),
        },
    )

    end_us = int(settings["seconds"] * 1000000)
    recording = None
    n_samples = n_predictions = 0
    while not sensor.ended and link.command() != "stop":
        if end_us and link.now_us() >= end_us:
            break
        n = sensor.read_into(block)
        if not n:
            time.sleep_ms(1)
            continue
        if sensor.recording != recording:
            recording = sensor.recording
            windower.reset()
        if blocks:
            blocks.add(block, n)
        n_samples += n
        start = 0
        while start < n:
            start = windower.push(block, start, n)
            if windower.ready:
                predict(link, model, sensor, features, windower.data, n_samples - n + start)
                n_predictions += 1
    if blocks:
        blocks.flush()
    gc.collect()
    link.send(
        "bye",
        {
            "samples": n_samples,
            "predictions": n_predictions,
            "late": sensor.late,
            "records": link.seq + 1,
            "heap_free": gc.mem_free(),
        },
    )


def predict(link, model, sensor, features, window, at):
    """One answer; `at` counts the samples since the start, up to the end of the window."""
    t0 = time.ticks_us()
    row = features.compute(window)
    t1 = time.ticks_us()
    index = model.predict(row)
    t2 = time.ticks_us()
    link.send(
        "prediction",
        {
            "label": model.classes[index],
            "class": index,
            "outputs": list(model.outputs),
            "feature_us": time.ticks_diff(t1, t0),
            "us": time.ticks_diff(t2, t1),
            "at": at,
            "recording": sensor.recording,
            "truth": truth_of(sensor.label, model.classes),
        },
    )


def truth_of(label, classes):
    """The class that a recording's label means (file names are in small letters), or the label."""
    for name in classes:
        if label is not None and str(name).lower() == label.lower():
            return name
    return label
