"""How loud each frequency is, over time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...text import drawn
from ..history import History
from .panel import SIZE, Panel, short

COLUMNS = 240  # over the whole time axis; about two pixels each
_FLOOR_DB, _CEILING_DB = -100.0, -10.0
_FULL_SCALE = 32768.0
# A window of 30 ms for sound; slower signals need more periods than that to show a pitch.
_SOUND_FFT, _MIN_FFT, _MAX_FFT = 0.03, 32, 1024


class Spectrogram(Panel):
    """Short-time Fourier transform of the first channel's samples, in dB of full scale.

    Each sample is transformed once, when its block has come. A column is one transform, with a
    Hann window; 0 dB is a sine that fills int16. Lost blocks leave white columns.
    """

    name = "spectrogram"

    def __init__(self, axes: Any, history: History, window_s: float) -> None:
        super().__init__(axes, history, window_s)
        rate_hz = history.rate_hz
        self.n_fft = fft_size(rate_hz)
        self._hop = max(1, round(window_s * rate_hz / COLUMNS))
        self._window = np.hanning(self.n_fft + 1)[:-1].astype(np.float32)
        self._levels_db = np.full((self.n_fft // 2 + 1, COLUMNS), np.nan, dtype=np.float32)
        self._rest = np.empty(0, dtype=np.int16)
        self._seen = 0
        self._next_at: int | None = None
        self._newest_s = 0.0
        scale, unit = (1000, "kHz") if rate_hz >= 2000 else (1, "Hz")
        self._top = rate_hz / 2 / scale
        self._image = axes.imshow(
            self._levels_db, origin="lower", aspect="auto", interpolation="nearest",
            extent=(-window_s, 0, 0, self._top), cmap="viridis",
            vmin=_FLOOR_DB, vmax=_CEILING_DB, animated=True,
        )  # fmt: skip
        self.fast = [self._image]
        axes.set_ylabel(unit, fontsize=SIZE)
        channel = drawn(short(history.channels[0])) if history.channels else "signal"
        axes.set_title(
            f"{channel}: dark −{-_FLOOR_DB:.0f}, bright −{-_CEILING_DB:.0f} dB of full scale",
            loc="right", fontsize=SIZE, pad=4,
        )  # fmt: skip

    def update(self, now_s: float) -> bool:
        blocks, self._seen = self.history.blocks_since(self._seen)
        new: list[NDArray[np.float32]] = []
        for block in blocks:
            if self._next_at is not None and block.at is not None and block.at != self._next_at:
                new.append(self._hole(block.at - self._next_at))
            self._next_at = None if block.at is None else block.at + len(block.samples)
            self._rest = np.concatenate([self._rest, block.samples[:, 0]])
            new.append(self._columns())
            self._newest_s = block.t_s
        if new:
            self._levels_db = np.concatenate([self._levels_db, *new], axis=1)[:, -COLUMNS:]
            self._image.set_data(self._levels_db)
        ago_s = now_s - self._newest_s
        self._image.set_extent((-self.window_s - ago_s, -ago_s, 0, self._top))
        return False

    def _hole(self, samples: int) -> NDArray[np.float32]:
        """White columns for so many samples that never came."""
        self._rest = np.empty(0, dtype=np.int16)
        columns = min(COLUMNS, max(1, round(samples / self._hop)))
        return np.full((self.n_fft // 2 + 1, columns), np.nan, dtype=np.float32)

    def _columns(self) -> NDArray[np.float32]:
        """The transforms that the samples at hand allow, float32 [n_fft / 2 + 1, n]."""
        # A hop may be longer than a transform: only when its end has come the next may begin.
        n = max(0, (len(self._rest) - max(self.n_fft, self._hop)) // self._hop + 1)
        if n == 0:
            return np.empty((self.n_fft // 2 + 1, 0), dtype=np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(self._rest, self.n_fft)
        levels = levels_db(frames[:: self._hop][:n], self._window)
        self._rest = self._rest[n * self._hop :]
        columns: NDArray[np.float32] = levels.T
        return columns


def levels_db(frames: NDArray[np.int16], window: NDArray[np.float32]) -> NDArray[np.float32]:
    """Level of each frequency in dB of a full-scale sine, float32 [n, n_fft / 2 + 1].

    Args:
        frames: int16 [n, n_fft]; window: [n_fft].
    """
    spectrum = np.abs(np.fft.rfft(frames * window, axis=1)) * (2 / window.sum() / _FULL_SCALE)
    levels: NDArray[np.float32] = (20 * np.log10(np.maximum(spectrum, 1e-6))).astype(np.float32)
    return levels


def fft_size(rate_hz: float) -> int:
    """A power of two: about 30 ms for sound, and never under 32 samples."""
    wanted = np.clip(rate_hz * _SOUND_FFT, _MIN_FFT, _MAX_FFT)
    return int(2 ** round(float(np.log2(wanted))))
