"""Samples of a stream to this laptop's disk as they come; a crash loses a second at most."""

from __future__ import annotations

import queue
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..errors import DataError, WorkshopError
from ..paths import recordings_folder
from ..text import counted
from .recorder_writer import KINDS, Entry, MarkLabel, Writer
from .records import Gap, Item, Record

if TYPE_CHECKING:
    from ..recordings import Recording
    from .stream import Stream


class Recorder:
    """Records what a stream sends; a context manager that ends with a whole recording.

        with Recorder(board.stream("recorder"), "my_recordings") as recorder:
            recorder.label("walking")
            recorder.wait(10)
        recorder.recording

    A stream that has not started yet is started and stopped by the `with`, and recorded whole; of
    one that runs already, what comes from now on is.

    The stream's reading thread only puts records into a bounded queue. A thread of the recorder's
    own writes them, and brings them down to the disk twice a second: a killed process loses no more
    than that, and `datasets.load` makes a recording of the rest. What the board could not deliver,
    or this laptop could not write in time, is a gap in the recording, with its length.

    Args:
        stream: started or not; its app sends records "samples" and says rate and channels in its
            "hello".
        folder: a name under the learner's recordings (`notebooks/recordings`), or a path.
        label: what happens from the first sample on; None for no label yet.
        person, session: for a split by groups, later.
        queue_records: how many records may wait for the disk.
    """

    def __init__(
        self,
        stream: Stream,
        folder: Path | str = "my_recordings",
        *,
        label: str | None = None,
        person: str | None = None,
        session: str | None = None,
        queue_records: int = 2000,
    ) -> None:
        self.folder = recordings_folder(folder)
        self._stream = stream
        self._queue: queue.Queue[Entry | None] = queue.Queue(queue_records)
        self._recording: Recording | None = None
        self._closing = False
        self._owns_stream = False
        self._dropped = 0
        about = {
            "began": datetime.now(UTC).isoformat("T", "seconds"),
            "source": "stream",
            "person": person,
            "session": session,
        }
        self._writer = Writer(self.folder, label, about, self._queue, stream.hello)
        self._thread = threading.Thread(target=self._writer.run, name="recorder", daemon=True)
        self._thread.start()
        stream.subscribe(self._take)

    def __repr__(self) -> str:
        return f"<Recorder {self.folder.name}: {self.status()}>"

    # --- while it runs ----------------------------------------------------------------------
    @property
    def n_samples(self) -> int:
        """Samples written so far."""
        return self._writer.n_samples

    @property
    def error(self) -> WorkshopError | None:
        """Why nothing more is written, if so; what came before is kept."""
        return self._writer.error

    @property
    def recording(self) -> Recording | None:
        """The recording, once it is closed; None if no sample came."""
        return self._recording

    def status(self) -> str:
        """One line: how long, which label, what was lost."""
        writer = self._writer
        text = f"{writer.seconds:.1f} s recorded"
        text += f", label {writer.current_label}" if writer.current_label else ", no label"
        if writer.n_gaps:
            text += f", {counted(writer.n_gaps, 'gap')} ({counted(writer.n_lost, 'sample')} lost)"
        if self._dropped:
            text += f", {self._dropped} records too many for this disk"
        return text

    def label(self, text: str | None) -> None:
        """From now on this is what happens; None: nothing that has a name.

        An app that takes labels is told, and answers with the sample from which it holds; else it
        holds from the next sample that arrives here. An app that began again, since the board was
        away, knows no label any more: say it anew.
        """
        if text is not None and not (isinstance(text, str) and text.strip()):
            raise DataError("A label is a text that is not empty.", 'Write it like "walking".')
        text = text.strip() if text else None
        if text and self._told(text):
            return
        self._put(MarkLabel(text))

    def wait(self, seconds: float) -> None:
        """Let it record for so long, or until the app ends. Raises what stops the recording."""
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0 and not self._stream.ended:
            if self.error:
                raise self.error
            time.sleep(min(0.05, left_s))

    # --- its end ----------------------------------------------------------------------------
    def close(self) -> Recording | None:
        """End the recording and return it; None if no sample came. A second time does nothing.

        Raises:
            DataError: the disk was full, or the app's records can't be recorded. What was written
                until then is whole: `datasets.load` has it.
        """
        if not self._closing:
            self._closing = True
            self._queue.put(None)
            self._thread.join()
            self._recording = self._writer.recording
            if self.error:
                raise self.error
        return self._recording

    def __enter__(self) -> Recorder:
        if not self._stream.started:
            try:
                self._stream.start()
            except BaseException:
                self.close()
                raise
            self._owns_stream = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._owns_stream:
                self._stream.__exit__(kind, error, trace)
        finally:
            try:
                self.close()
            except WorkshopError:
                if error is None:
                    raise

    # --- in the stream's reading thread -----------------------------------------------------
    def _take(self, item: Item) -> None:
        if isinstance(item, Gap) or (isinstance(item, Record) and item.kind in KINDS):
            self._put(item)

    def _put(self, item: Entry) -> None:
        if self._closing:
            return
        try:
            self._queue.put_nowait(item)
        except queue.Full:  # the next block tells how many samples are missing
            self._dropped += 1

    def _told(self, text: str) -> bool:
        """Whether the app on the board took the label."""
        hello = self._stream.hello
        if hello is None or "label" not in (hello.get("commands") or ()):
            return False
        try:
            self._stream.label(text)
        except WorkshopError:
            return False
        return True
