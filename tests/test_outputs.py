"""What becomes of predictions: a pin, a log, HTTP, MQTT, BTHome and shares, each with the real
other side: servers, brokers, the published examples, both Pythons."""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from workshop_helpers.course import outputs as shown
from workshop_helpers.course.receivers import HttpReceiver, MqttBroker, MqttListener, secret
from workshop_helpers.energy import channels
from workshop_helpers.errors import CourseError, DeviceError
from workshop_helpers.features import HOP, WINDOW, device_module, extract
from workshop_helpers.paths import DEVICE_SCRIPTS
from workshop_helpers.text import rounded

LIB = DEVICE_SCRIPTS / "lib"
# The examples of https://bthome.io/format/, as far as they were found again: battery to voltage in
# WatchFlower's copy of its table, acceleration in a change of the page itself. For motion and
# vibration no example was found, only their ids and one byte each, in bthome-ble's list.
PUBLISHED = [
    ("battery", 97, "0161"),
    ("temperature", 25.06, "02CA09"),
    ("humidity", 50.55, "03BF13"),
    ("count", 96, "0960"),
    ("count16", 24585, "3D0960"),
    ("count32", 1611213866, "3E2A2C0960"),
    ("voltage", 3.074, "0C020C"),
    ("motion", 1, "2101"),
    ("vibration", 1, "2C01"),
    ("acceleration", 22.151, "518756"),
]


@pytest.fixture
def outputs(board):
    """The board with the output libraries in /lib, and cleared of what other tests wrote."""
    for name in ("pin_output", "csv_log", "class_shares", "bthome", "http_post", "mqtt_publisher"):
        board.put(LIB / f"{name}.py", "/lib/")
    return board


# --- BTHome -------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "value", "hex_bytes"), PUBLISHED, ids=lambda v: str(v)[:12])
def test_bthome_objects_as_published(name, value, hex_bytes):
    bthome = device_module("bthome")
    wanted = bytes.fromhex("D2FC40" + hex_bytes)
    assert bthome.service_data([(name, value)]) == wanted
    _, found = bthome.parse(bthome.advertisement(wanted))
    assert found == [(name, pytest.approx(value))]


def test_bthome_whole_advertisement_as_published():
    bthome = device_module("bthome")
    payload = bthome.service_data([("humidity", 50.55), ("temperature", 25)])
    assert payload.hex().upper() == "D2FC4002C40903BF13"  # in the order of their ids
    found = bthome.advertisement(payload, "DIY-sensor").hex().upper()
    assert found == "0201060B094449592D73656E736F720A16D2FC4002C40903BF13"
    assert bthome.parse(bytes.fromhex(found))[0] == "DIY-sensor"


def test_bthome_refuses_what_does_not_fit():
    bthome = device_module("bthome")
    with pytest.raises(ValueError, match="out of range"):
        bthome.service_data([("battery", 256)])
    with pytest.raises(ValueError, match="out of range"):
        bthome.service_data([("count", -1)])
    with pytest.raises(ValueError, match="31"):
        bthome.advertisement(bthome.service_data([("battery", 1)]), "a name that is far too long")
    for broken in (
        bytes.fromhex("020106"),
        bytes.fromhex("0416D2FC41"),
        b"\x05\x16\xd2\xfc\x40\x02",
        b"\x03\x16\xd2\xfc",
        b"\x02",
        b"",
    ):
        with pytest.raises(ValueError, match=r"BTHome|version|cut short"):
            bthome.parse(broken)
    assert bthome.parse(bthome.advertisement(bthome.service_data([("temperature", -3.5)])))[1] == [
        ("temperature", pytest.approx(-3.5))
    ]


def test_bthome_is_the_same_on_the_board(outputs):
    outputs.exec("import bthome, binascii")
    for name, value, _ in PUBLISHED:
        mine = device_module("bthome").service_data([(name, value)])
        text = outputs.exec(f"print(binascii.hexlify(bthome.service_data([({name!r}, {value})])))")
        assert mine.hex() in text


def test_energies_are_shown_without_powers_of_ten():
    texts = [rounded(mj) for mj in (0, 0.0292, 0.2, 1.0, 7.64, 18.2, 99.9, 196, 2574)]
    assert texts == ["0", "0.029", "0.20", "1.0", "7.6", "18", "100", "200", "2,600"]
    table = shown.costs(channels(4), {})._repr_html_()
    assert "e+0" not in table and ">660<" in table


def test_an_address_that_is_not_this_laptops_is_said():
    for server in (HttpReceiver, MqttBroker):
        with pytest.raises(CourseError, match=r"listen on 192\.0\.2\.1"):
            server("192.0.2.1")  # of no network: for documentation


# --- shares of classes --------------------------------------------------------------------------
def test_shares_are_within_their_error():
    shares = device_module("class_shares")
    counter = shares.ClassShares(4)
    for index, times in enumerate((1, 10, 0, 1789)):
        for _ in range(times):
            counter.predicted(index)
    packed = counter.pack()
    assert len(packed) == 4
    for found, times in zip(shares.unpack(packed), (1, 10, 0, 1789), strict=True):
        assert abs(found - times / 1800) <= shares.ERROR
    assert counter.total == 0 and counter.pack() == bytes(4)


def test_shares_on_the_board_and_without_taking_memory(outputs):
    outputs.exec(
        "import gc, class_shares; c = class_shares.ClassShares(3)\n"
        "def work():\n"
        "    for i in range(300): c.predicted(i % 2)\n"
        "work(); gc.collect(); before = gc.mem_alloc(); work(); taken = gc.mem_alloc() - before"
    )
    assert outputs.eval("taken") == 0
    assert outputs.eval("list(c.pack())") == [128, 128, 0]


# --- the pin ------------------------------------------------------------------------------------
def test_pin_remembers_its_last_changes(outputs):
    outputs.exec(
        "import pin_output; p = pin_output.PinOutput(None, on_class=1, keep=4)\n"
        "for i in (0, 1, 1, 0, 1, 0, 1): p.predicted(i)"
    )
    values = [value for _, value in outputs.eval("p.history()")]
    assert values == [0, 1, 0, 1] and outputs.eval("p.changes") == 5
    times = [ms for ms, _ in outputs.eval("p.history()")]
    assert times == sorted(times)


def test_pin_takes_no_memory(outputs):
    outputs.exec(
        "import gc, pin_output; p = pin_output.PinOutput()\n"
        "def work():\n"
        "    for i in range(100): p.predicted(i % 2)\n"
        "work(); gc.collect(); before = gc.mem_alloc(); work(); taken = gc.mem_alloc() - before"
    )
    assert outputs.eval("taken") == 0


# --- the log ------------------------------------------------------------------------------------
def test_log_stays_within_its_size(tmp_path):
    csv_log = device_module("csv_log")
    path = str(tmp_path / "log.csv")
    log = csv_log.CsvLog(path, ("n", "class"), max_bytes=256)
    for n in range(500):
        log.add(n, "idle")
    log.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["log.csv", "log.csv.old"]
    assert all(file.stat().st_size <= 256 for file in files)
    rows = csv_log.read(path)
    assert rows[-1] == ["499", "idle"]
    assert [int(row[0]) for row in rows] == list(range(int(rows[0][0]), 500))


def test_log_goes_on_after_a_torn_line(tmp_path):
    csv_log = device_module("csv_log")
    path = tmp_path / "log.csv"
    path.write_text("n,class\n1,idle\n2")
    log = csv_log.CsvLog(str(path), ("n", "class"))
    log.add(3, "run")
    log.close()
    assert csv_log.read(str(path)) == [["1", "idle"], ["3", "run"]]
    with pytest.raises(ValueError, match="2 values"):
        csv_log.CsvLog(str(path), ("n", "class")).add(1, "a,b")


def test_log_survives_a_power_cut(own_board):
    board = own_board()
    board.put(LIB / "csv_log.py", "/lib/")
    board.exec("import csv_log; log = csv_log.CsvLog('/log.csv', ('n', 'class'))")
    board.exec("for n in range(20): log.add(n, 'idle')")
    board.hard_reset()  # the file was never closed
    board.exec("import csv_log")
    rows = board.eval("csv_log.read('/log.csv')")
    assert [int(row[0]) for row in rows] == list(range(20))


# --- HTTP ---------------------------------------------------------------------------------------
def test_http_post_reaches_a_real_server(outputs):
    with HttpReceiver() as server:
        outputs.exec("import http_post")
        record = {"class": "idle", "share": 0.5}
        status, sent = outputs.call("http_post.post", server.host, server.port, "/p", record)
        assert status == 204 and server.records == [record]
        assert sent > server.sizes_bytes[0]
        # Too long a body, from the laptop: the board's heap has no room for one.
        status, _ = device_module("http_post").post(server.host, server.port, "/p", "x" * 70_000)
        assert status == 413 and len(server.records) == 1


def test_http_post_without_a_server_is_an_error(outputs):
    outputs.exec("import http_post")
    with pytest.raises(DeviceError, match="OSError"):
        outputs.call("http_post.post", "127.0.0.1", closed_port(), "/p", {})


def test_a_server_that_says_nothing_is_waited_for_only_so_long(outputs):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        outputs.exec("import http_post; from mqtt_publisher import MqttPublisher")
        with pytest.raises(DeviceError, match="OSError"):
            outputs.exec(f"http_post.post('127.0.0.1', {port}, '/p', {{}}, 1)", timeout_s=30)
        with pytest.raises(DeviceError, match="OSError"):
            outputs.exec(
                f"MqttPublisher('127.0.0.1', {port}, 'p', timeout_s=1).connect()", timeout_s=30
            )


# --- MQTT ---------------------------------------------------------------------------------------
def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def mosquitto(tmp_path: Path, *lines: str):
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("mosquitto is not installed: `apt-get install mosquitto`")
    port = closed_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text("\n".join([f"listener {port} 127.0.0.1", *lines, ""]))
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 15
    while time.monotonic() < end:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return process, port
        time.sleep(0.05)
    process.kill()
    raise AssertionError("mosquitto did not start")


@pytest.fixture(params=["amqtt", "mosquitto"])
def broker_port(request, tmp_path):
    if request.param == "amqtt":
        with MqttBroker() as broker:
            yield broker.port
        return
    process, port = mosquitto(tmp_path, "allow_anonymous true")
    yield port
    process.terminate()
    process.wait(10)


def test_mqtt_from_the_board_to_a_listener(outputs, broker_port):
    outputs.exec("from mqtt_publisher import MqttPublisher")
    with MqttListener("127.0.0.1", broker_port, "hall/#") as listener:
        outputs.exec(f"out = MqttPublisher('127.0.0.1', {broker_port}, 'pump-3'); out.connect()")
        outputs.exec(
            "sizes = [out.publish('hall/pump', b'idle'), out.publish('hall/pump', b'run', 1)]"
        )
        outputs.exec("first = out._sock; out.connect()")
        with pytest.raises(DeviceError, match="EBADF"):  # a second connection leaves none behind
            outputs.exec("first.send(b'x')")
        outputs.exec("out.publish('hall/long', b'x' * 300, qos=1); out.ping(); out.disconnect()")
        found = listener.wait_for(3)
        assert found == [("hall/pump", b"idle"), ("hall/pump", b"run"), ("hall/long", b"x" * 300)]
    # Fixed head 2, topic 2 + 9, payload; a packet number with QoS 1.
    assert outputs.eval("sizes") == [2 + 2 + 9 + 4, 2 + 2 + 9 + 2 + 3]


def test_mqtt_with_a_password(outputs, tmp_path):
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto is not installed: `apt-get install mosquitto`")
    names = tmp_path / "names"
    subprocess.run([tool, "-b", "-c", str(names), "pump", "se cret"], check=True, timeout=20)
    names.chmod(0o644)
    tmp_path.chmod(0o755)
    process, port = mosquitto(
        tmp_path, "user root", "allow_anonymous false", f"password_file {names}"
    )
    try:
        outputs.exec("from mqtt_publisher import MqttPublisher")
        with MqttListener("127.0.0.1", port, "#", "pump", "se cret") as listener:
            outputs.exec(
                f"out = MqttPublisher('127.0.0.1', {port}, 'p', 'pump', 'se cret')\n"
                "out.connect(); out.publish('a', b'b', qos=1)"
            )
            assert listener.wait_for(1) == [("a", b"b")]
        with pytest.raises(DeviceError, match="refused"):
            outputs.exec(f"MqttPublisher('127.0.0.1', {port}, 'p', 'pump', 'no').connect()")
        with pytest.raises(CourseError, match="did not let us"):
            MqttListener("127.0.0.1", port, "#", "pump", "no")
    finally:
        process.terminate()
        process.wait(10)


def test_no_broker_is_said(outputs):
    with pytest.raises(CourseError, match="No MQTT broker"):
        MqttListener("127.0.0.1", closed_port())
    outputs.exec("from mqtt_publisher import MqttPublisher")
    with pytest.raises(DeviceError, match="OSError"):
        outputs.exec(f"MqttPublisher('127.0.0.1', {closed_port()}, 'p').connect()")


def test_secrets_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("MQTT_PASSWORD", "x y")
    assert secret("MQTT_PASSWORD") == "x y"


# --- what notebook 11 shows ---------------------------------------------------------------------
def test_play_gives_the_laptops_answer_for_each_window(outputs, small_model):
    from workshop_helpers import datasets

    files = datasets.load("basic_motions").part("test").replay_files(seconds=5)
    outputs.deploy(small_model, app="har_live", files=files)
    outputs.put(LIB / "play.py", "/lib/")
    outputs.exec("import play")
    found = outputs.eval(f"list(play.classes('/models/small', {list(files)}))")
    recordings = [np.load(io.BytesIO(data)) for name, data in files.items() if name[-4:] == ".npy"]
    rows = np.concatenate([extract(one[None], WINDOW, HOP)[0] for one in recordings])
    wanted = [list(small_model.classes).index(label) for label in small_model.predict(rows)]
    assert len(found) > 10 and found == wanted


def test_pictures_and_costs():
    for history in ([[100, 1], [300, 0]], []):
        assert shown.pin_figure(history, "Running")._repr_png_().startswith(b"\x89PNG")
    assert shown.energy_figure(channels(4))._repr_png_().startswith(b"\x89PNG")
    found = {c.channel.name: c.size_bytes for c in shown.costs(channels(4), {"LoRaWAN": 17})}
    assert found["LoRaWAN, SF7"] == found["LoRaWAN, SF12"] == 17
    assert found["BLE advertisement"] is None
    assert "https://" in shown.costs(channels(4), {})._repr_html_()
