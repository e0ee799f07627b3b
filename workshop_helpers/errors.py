"""Everything that can go wrong for a user, as exceptions with a code and a mend.

One root, so that `except WorkshopError` catches what the workshop knows about. Each class is one
kind of failure with one `code`; `mend` says in one line what to do about it. What a board said is
kept word for word in `device_traceback`.
"""

from __future__ import annotations

from typing import ClassVar

from .error_page import page_of, show_link
from .notebook import in_notebook
from .text import printable, without_login


class WorkshopError(Exception):
    """Something the workshop can explain.

    Args:
        what: one sentence that says what happened.
        mend: one line that says what to do; a class has a `default_mend`.
        device_traceback: the board's own traceback, word for word.
        data: facts a program may want (`port="COM5"`, `missing_bytes=1200`).
    """

    code: ClassVar[str] = "WORKSHOP"
    default_mend: ClassVar[str] = "Run `workshop doctor` and follow what it says."

    def __init__(
        self,
        what: str,
        mend: str | None = None,
        *,
        device_traceback: str | None = None,
        **data: object,
    ) -> None:
        # A board's words are data: shown, they must not move the cursor or colour the screen.
        self.what = printable(without_login(what))
        super().__init__(self.what)
        self.mend = printable(without_login(mend or self.default_mend))
        self.device_traceback = device_traceback
        self.data = data
        self._linked = False

    def __str__(self) -> str:
        text = f"{self.what}\n  What to do: {self.mend}  [{self.code}: {page_of(self.code)}]"
        if self.device_traceback:
            text += f"\n  The board said:\n{self.device_traceback.rstrip()}"
        return printable(text)

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in a notebook: the message, not forty lines of our own frames."""
        if in_notebook() and not self._linked:  # the kernel asks twice
            self._linked = True
            show_link(self.code)
        return [f"{type(self).__name__}: {self}"]


# --- set-up -----------------------------------------------------------------------------------
class SetupError(WorkshopError):
    """The laptop lacks something the workshop needs."""

    code = "SETUP"


# --- board: from the port to the prompt -------------------------------------------------------
class BoardError(WorkshopError):
    """Something between the port and the board's prompt."""

    code = "BOARD"


class NoBoardError(BoardError):
    """No such port, or nothing that looks like a board, and no virtual board either."""

    code = "NO_BOARD"
    default_mend = (
        "Plug the board in with a data cable; or use the virtual board: connect('virtual'), "
        "--port virtual."
    )


class ManyBoardsError(BoardError):
    """Several ports look equally like a board."""

    code = "MANY_BOARDS"
    default_mend = "Name the port: connect('/dev/ttyACM0'), --port /dev/ttyACM0."


class PortBusyError(BoardError):
    """Another program or notebook holds the port."""

    code = "PORT_BUSY"
    default_mend = "Close the other program or restart the other notebook's kernel, then try again."


class PortPermissionError(BoardError):
    """The operating system does not let this user open the port."""

    code = "PORT_PERMISSION"


class BoardGoneError(BoardError):
    """The board was unplugged or reset in the middle of something."""

    code = "BOARD_GONE"
    default_mend = "Plug it in again, then board.reconnect(), or run the command again."


class NoPromptError(BoardError):
    """Something answers on the port, or nothing does, but it is not a MicroPython prompt."""

    code = "NO_PROMPT"
    default_mend = "Press the board's RESET button and try again; if that fails, flash MicroPython."


class BoardTimeoutError(BoardError):
    """The board did not finish in time; it has been interrupted."""

    code = "BOARD_TIMEOUT"
    default_mend = "Give it more time with timeout_s=..., or make the job smaller."


class DeviceError(BoardError):
    """Code on the board raised an exception."""

    code = "DEVICE"
    default_mend = "Read the board's traceback below; the last line names the cause."


class DeviceMemoryError(DeviceError):
    """The board ran out of heap."""

    code = "DEVICE_MEMORY"
    default_mend = "board.soft_reset() frees everything; then load the model first, or shrink it."


class BadAnswerError(BoardError):
    """The answer is neither a literal nor JSON, or something was damaged on its way."""

    code = "BAD_ANSWER"
    default_mend = "board.soft_reset(), then try again; ask for numbers, strings, lists or dicts."


class UnknownBoardError(BoardError):
    """No such board in the catalogue."""

    code = "UNKNOWN_BOARD"


# --- firmware ---------------------------------------------------------------------------------
class FirmwareError(WorkshopError):
    """A board's firmware can't be found, read or written."""

    code = "FIRMWARE"


class FirmwareFileError(FirmwareError):
    """There is no firmware for this board at hand, or the file is not one."""

    code = "FIRMWARE_FILE"


class WrongChipError(FirmwareError):
    """The firmware was made for another chip than the one on the board; nothing was erased."""

    code = "WRONG_CHIP"
    default_mend = "Take the firmware for this board: `workshop flash --list` names it."


class OldFirmwareError(FirmwareError):
    """This MicroPython is too old for native modules."""

    code = "OLD_FIRMWARE"


class NoBootLoaderError(FirmwareError):
    """The board does not answer as a boot loader does, or its drive does not show."""

    code = "NO_BOOT_LOADER"


class FlashingError(FirmwareError):
    """Writing was cut short or what was written reads back otherwise."""

    code = "FLASHING"
    default_mend = "Run the same command again; if it fails again, use a shorter cable."


class FlashToolError(FirmwareError):
    """The program that writes this kind of board is not installed."""

    code = "FLASH_TOOL"


# --- files on the board -----------------------------------------------------------------------
class FileError(BoardError):
    """A file operation on the board failed."""

    code = "FILE"
    default_mend = "Check the path with board.ls()."


class NoFileSystemError(FileError):
    """The board has no file system mounted."""

    code = "NO_FILE_SYSTEM"
    default_mend = "Flash a firmware with a file system, or run code with board.exec()."


class FlashFullError(FileError):
    """The file does not fit in the free flash; nothing was written."""

    code = "FLASH_FULL"
    default_mend = "Remove files with board.rm(path); board.ls() shows their sizes."


class TransferError(FileError):
    """What arrived is not what was sent; the file under its real name is untouched."""

    code = "TRANSFER"
    default_mend = "Try again; if it fails again use a shorter cable or a lower baud rate."


# --- modules ----------------------------------------------------------------------------------
class ModuleError(WorkshopError):
    """A native module can't be built, found, or run on this board."""

    code = "MODULE"


class ModuleArchError(ModuleError):
    """There is no build of this module for the board's architecture or `.mpy` version."""

    code = "MODULE_ARCH"


class ModuleSmokeError(ModuleError):
    """The module was installed but failed its first prediction."""

    code = "MODULE_SMOKE"


class ModuleFetchError(ModuleError):
    """The official module can't be had, or what came is not the locked file."""

    code = "MODULE_FETCH"
    default_mend = "Connect to the network or give a mirror, or use source='workshop'."


class BundleError(WorkshopError):
    """An offline bundle can't be made, or is not whole."""

    code = "BUNDLE"


# --- models -----------------------------------------------------------------------------------
class ModelError(WorkshopError):
    """An estimator can't be converted, or a model can't be used like this."""

    code = "MODEL"


class UnsupportedEstimatorError(ModelError):
    """There is no conversion for this estimator."""

    code = "ESTIMATOR"


class FeatureError(ModelError):
    """The features have a wrong shape, type, range or scale for this model."""

    code = "FEATURES"


class ModelFileError(ModelError):
    """A model file is damaged or is not one."""

    code = "MODEL_FILE"


# --- streams and data -------------------------------------------------------------------------
class StreamError(WorkshopError):
    """A stream can't be started or went silent."""

    code = "STREAM"


class DataError(WorkshopError):
    """A recording or a data set can't be used as it is."""

    code = "DATA"


# --- course -----------------------------------------------------------------------------------
class CourseError(WorkshopError):
    """A notebook, an exercise or its solution is not as it should be."""

    code = "COURSE"
