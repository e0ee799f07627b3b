"""Filters that people use, some of them hard, and signals for them."""

from __future__ import annotations

import numpy as np
from scipy import signal

# A-weighting at 16 kHz: double poles at 20.6 Hz.
A_WEIGHTING = [
    [1.0383002230320646, 0, 0, 1, -0.01664724243995959, 6.928267021369795e-05],
    [1, -2, 1, 1, -1.7070508390293027, 0.7174637059318595],
    [1, -2, 1, 1, -1.9838868447331497, 0.9839517531763131],
]


def filters() -> dict[str, np.ndarray]:
    """Name -> rows of b0 b1 b2 1 a1 a2, as of scipy.signal, rounded to float32."""
    made = {
        "A-weighting": A_WEIGHTING,
        "one section": signal.butter(2, 0.5, output="sos"),
        "low-pass": signal.butter(4, 0.01, output="sos"),
        "very low-pass": signal.butter(2, 0.001, output="sos"),
        "without DC": signal.butter(2, 0.0003, "high", output="sos"),
        "narrow": signal.butter(6, (0.1, 0.11), "bandpass", output="sos"),
        "narrow and low": signal.butter(4, (0.001, 0.002), "bandpass", output="sos"),
        "high-pass": signal.butter(8, 0.2, "high", output="sos"),
        "band-stop": signal.butter(3, (0.2, 0.3), "bandstop", output="sos"),
        "elliptic": signal.ellip(6, 0.1, 100, 0.05, output="sos"),
        "notch": signal.tf2sos(*signal.iirnotch(0.05, 100)),
        "gain": [[1e6, 0, 0, 1, 0, 0], [1e-9, 0, 0, 1, 0, 0]],
        "nothing": [[0, 0, 0, 1, 0, 0]],
        "sum": [[1, 0, 0, 1, -1, 0]],
    }
    return {name: np.array(sos, np.float32) for name, sos in made.items()}


def signals(n: int) -> dict[str, np.ndarray]:
    """Name -> float32 [n]."""
    noise = np.random.default_rng(n).normal(size=n)
    t = np.arange(n)
    made = {
        "zeros": 0.0 * t,
        "noise": noise,
        "sine": np.sin(0.05 * t),
        "slow sine": np.sin(0.002 * t),
        "offset": 1000 + noise,
        "impulse": (t == 5) * 1.0,
        "full scale": 32768 * np.sign(noise),
        "bursts": np.where(t // 500 % 2, 1e-4, 1e3) * noise,
        "silence": np.where(t < n // 4, 1e3 * noise, 0),
        "large": 1e25 * noise,
        "small": 1e-20 * noise,
    }
    return {name: x.astype(np.float32) for name, x in made.items()}


def expected(sos: np.ndarray, x: np.ndarray) -> np.ndarray:
    return signal.sosfilt(sos.astype(float), x.astype(float))
