"""The doctor at ports and at boards that misbehave."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from virtual_board_port import Port

from workshop_helpers.board.discovery import PortRecord, rank
from workshop_helpers.board.virtual import Faults, VirtualBoard
from workshop_helpers.doctor import DoctorReport, ports
from workshop_helpers.doctor import board as board_checks
from workshop_helpers.doctor.ports import check_ports


# --- each port --------------------------------------------------------------------------------
@pytest.fixture
def pico(monkeypatch, tmp_path):
    """A file in the place of a port, listed as a Pico's: a PTY's name is used again, and another
    program may look for its old board there."""
    port = tmp_path / "ttyACM0"
    port.touch()
    listed = rank([PortRecord(str(port), "x", 0x2E8A, 0x0005, "E6614103E7452F2F")])
    monkeypatch.setattr(ports, "list_ports", lambda: listed)
    monkeypatch.delenv("WORKSHOP_PORT", raising=False)
    return str(port)


def test_a_port_that_is_free_is_named(pico):
    check = list(check_ports())[1]
    assert check.ok and check.mend is None and "(2e8a:0005); you may open it" in check.found
    assert check.facts["holder"] is None and "E6614103E7452F2F" not in repr(check)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_holder_of_a_port_is_named(pico):
    with open(pico):
        assert "this program has it open" in list(check_ports())[1].found
    code = "import sys\nport = open(sys.argv[1])\nprint('open', flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", code, pico], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        check = list(check_ports())[1]
        other = list(check_ports("COM5"))[1]
        process.stdin.close()
    assert not check.ok and f"(process {process.pid}) has it open" in check.found
    assert check.code == "PORT_BUSY" and other.ok and other.sign == "!"


def test_modem_manager_on_a_port_is_called_so(pico, monkeypatch):
    monkeypatch.setattr(ports, "holder", lambda port: (4711, "ModemManager"))
    check = list(check_ports())[1]
    assert not check.ok and check.code == "MODEM_MANAGER" and "systemctl stop" in check.mend


def test_a_port_that_may_not_be_opened(pico, monkeypatch):
    monkeypatch.setattr(ports, "_may_open", lambda port: False)
    check = list(check_ports())[1]
    assert not check.ok and check.code == "PORT_PERMISSION" and pico in check.mend


# --- the board --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fault", "name", "code", "sign"),
    [
        ("no-flash", "flash", "NO_FILE_SYSTEM", "✘"),
        ("flash-broken", "flash", "FILE", "✘"),
        ("flash-full", "flash", "FLASH_FULL", "✘"),
        ("heap-fragmented", "heap", "DEVICE_MEMORY", "!"),
        ("wrong-abi", "native code", "MODULE_ARCH", "✘"),
        ("wrong-arch", "first inference", "MODULE", "!"),
    ],
)
def test_a_board_that_misbehaves(fault, name, code, sign):
    with VirtualBoard(faults=Faults.named(fault), flash_size_bytes=256 * 1024) as virtual:
        checks = {check.name: check for check in board_checks.check_board(virtual.port)}
    assert (checks[name].code, checks[name].sign) == (code, sign), checks[name]
    assert checks[name].mend


@pytest.mark.parametrize("fault", ["main-loops", "main-floods", "main-sleeps"])
def test_of_a_main_that_was_running_it_says_that_it_is_stopped(fault):
    with VirtualBoard(faults=Faults.named(fault)) as virtual:
        check = next(board_checks.check_board(virtual.port))
        again = next(board_checks.check_board(virtual.port))
    assert check.ok and check.sign == "!" and "main.py was running and is stopped" in check.found
    assert "RESET" in check.mend and check.facts["interrupted"] == "main.py"
    assert json.loads(json.dumps(vars(check)))["found"] == check.found
    assert again.sign == "✔" and again.facts["interrupted"] is None


def test_of_another_program_that_was_running_it_says_so_too():
    with VirtualBoard() as virtual:
        with Port(virtual.port) as port:
            port.raw()
            port.write(b"def f():\n while True: pass\nf()\n\x04")
            port.read_until(b"OK")
        check = next(board_checks.check_board(virtual.port))
    assert check.sign == "✔" and "a program was running and is stopped" in check.found
    assert check.facts["interrupted"] == "a program"


def test_old_firmware_with_a_main_is_both(monkeypatch):
    monkeypatch.setattr("workshop_helpers.firmware.image.OLDEST", (9, 0))
    with VirtualBoard(faults=Faults.named("main-loops")) as virtual:
        check = next(board_checks.check_board(virtual.port))
    assert check.code == "OLD_FIRMWARE" and "collection. main.py was running" in check.found
    assert "MicroPython 9.0" in check.mend


@pytest.mark.parametrize("fault", ["unplug=6000", "disconnect=6000"])
def test_of_a_board_that_is_gone_nothing_more_is_asked(fault):
    with VirtualBoard(faults=Faults.named(fault), transport="socket") as virtual:
        checks = list(board_checks.check_board(virtual.port))
    assert checks[0].ok and [c.code for c in checks].count("BOARD_GONE") == 1
    assert checks[-1].code == "BOARD_GONE" and checks[-1].name != "first inference"


def test_modules_are_named_with_whose_they_are(own_board):
    board = own_board()
    board.install("emlearn_trees", source="plain")
    check = board_checks.check_modules(board)
    assert check.ok and "emlearn_trees: workshop plain, SHA-256 " in check.found
    assert len(check.facts["modules"][0]["sha256"]) == 64
    board.put(b"M\6\0\x1f" + bytes(range(60)), "/lib/emlearn_trees.mpy")  # to run it may kill
    check = board_checks.check_modules(board)
    assert check.sign == "!" and "unknown" in check.found and "board.install(" in check.mend
    board.install("emlearn_trees", source="plain")
    board.put(b"x = 1\n", "/emlearn_trees.py")
    check = board_checks.check_modules(board)
    assert (
        not check.ok and "Wrong: emlearn_trees (the board imports /emlearn_trees.py" in check.found
    )


def test_what_is_found_on_a_board_is_json(board):
    checks = board_checks.check_board(board)
    facts = json.loads(json.dumps(DoctorReport(list(checks)).as_dict()))
    assert {"arch", "heap_free_bytes"} <= set(facts["checks"][0]["facts"]) and facts["ok"]


def test_old_firmware_is_said(board, monkeypatch):
    monkeypatch.setattr("workshop_helpers.firmware.image.OLDEST", (9, 0))
    check = board_checks.check_prompt(board)
    assert not check.ok and check.code == "OLD_FIRMWARE" and "MicroPython 9.0" in check.mend
