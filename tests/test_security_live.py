"""Security by trying: servers that are reached, boards that lie, secrets that are looked for."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import sys

import pytest
from typer.testing import CliRunner

from workshop_helpers.board.virtual import VirtualBoard
from workshop_helpers.bundle.make import Wanted, make_bundle
from workshop_helpers.bundle.serve import BundleServer
from workshop_helpers.cli import app
from workshop_helpers.course.receivers import HttpReceiver, MqttBroker, MqttListener, secret
from workshop_helpers.doctor.laptop import check_bundle
from workshop_helpers.errors import DeviceError, WorkshopError
from workshop_helpers.firmware import PracticeChip
from workshop_helpers.health.private import without_private
from workshop_helpers.modules.lock import load_lock
from workshop_helpers.modules.official import fetch
from workshop_helpers.network import loopback_only
from workshop_helpers.text import printable

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m"
# Reaches a server that listens everywhere, and none that listens on 127.0.0.1.
SIDE_DOOR = "127.0.0.2"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such address")


# --- servers ----------------------------------------------------------------------------------
@contextlib.contextmanager
def bundle_server(tmp_path, host):
    make_bundle(tmp_path / "bundle", Wanted(boards=(), platforms=()))
    with BundleServer(tmp_path / "bundle", host, 0) as server:
        yield server.port


@contextlib.contextmanager
def receiver(tmp_path, host):
    with HttpReceiver(host) as server:
        yield server.port


@contextlib.contextmanager
def broker(tmp_path, host):
    with MqttBroker(host) as server:
        yield server.port


def reached(address: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, port), 2.0):
        return True
    return False


@LINUX
@pytest.mark.parametrize("serve", [bundle_server, receiver, broker])
def test_a_server_is_reached_from_elsewhere_only_if_told(serve, tmp_path):
    with serve(tmp_path, "127.0.0.1") as port:
        assert reached("127.0.0.1", port) and not reached(SIDE_DOOR, port)
    with serve(tmp_path, "0.0.0.0") as port:
        assert reached(SIDE_DOOR, port)  # so that the line above means something


@LINUX
def test_boards_and_practice_chips_are_on_the_loopback():
    with VirtualBoard(transport="socket") as board, PracticeChip() as chip:
        for address in (board.port, chip.port):
            port = int(address.rpartition(":")[2])
            assert "127.0.0.1" in address and not reached(SIDE_DOOR, port)


@pytest.mark.parametrize("server", [HttpReceiver, MqttBroker])
def test_a_receiver_for_the_room_says_so(server, capsys):
    with server():
        assert capsys.readouterr().out == ""
    with server("0.0.0.0"):
        assert "whoever is in these networks can reach it" in capsys.readouterr().out


@pytest.mark.parametrize("hangs_up", [True, False])
def test_a_broker_ends_although_somebody_connected_and_said_nothing(hangs_up):
    """Since Python 3.12, its server would wait for them."""
    with MqttBroker() as server, socket.create_connection((server.host, server.port), 2.0) as line:
        if hangs_up:
            line.close()
        server.close()
    assert not reached(server.host, server.port)


def test_what_is_the_loopback():
    assert all(map(loopback_only, ("127.0.0.1", "127.1.2.3", "localhost", "::1")))
    assert not any(map(loopback_only, ("0.0.0.0", "::", "", "192.168.1.2", "example.org")))


# --- boards that lie --------------------------------------------------------------------------
@pytest.mark.parametrize(
    "answer",
    ["__import__('os').system('touch owned')", "[].__class__", "open('owned','w')", "(" * 5000],
)
def test_what_a_board_answers_is_never_run(board, answer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    board.exec(f"class Liar:\n    def __repr__(self):\n        return {answer!r}\nliar = Liar()")
    with pytest.raises(WorkshopError):
        board.eval("liar")
    assert list(tmp_path.iterdir()) == []


def test_a_line_without_an_end_is_given_up(board):
    with pytest.raises(WorkshopError, match="printed more than"):
        board.eval("print('x' * 1000, end='') or [print('x' * 1000, end='') for _ in range(9999)]")
    assert board.eval("1 + 1") == 2


def test_a_module_that_writes_to_the_terminal_can_not(own_board):
    board = own_board()
    board.install("emlearn_trees", source="plain")
    board.put(f"raise ValueError({ESCAPES!r})".encode(), "/emlearn_trees.py")  # wins over it
    with board.released() as port:
        for command in (["modules", "verify"], ["doctor"]):
            done = CliRunner().invoke(app, [*command, "--port", port])
            assert "owned" in done.output and printable(done.output) == done.output, command


def test_an_error_is_plain_in_all_its_parts():
    error = DeviceError(ESCAPES, ESCAPES)
    for part in (error.what, error.mend, str(error), error.args[0]):
        assert part == printable(part) and "owned" in part


# --- secrets ----------------------------------------------------------------------------------
WORD = "hunter2-Zx9"


def test_a_password_comes_from_the_environment_or_is_asked_for(monkeypatch):
    monkeypatch.setenv("MQTT_PASSWORD", WORD)
    assert secret("MQTT_PASSWORD") == WORD
    monkeypatch.delenv("MQTT_PASSWORD")
    asked = []
    monkeypatch.setattr(
        "workshop_helpers.course.receivers.getpass", lambda text: asked.append(text) or WORD
    )
    assert secret("MQTT_PASSWORD") == WORD and asked == ["MQTT_PASSWORD: "]


def test_a_password_is_in_no_error_and_no_form():
    with MqttBroker() as broker:
        with MqttListener("127.0.0.1", broker.port, user="ada", password=WORD) as listener:
            assert WORD not in repr(listener) + repr(broker)
        gone = broker.port
    with pytest.raises(WorkshopError) as caught:
        MqttListener("127.0.0.1", gone, user="ada", password=WORD)
    assert WORD not in f"{caught.value} {caught.value.data} {caught.value!r}"


def test_a_login_in_an_address_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path))
    monkeypatch.setenv("WORKSHOP_MIRROR", f"http://ada:{WORD}@127.0.0.1/x")
    [check] = check_bundle()
    assert "http://127.0.0.1/x" in check.found and WORD not in f"{check.lines} {check.facts}"
    with pytest.raises(WorkshopError, match=r"http://127\.0\.0\.1/x") as caught:
        fetch(load_lock().modules["emlearn_trees"]["armv6m"])
    assert WORD not in f"{caught.value} {caught.value.args}"


def test_a_report_holds_no_planted_secret(tmp_path, monkeypatch):
    """Names, homes, Wi-Fi and passwords wherever the doctor might come across them."""
    planted = {
        "USER": "ada.lovelace",
        "USERNAME": "ada.lovelace",
        "COMPUTERNAME": "ANALYTICAL-ENGINE",
        "WIFI_SSID": "Ockham Park 5G",
        "WIFI_PASSWORD": WORD,
        "MQTT_PASSWORD": "difference engine!",
        "GITHUB_TOKEN": "tok_abcdef",
        "WORKSHOP_MIRROR": f"http://ada.lovelace:{WORD}@192.168.7.9:8765/difference engine!",
        "WORKSHOP_CACHE": str(tmp_path / "ada.lovelace" / "Ockham Park 5G"),
    }
    for name, value in planted.items():
        monkeypatch.setenv(name, value)
    file, port = tmp_path / "report.txt", f"/dev/ada.lovelace/cu.usbmodemE6614103E7452F2F{WORD}"
    done = CliRunner().invoke(app, ["doctor", "--port", port, "--report", str(file)])
    text = file.read_text(encoding="utf-8")
    assert done.exit_code == 1 and "✘ board" in text and " bundle: " in text
    for private in ("ada", "lovelace", "ANALYTICAL", "Ockham", "hunter2", "difference", "tok_"):
        assert private.lower() not in text.lower(), text
    assert "192.168.7.9" not in text and "E6614103E7452F2F" not in text


def test_switches_are_no_secrets(monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    monkeypatch.setenv("PASSES", "1024")
    assert without_private("false, 1024 bytes", []) == "false, 1024 bytes"


def test_json_says_that_it_keeps_what_is_private():
    done = CliRunner().invoke(app, ["doctor", "--port", "no such port", "--json"])
    assert json.loads(done.stdout.splitlines()[-1])["private"] == "kept"
    told = CliRunner().invoke(app, ["doctor", "--help"]).output
    assert re.search(r"--json\s+keeps\s+paths", told)


def test_a_secret_in_the_environment_does_not_get_into_a_notebook(tmp_path):
    """Outputs of a failing connection and of the doctor, as a learner would save them."""
    import nbformat
    from nbclient import NotebookClient

    code = (
        "import os\nos.environ['MQTT_PASSWORD'] = 'hunter2-' + 'Zx9'\n"
        "from workshop_helpers.doctor import doctor\nfrom workshop_helpers import connect\n"
        "print(doctor('/dev/no-such-port'))\nconnect('/dev/no-such-port')"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(
        notebook, timeout=90, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = json.dumps(notebook.cells[0].outputs)
    assert "NO_BOARD" in outputs and WORD not in outputs
