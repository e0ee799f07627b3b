"""Commands to a running app: done once or not at all, and answered."""

from __future__ import annotations

import json
import re
import threading

import numpy as np
import pytest

from workshop_helpers.errors import StreamError
from workshop_helpers.model.deploy import deploy
from workshop_helpers.stream import Record
from workshop_helpers.stream.asking import MAX_COMMAND_BYTES, encode_command

APP = """
from commands import Commands
from link import Link

def double(command):
    if not isinstance(command.get("n"), int):
        raise ValueError("n must be a whole number")
    return {"twice": 2 * command["n"]}

def main(config):
    link = Link()
    settable = {"gain": 1, "name": "a", "on": True, "share": (0.5, 0, 1)}
    commands = Commands(link, settable, {"double": double})
    link.send("hello", commands.describe())
    while not commands.stopped:
        if commands.poll():
            link.send("values", commands.values)
    link.send("bye", {})
"""


@pytest.fixture
def talker(board, small_model):
    """A running app that says its values after each command."""
    deploy(board, small_model, "har_live")  # brings the libraries
    board.put(APP.encode(), "/talker.py")
    with board.stream("talker") as stream:
        yield stream


def test_an_app_says_what_it_can_be_told(talker) -> None:
    assert talker.hello["commands"] == ["double", "label", "set", "stop"]
    assert talker.hello["settable"]["share"] == {"value": 0.5, "min": 0, "max": 1}


def test_values_are_set_and_answered(talker) -> None:
    assert talker.command("set", name="gain", value=7)["value"] == 7
    talker.set(share=1, name="grün \U0001f600", on=False, gain=np.int64(3))
    *_, told = talker.records(seconds=1, kind="values")
    assert dict(told.fields) == {"gain": 3, "name": "grün \U0001f600", "on": False, "share": 1.0}


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("gain", 1.5, "gain is int, not 1.5"),
        ("gain", True, "gain is int"),
        ("on", 1, "on is bool"),
        ("name", None, "name is str"),
        ("share", 1.01, "share is 0 to 1"),
        ("share", "x", "share is float"),
        ("colour", 1, "nothing to set is called 'colour'"),
    ],
)
def test_a_wrong_value_is_refused_with_the_boards_reason(talker, name, value, why) -> None:
    with pytest.raises(StreamError, match=re.escape(why)) as caught:
        talker.command("set", name=name, value=value)
    assert why in caught.value.data["why"]
    (told,) = talker.records(seconds=0.3, kind="values")
    assert dict(told.fields) == {"gain": 1, "name": "a", "on": True, "share": 0.5}


def test_an_app_adds_its_own_commands(talker) -> None:
    assert talker.command("double", n=21)["twice"] == 42
    with pytest.raises(StreamError, match="n must be a whole number"):
        talker.command("double", n="x")
    with pytest.raises(StreamError, match=r"knows no command 'fly'.*\n.*double, label"):
        talker.command("fly")


def test_a_label_is_a_record_among_the_samples(talker) -> None:
    talker.label("walking")
    (label,) = talker.records(seconds=0.5, kind="label")
    assert label["text"] == "walking" and label["at"] == 0
    with pytest.raises(StreamError, match="at most 64"):
        talker.label("x" * 65)


def test_many_threads_may_ask_at_once(talker) -> None:
    answers: dict[int, int] = {}

    def ask(n: int) -> None:
        answers[n] = talker.command("double", n=n, timeout_s=20)["twice"]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == {n: 2 * n for n in range(20)}


def test_what_is_damaged_on_the_way_is_sent_again_and_done_once(talker, monkeypatch) -> None:
    """Every first attempt loses a byte, every second answer is lost here."""
    write, attempts = talker._reader.running.write, []

    def lossy(data: bytes) -> None:
        attempts.append(data)
        write(data[:9] + data[10:] if len(attempts) % 2 else data)

    monkeypatch.setattr(talker._reader.running, "write", lossy)
    for n in range(3):
        assert talker.command("double", n=n, timeout_s=10)["twice"] == 2 * n
    assert len(attempts) == 6
    assert len(list(talker.records(seconds=0.5, kind="values"))) == 3
    # The same line again, as if its answer had been lost: answered again, not done again.
    write(attempts[-1])
    kinds = [r.kind for r in talker.records(seconds=0.5)]
    assert kinds == ["ack"]


def test_stop_can_be_acknowledged(talker) -> None:
    talker.command("stop")
    talker._reader.thread.join(10)
    assert talker.ended and talker.bye is not None
    with pytest.raises(StreamError, match="ended before it answered"):
        talker.command("double", n=1)


def test_an_app_that_does_not_listen_is_reported(board, small_model) -> None:
    deploy(board, small_model, "har_live")
    board.put(
        b"import time\nfrom link import Link\ndef main(config):\n    link = Link()\n"
        b"    link.send('hello', {'commands': ['label']} if config['lies'] else {})\n"
        b"    time.sleep(20)\n",
        "/deaf.py",
    )
    with (
        board.stream("deaf", lies=True) as stream,
        pytest.raises(StreamError, match=r"did not acknowledge 'label' within 0\.5 s"),
    ):
        stream.label("x", timeout_s=0.5)
    with (
        board.stream("deaf", lies=False) as stream,
        pytest.raises(StreamError, match="takes no commands"),
    ):
        stream.label("x")


def test_a_subscriber_is_told_that_it_can_not_ask(talker) -> None:
    errors: list[Exception] = []

    def ask(item: object) -> None:
        if isinstance(item, Record) and item.kind == "values":
            try:
                talker.command("double", n=1)
            except StreamError as error:
                errors.append(error)

    talker.subscribe(ask)
    talker.set(gain=2)
    talker.set(gain=3)
    assert errors and "subscriber" in str(errors[0])


@pytest.mark.parametrize(
    "wrong", [{"id": 1}, {"x": object()}, {"x": float("nan")}, {"x": "y" * 300}]
)
def test_what_can_not_be_a_command_is_refused_here(wrong) -> None:
    with pytest.raises(StreamError):
        encode_command(1, "set", wrong)


def test_a_command_fits_its_limit() -> None:
    room = MAX_COMMAND_BYTES - len(encode_command(1, "set", {"x": ""}))
    line = encode_command(1, "set", {"x": "y" * (room - 3)})
    assert len(line) <= MAX_COMMAND_BYTES and json.loads(line)["do"] == "set"


def test_har_live_calls_weak_answers_unsure(board, small_model) -> None:
    deploy(board, small_model, "har_live")
    with board.stream("har_live", speed=4) as stream:
        stream.set(threshold=1.0)
        stream.label("now")
        stream.set(threshold=0.9)
        rows, least = [], 0.0
        for record in stream.records(seconds=6):
            if record.kind == "ack" and record.get("name") == "threshold":
                least = record["value"]
            if record.kind == "prediction":
                rows.append((record["label"], max(record["outputs"]), record["class"], least))
        classes = stream.hello["classes"]
    assert rows and least == 0.9
    for label, share, index, limit in rows:
        assert label == (classes[index] if share >= np.float32(limit) else "unsure")
    assert {"unsure"} < {label for label, *_ in rows}
