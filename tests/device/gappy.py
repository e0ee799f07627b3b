"""A sensor that loses samples, for tests: replay, with an overrun before its sixth block."""

from sensors import replay


def open(config):
    return Gappy(replay.open(config))


class Gappy:
    def __init__(self, sensor):
        self._sensor = sensor
        self._blocks = 0
        self.overruns = 0

    def __getattr__(self, name):
        return getattr(self._sensor, name)

    def read_into(self, block):
        n = self._sensor.read_into(block)
        if n:
            self._blocks += 1
            if self._blocks == 6:
                self.overruns += 1
        return n
