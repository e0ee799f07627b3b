"""`Board`: one object for one board, and everything a notebook asks of it."""

from __future__ import annotations

import codecs
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .. import paths
from ..errors import BoardError, FileError
from . import files
from .answers import from_literal, literal
from .commands import repl_command
from .files import DeviceFile, PutReport
from .info import BoardInfo, read_info
from .progress import ProgressOption
from .running import Running
from .session import Session
from .snippets import ask, ask_file, hard_reset
from .transport import BoardTransport

if TYPE_CHECKING:
    from ..model.deploy import DeployReport
    from ..modules.install import InstalledModule
    from ..stream import Stream
    from .virtual import VirtualBoard


class Board:
    """A MicroPython board on a port. Made by `connect`; a context manager.

    Any thread may use it: uses wait for each other. While a program runs (`start`, `stream`) every
    other use raises BoardError. Every method may raise BoardGoneError (then `reconnect`).
    """

    def __init__(
        self, port: str, *, timeout_s: float = 10.0, virtual: VirtualBoard | None = None
    ) -> None:
        self.virtual = virtual
        self._info: BoardInfo | None = None
        self._session = Session(port, timeout_s, virtual)

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "" if self._session.is_open else ", closed"
        kind = "virtual board" if self.is_virtual else "board"
        name = f": {self._info.name}" if self._info else ""
        return f"<{kind} on {self.port}{name}{state}>"

    @property
    def port(self) -> str:
        """Its port; another one after `reconnect` followed it."""
        return self._session.port

    @property
    def is_virtual(self) -> bool:
        return self.virtual is not None

    @property
    def info(self) -> BoardInfo:
        """What the board is and has; kept until something changes it (a copy, a reset)."""
        with self._session.use() as transport:
            if self._info is None:
                self._info = read_info(transport)
            return self._info

    @property
    def interrupted(self) -> str | None:
        """What ran when the port was opened, and was stopped: "main.py", "boot.py" or "a program".

        None for nothing, or for a program that catches KeyboardInterrupt and says nothing.
        """
        with self._session.use() as transport:
            return transport.interrupted

    # --- code ----------------------------------------------------------------------------------
    def exec(
        self, code: str, *, timeout_s: float = 10.0, on_output: Callable[[str], None] | None = None
    ) -> str:
        """Run code, wait for its end, return what it printed.

        Neither the code nor the text is checked on its way, and a serial line has no checksum: over
        a bad cable either may differ by some bytes. `eval`, `call`, `put` and `get` are checked.
        `on_output` gets the text as it comes. Raises DeviceError (with the traceback),
        BoardTimeoutError after `timeout_s` (the program is interrupted, the board usable).
        """
        consume = None
        if on_output is not None:
            show, decoder = on_output, codecs.getincrementaldecoder("utf-8")("replace")

            def consume(data: bytes) -> None:
                show(decoder.decode(data).replace("\r\n", "\n"))

        with self._session.use() as transport:
            output = transport.run(code, timeout_s, consume)
        return output.decode("utf-8", "replace").replace("\r\n", "\n")

    def eval(self, expression: str, *, timeout_s: float = 10.0) -> Any:
        """The value of an expression, if it is a Python literal; else BadAnswerError."""
        with self._session.use() as transport:
            return from_literal(ask(transport, "eval", expression, timeout_s=timeout_s))

    def call(self, function: str, *args: object, timeout_s: float = 10.0) -> Any:
        """Call "module.function" on the board with literals; its answer comes back as JSON.

        So tuples come back as lists, and bytes and arrays as lists of numbers. What the function
        prints is dropped. Raises TypeError for other arguments, DeviceError, BadAnswerError.
        """
        module, found, name = function.rpartition(".")
        if not found or not all(part.isidentifier() for part in function.split(".")):
            raise BoardError(
                f"{function!r} is not the name of a function in a module.",
                "Write it as 'module.function'.",
            )
        literal(args)  # a wrong argument is the caller's TypeError, before anything is sent
        with self._session.use() as transport:
            return ask(transport, "call", module, name, args, timeout_s=timeout_s)

    def call_file(self, file: Path, function: str, *args: object, timeout_s: float = 10.0) -> Any:
        """Send a file of this computer and call a function of it; else as `call`.

        Nothing stays on the board.
        """
        with self._session.use() as transport:
            return ask_file(transport, file, function, *args, timeout_s=timeout_s)

    def start(self, code: str, *, name: str = "a program", check: bool = False) -> Running:
        """Start a program and return at once; the board is busy until it ends or is stopped.

        With `check` it only runs if it arrived whole, else it raises ValueError on the board; that
        takes heap, twice its length.
        """
        return self._session.start(code, name, check)

    def run(self, code_or_app: str, *, timeout_s: float = 60.0) -> str:
        """Run an app of `device_scripts/apps` by its name, or a .py file, to its end."""
        path = Path(code_or_app)
        if not code_or_app.endswith(".py"):
            path = paths.DEVICE_SCRIPTS / "apps" / f"{code_or_app}.py"
        if not path.is_file():
            apps = sorted(file.stem for file in (paths.DEVICE_SCRIPTS / "apps").glob("*.py"))
            raise FileError(
                f"There is no app {code_or_app!r}.", f"There are: {', '.join(apps)}; or a .py file."
            )
        return self.exec(path.read_text(encoding="utf-8"), timeout_s=timeout_s)

    # --- files ---------------------------------------------------------------------------------
    def ls(self, path: str = "/", recursive: bool = False) -> list[DeviceFile]:
        """The entries of a directory, sorted. Raises FileError, NoFileSystemError."""
        with self._session.use() as transport:
            return files.list_files(transport, files.absolute(path), recursive)

    def exists(self, path: str) -> bool:
        """Whether there is a file or directory of this name."""
        with self._session.use() as transport:
            return files.exists(transport, files.absolute(path))

    def mkdir(self, path: str) -> None:
        """Make a directory and its parents; fine if it is there. Raises FileError."""
        with self._changed() as transport:
            files.make_dirs(transport, files.absolute(path))

    def rm(self, path: str, recursive: bool = False) -> None:
        """Remove a file or an empty directory; with `recursive` a directory and all in it."""
        with self._changed() as transport:
            files.remove(transport, files.absolute(path), recursive)

    def put(
        self, source: Path | str | bytes, path: str, *, progress: ProgressOption = False
    ) -> PutReport:
        """Copy a host file, or bytes, to `path` (or into the directory `path`) on the board.

        Whole or not at all: a temporary name, SHA-256 on the board, then the real name. A file that
        is there already is skipped; missing directories are made. `progress`: True shows a bar, a
        callback gets (done_bytes, total_bytes). Raises FlashFullError before the first byte is
        sent, NoFileSystemError, TransferError, FileError.
        """
        with self._changed() as transport:
            return files.put(transport, source, path, progress)

    def get(
        self, path: str, target: Path | str | None = None, *, progress: ProgressOption = False
    ) -> bytes:
        """The content of a file on the board, checked by SHA-256; also written to `target`."""
        with self._session.use() as transport:
            return files.get(transport, path, None if target is None else Path(target), progress)

    # --- the workshop's own work ---------------------------------------------------------------
    def install(
        self, name: str, *, source: Any = "auto", mirror: str | None = None
    ) -> InstalledModule:
        """Install a native module. See `workshop_helpers.modules.install`."""
        from ..modules.install import install

        return install(self, name, source=source, mirror=mirror)

    def deploy(self, model: Any = None, app: str | None = None, **config: Any) -> DeployReport:
        """Put modules, model, app and its libraries on the board. See `model.deploy.deploy`."""
        from ..model.deploy import deploy

        return deploy(self, model, app, **config)

    def stream(self, app: str | None = None, **config: Any) -> Stream:
        """Start an app and read its records. See `workshop_helpers.stream.open_stream`."""
        from ..stream import open_stream

        return open_stream(self, app, config)

    # --- resets and the connection -------------------------------------------------------------
    def soft_reset(self, *, timeout_s: float = 10.0) -> None:
        """Restart MicroPython: everything on the heap is gone; `main.py` does not run.

        Raises BoardTimeoutError, or BadAnswerError if what the board said was damaged on its way.
        """
        with self._changed() as transport:
            transport.soft_reset(timeout_s)

    def hard_reset(self, *, timeout_s: float = 15.0) -> None:
        """Reset the chip and connect again within `timeout_s`.

        `main.py` starts and is interrupted.
        """
        with self._changed() as transport:
            hard_reset(transport)
            self.reconnect(timeout_s)

    def interrupt(self, *, timeout_s: float = 5.0) -> None:
        """Stop whatever runs, also a program started with `start`, and get the prompt back."""
        running = self._session.running
        if running is not None:
            running.stop(timeout_s)
            return
        with self._session.use() as transport:
            transport.resynchronise(timeout_s)

    def reconnect(self, timeout_s: float = 10.0) -> None:
        """Open the port again, after the board was unplugged or reset.

        A board that came back under another port name is followed if its USB identity and serial
        number say for certain that it is the same; else connect to the new name.

        Raises NoBoardError, PortBusyError, NoPromptError if that does not work in time.
        """
        self._info = None
        self._session.reconnect(timeout_s)

    @contextlib.contextmanager
    def released(self, timeout_s: float = 10.0) -> Iterator[str]:
        """Give the port, its name, to another program for as long as the block lasts.

        `with board.released() as port: subprocess.run([..., "connect", port, ...])`. A virtual
        board runs on meanwhile. Raises what `reconnect` raises if the port does not come back.
        """
        self._info = None
        self._session.disconnect()
        try:
            yield self.port
        finally:
            self._session.reconnect(timeout_s)

    def repl_hint(self) -> str:
        """The command that opens this board's prompt in a terminal, after `close()`."""
        return repl_command(self.port)

    def close(self) -> None:
        """Stop what runs, release the port, close a virtual board that came with `connect`."""
        self._session.close()

    @contextlib.contextmanager
    def _changed(self) -> Iterator[BoardTransport]:
        """As the session's `use`, for what makes `info` out of date."""
        with self._session.use() as transport:
            self._info = None
            yield transport
