"""A model on a board, for verify and measure: put there, checked, run on blocks of rows."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import BadAnswerError, DeviceMemoryError, ModelFileError
from ..modules import install_for
from ..paths import DEVICE_SCRIPTS
from .deploy import put_model
from .device_model import DeviceModel

if TYPE_CHECKING:
    from ..board import Board

_LIBRARIES = ("model_store", "model_check")
_HEAP_SHARE = 32  # a block's text is held several times over while the board reads its source
_SMALLEST_BLOCK_BYTES, _LARGEST_BLOCK_BYTES = 96, 6144
_ROWS_TIMEOUT_S = 60.0


class DeviceSession:
    """Puts module, libraries and (unless `deploy` is False) the model on the board; loads it.

    Args:
        deploy: False leaves the model that is in /models/<name> as it is.

    Raises:
        ModelFileError: what is in /models/<name> takes other features or gives other outputs.
    """

    def __init__(self, board: Board, model: DeviceModel, *, deploy: bool = True) -> None:
        self._board = board
        self._model = model
        self.folder = f"/models/{model.name}"
        self.module = install_for(board, model)
        for name in _LIBRARIES:
            board.put(DEVICE_SCRIPTS / "lib" / f"{name}.py", f"/lib/{name}.py")
        if deploy:
            put_model(board, model)
        for name in _LIBRARIES:  # an older one may be in memory
            board.call_file(DEVICE_SCRIPTS / "board" / "import_anew.py", "_w_import_anew", name)

    def file_matches(self) -> bool:
        """Whether the board's data file is the model's, by SHA-256 computed on the board."""
        path = f"{self.folder}/{self._model.file}"
        source = DEVICE_SCRIPTS / "board" / "hash_file.py"
        found = self._board.call_file(source, "_w_hash_file", path, timeout_s=_ROWS_TIMEOUT_S)
        if found is None:
            found = hashlib.sha256(self._board.get(path)).hexdigest()
        return bool(found == self._model.sha256)

    def open(self) -> None:
        n_features, n_outputs, heap_free = self._board.call(
            "model_check.open_model", self.folder, timeout_s=_ROWS_TIMEOUT_S
        )
        host = self._model.host
        if (n_features, n_outputs) != (host.n_features, host.n_outputs):
            raise ModelFileError(
                f"Wrong file on the device: {self.folder} takes {n_features} features and gives "
                f"{n_outputs} outputs, this model {host.n_features} and {host.n_outputs}.",
                "Deploy the model again, or verify with deploy=True.",
            )
        row_bytes = max(2 * n_features, 4 * n_outputs) * 4 / 3
        budget = heap_free // _HEAP_SHARE
        budget = min(max(budget, _SMALLEST_BLOCK_BYTES), _LARGEST_BLOCK_BYTES)
        self.rows_per_block = max(1, int(budget / row_bytes))

    def run(
        self, values: npt.NDArray[np.int16], progress: Callable[[int, int], None]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """int16 [n, n_features] -> outputs float32 [n, n_outputs], answers int64 [n] (or empty).

        Every row runs on the board; `progress(done, total)` follows each block. A heap in crumbs
        may have no piece for a block: then blocks become smaller, down to one row.
        """
        outputs: list[npt.NDArray[np.float32]] = []
        answers: list[int] = []
        done = 0
        while done < len(values):
            block = values[done : done + self.rows_per_block]
            try:
                text, winners = self._board.call(
                    "model_check.run_rows", as_text(block), timeout_s=_ROWS_TIMEOUT_S
                )
            except DeviceMemoryError:
                if len(block) == 1:
                    raise
                self.rows_per_block = len(block) // 2
                continue
            outputs.append(self._read(text, len(block)))
            answers += winners or []
            done += len(block)
            progress(done, len(values))
        return np.concatenate(outputs), np.array(answers, dtype=np.int64)

    def close(self) -> None:
        self._board.call("model_check.close")

    def _read(self, text: str, rows: int) -> npt.NDArray[np.float32]:
        try:
            found = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f4")
            return found.reshape(rows, self._model.host.n_outputs).astype(np.float32)
        except (binascii.Error, ValueError, TypeError) as error:
            raise BadAnswerError(f"The board's outputs for {rows} rows are cut: {error}.") from None


def as_text(values: npt.NDArray[np.int16]) -> str:
    """Base64 of little-endian int16, row after row."""
    return base64.b64encode(values.astype("<i2").tobytes()).decode("ascii")
