"""Plays recordings through a model on the board and gives the class of each window.

Purpose: something to happen for outputs (pin, log, network), without a live stream beside them.
Runs under: MicroPython; needs a deployed har_live, its model and recordings.
Memory: one window, one row of features, the model.

    for index in play.classes("/models/watch", ["/recordings/walking.npy"], speed=10):
        pin.predicted(index)
"""

import time
from array import array

import model_store
from motion_features import MotionFeatures
from sensors import replay
from windower import Windower


def classes(folder, recordings, speed=0):
    """Class indices, one a window; `speed`: 1 is real time, 0 as fast as it goes."""
    model = model_store.load(folder)
    trained = model.meta["metadata"]
    sensor = replay.open(
        {"recordings": recordings, "rate_hz": trained["rate_hz"], "speed": speed, "loop": False}
    )
    windower = Windower(sensor.channels, trained["window"], trained["hop"])
    features = MotionFeatures(sensor.channels, trained["window"])
    block = array("h", bytes(2 * sensor.channels * trained["hop"]))
    recording = None
    while not sensor.ended:
        n = sensor.read_into(block)
        if sensor.recording != recording:
            recording = sensor.recording
            windower.reset()
        if not n:
            time.sleep_ms(1)
            continue
        start = 0
        while start < n:
            start = windower.push(block, start, n)
            if windower.ready:
                yield model.predict(features.compute(windower.data))
    sensor.close()
