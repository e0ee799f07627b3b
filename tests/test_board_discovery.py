"""Which port is the board, on lists as Linux, macOS and Windows give them."""

from dataclasses import replace

import pytest

from workshop_helpers.board import Board, session, transport
from workshop_helpers.board.discovery import PortRecord, choose, follow, rank
from workshop_helpers.board.no_prompt import no_prompt
from workshop_helpers.board.port import SilenceError
from workshop_helpers.board.virtual import VirtualBoard
from workshop_helpers.errors import ManyBoardsError, NoBoardError, NoPromptError

PICO = PortRecord(
    "/dev/ttyACM0", "Board in FS mode - Board CDC", 0x2E8A, 0x0005, "e6614c", "1-2:1.0"
)
ESP32 = PortRecord("/dev/ttyUSB0", "CP2102N USB to UART", 0x10C4, 0xEA60, "0001", "1-3")
CH340 = PortRecord("/dev/ttyUSB1", "USB Serial", 0x1A86, 0x7523, None, "1-4")
ESP32_S3 = PortRecord("/dev/ttyACM1", "USB JTAG/serial debug unit", 0x303A, 0x1001, "AA:BB", "1-5")
LINUX_ONBOARD = [PortRecord(f"/dev/ttyS{i}", "n/a") for i in range(4)]
LINUX_MODEM = PortRecord("/dev/ttyUSB2", "LTE Modem", 0x2C7C, 0x0125, None, "1-6")
MACOS = [
    PortRecord("/dev/cu.Bluetooth-Incoming-Port", "n/a"),
    PortRecord("/dev/cu.debug-console", "n/a"),
    PortRecord("/dev/cu.wlan-debug", "n/a"),
]
MACOS_NANO = PortRecord(
    "/dev/cu.usbmodem1101", "Nano 33 BLE Sense", 0x2341, 0x025A, "AB12", "0-1.1"
)
WINDOWS = [
    PortRecord("COM3", "Standard Serial over Bluetooth link (COM3)"),
    PortRecord("COM4", "Standard Serial over Bluetooth link (COM4)"),
    PortRecord("COM1", "Intel(R) Active Management Technology - SOL (COM1)", 0x8086, 0x1E3D),
]
WINDOWS_ESP = PortRecord(
    "COM12", "Silicon Labs CP210x USB to UART Bridge (COM12)", 0x10C4, 0xEA60, "0001"
)


@pytest.mark.parametrize(
    ("ports", "device"),
    [
        ([*LINUX_ONBOARD, LINUX_MODEM, ESP32], "/dev/ttyUSB0"),
        ([ESP32, CH340, PICO], "/dev/ttyACM0"),
        ([ESP32, ESP32_S3], "/dev/ttyACM1"),
        ([*MACOS, MACOS_NANO], "/dev/cu.usbmodem1101"),
        ([*WINDOWS, WINDOWS_ESP], "COM12"),
    ],
)
def test_the_board_is_found(ports, device):
    assert choose(rank(ports)).device == device


@pytest.mark.parametrize(
    "ports",
    [
        [],
        LINUX_ONBOARD,
        MACOS,
        WINDOWS,
        [LINUX_MODEM],
        [PortRecord("/dev/ttyACM0", "u-blox GNSS receiver", 0x1546, 0x01A8)],
        [PortRecord("/dev/ttyACM0", "3D printer", 0x27B1, 0x0001)],
        [PortRecord("/dev/ttyACM0", "Debug Probe", 0x2E8A, 0x000C)],
    ],
)
def test_nothing_is_chosen_where_there_is_no_board(ports):
    assert choose(rank(ports)) is None


def test_two_equally_good_boards_are_listed_and_none_is_chosen():
    with pytest.raises(ManyBoardsError) as caught:
        choose(rank([ESP32, CH340]))
    assert caught.value.data["ports"] == ["/dev/ttyUSB0", "/dev/ttyUSB1"]
    assert "/dev/ttyUSB1" in str(caught.value)


def test_two_ports_of_one_board_are_one_board():
    second = PortRecord("/dev/ttyACM10", "Board CDC2", 0x2E8A, 0x0005, "e6614c", "1-2:1.2")
    assert choose(rank([second, PICO])).device == "/dev/ttyACM0"


def test_two_boards_without_serial_numbers_are_told_apart_by_their_place():
    other = PortRecord("/dev/ttyUSB3", "USB Serial", 0x1A86, 0x7523, None, "1-7")
    with pytest.raises(ManyBoardsError):
        choose(rank([CH340, other]))


def test_ports_are_counted_not_spelled():
    devices = [record.device for record in rank([PortRecord("COM10"), PortRecord("COM9")])]
    assert devices == ["COM9", "COM10"]


def moved(port: PortRecord, device: str, **changes: object) -> PortRecord:
    return replace(port, device=device, **changes)


@pytest.mark.parametrize(
    ("before", "now", "device"),
    [
        (PICO, [PICO, ESP32], "/dev/ttyACM0"),
        (PICO, [ESP32, moved(PICO, "/dev/ttyACM1", location="1-7:1.0")], "/dev/ttyACM1"),
        (MACOS_NANO, [*MACOS, moved(MACOS_NANO, "/dev/cu.usbmodem2101")], "/dev/cu.usbmodem2101"),
        (WINDOWS_ESP, [*WINDOWS, moved(WINDOWS_ESP, "COM13")], "COM13"),
        # Its old name was taken by another one of the kind meanwhile.
        (PICO, [moved(PICO, "/dev/ttyACM0", serial_number="e66999"), moved(PICO, "/dev/ttyACM1")],
         "/dev/ttyACM1"),
        # A board with two ports: the prompt was on the second.
        (moved(PICO, "/dev/ttyACM1", location="1-2:1.2"),
         [moved(PICO, "/dev/ttyACM2"), moved(PICO, "/dev/ttyACM3", location="1-2:1.2")],
         "/dev/ttyACM3"),
    ],
)  # fmt: skip
def test_a_board_is_followed_to_its_new_name(before, now, device):
    assert follow(before, now) == device


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (None, [PICO]),  # an address or a PTY: USB says nothing of it
        (PICO, []),
        (PICO, [moved(PICO, "/dev/ttyACM1", serial_number="e66999")]),  # another one of the kind
        (PICO, [moved(PICO, "/dev/ttyACM1", pid=0x0003)]),  # in its boot loader: no prompt there
        (CH340, [moved(CH340, "/dev/ttyUSB5")]),  # such a chip has no number
        # Two chips to which the factory gave one number: nobody can tell.
        (ESP32, [moved(ESP32, "/dev/ttyUSB1"), moved(ESP32, "/dev/ttyUSB2", location="1-4")]),
    ],
)
def test_what_can_not_be_told_is_not_followed(before, now):
    assert follow(before, now) is None


# --- what to press ----------------------------------------------------------------------------
def test_the_buttons_are_those_of_the_board_at_this_port():
    error = no_prompt("/dev/ttyACM0", b"", 5.0, (0xF055, 0x9800))
    assert "Nothing came back from /dev/ttyACM0 within 5 s." in error.what
    assert "Pyboard v1.1: Press RST. If that changes nothing, BOOT: Connect 3V3" in error.mend
    assert "`workshop flash --list`" in error.mend and "\n" not in error.mend


def test_boards_of_one_identity_are_told_apart_by_their_buttons():
    error = no_prompt("/dev/ttyACM0", b"rubbish", 5.0, (0x2E8A, 0x0005))
    assert "Unplug the board and plug it in again." in error.mend
    assert "XIAO RP2040: Press RESET (R)." in error.mend and "It said: rubbish" in error.what


def test_in_the_boot_loader_only_the_reset_is_said():
    error = no_prompt("x", b"waiting for download", 5.0, (0x303A, 0x1001))
    assert "boot loader" in error.mend and "Press RESET (EN)." in error.mend
    assert "Hold BOOT" not in error.mend
    assert "press RESET without holding BOOT" in no_prompt("x", b"waiting for download", 1).mend


def test_a_serial_chip_is_on_too_many_boards():
    assert no_prompt("x", b"", 5.0, (0x10C4, 0xEA60)).mend == NoPromptError.default_mend
    assert no_prompt("x", b"", 5.0).mend == NoPromptError.default_mend


def test_who_connects_is_told_the_buttons(monkeypatch, virtual_board):
    listed = moved(PICO, virtual_board.port)
    monkeypatch.setattr(transport, "find_port", lambda name: listed)
    monkeypatch.setattr(transport.BoardTransport, "enter_raw_repl", never)
    with pytest.raises(NoPromptError) as caught:
        Board(virtual_board.port, timeout_s=0.5)
    assert "Hold BOOTSEL and plug it in again." in caught.value.mend


def never(self, **options):
    raise SilenceError


def test_reconnect_goes_after_the_board(monkeypatch):
    """Two virtual boards stand for one that comes back elsewhere; the list of ports is made up.

    On sockets: the system gives the name of a PTY that is gone to the next program that asks.
    """
    socket = {"transport": "socket"}
    with VirtualBoard(**socket) as first, VirtualBoard(**socket) as second:
        listed = [moved(PICO, first.port)]
        monkeypatch.setattr(session, "list_ports", lambda: listed)
        monkeypatch.setattr(
            session, "find_port", lambda name: next(p for p in listed if p.device == name)
        )
        with Board(first.port) as board:
            first.close()
            with pytest.raises(NoBoardError):
                listed[:] = []
                board.reconnect(timeout_s=0.5)
            listed[:] = [moved(PICO, second.port)]
            board.reconnect(timeout_s=20)
            assert board.port == second.port and board.eval("1 + 1") == 2
