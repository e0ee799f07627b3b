"""Streams over a pulled cable, a reset and a restart: noticed, counted, gone on with."""

from __future__ import annotations

import threading
import time

import pytest

from workshop_helpers.errors import BoardGoneError, DeviceError, NoBoardError, StreamError
from workshop_helpers.model.deploy import deploy
from workshop_helpers.stream import Gap, Record, Stream, TextLine, open_stream

TICKER = b"""
import machine, time
from commands import Commands
from link import Link

def reset(command):
    machine.reset()

def fail(command):
    print("about to fail")
    raise RuntimeError("as told")

def prompt(command):
    print("MicroPython v1.29 on x; y\\\\n>>> ", end="")
    time.sleep(1)

def main(config):
    link = Link()
    commands = Commands(link, None, {"reset": reset, "fail": fail, "prompt": prompt})
    link.send("hello", commands.describe())
    while not commands.stopped:
        commands.poll()
        link.begin("tick")
        link.end()
        time.sleep_ms(20)
    link.send("bye", {})
"""


@pytest.fixture
def ticking(request, own_board, small_model):
    """A board of the test's own with an app that ticks, does what it is told and can be reset."""
    board = own_board(**getattr(request, "param", {}))
    deploy(board, small_model, "har_live")  # brings the libraries
    board.put(TICKER, "/ticker.py")
    return board


def ticks(stream: Stream, n: int) -> list[Record]:
    got = []
    for record in stream.records(seconds=60, kind="tick"):
        got.append(record)
        if len(got) == n:
            break
    assert len(got) == n
    return got


def send_and_forget(stream: Stream, do: str) -> None:
    with pytest.raises((StreamError, BoardGoneError)):
        stream.command(do, timeout_s=0.5)


def test_a_restarted_stream_goes_on_counting(ticking) -> None:
    items: list[object] = []
    stream = ticking.stream("ticker")
    stream.subscribe(items.append)
    with stream:
        ticks(stream, 3)
        stream.restart()
        assert stream.hello.seq == 0 and not stream.ended
        before = stream.counters.records
        ticks(stream, 3)
        stream.stop()
        assert stream.bye is not None and stream.ended
        stream.restart()  # also after its end
        ticks(stream, 3)
    counters = stream.counters
    assert counters.records > before and counters.lost == counters.restarts == 0
    assert counters.gaps == 2 and counters.gap_s > 0 and "2 gaps of" in str(counters)
    (first, second) = [item for item in items if isinstance(item, Gap)]
    assert first.why == "the app was started again" and second.seconds > 0
    hellos = [i for i, r in enumerate(items) if isinstance(r, Record) and r.kind == "hello"]
    assert items[hellos[1] - 1] == first  # before what comes after it
    assert ticking.eval("1 + 1") == 2


def test_a_stream_can_be_reconnected_after_the_cable_was_pulled(ticking) -> None:
    with ticking.stream("ticker") as stream:
        ticks(stream, 3)
        while stream.counters.records < 10:
            time.sleep(0.02)
        ticking.virtual.power_cut()
        with pytest.raises((StreamError, BoardGoneError)):
            stream.command("label", text="x", timeout_s=1)
        waiting = stream.counters.records - 4
        ticking.virtual.power_on()
        stream.reconnect(timeout_s=20)
        later = ticks(stream, waiting + 3)
        assert later[0].seq == 4 and later[-1].seq == 3  # what waited, then what is new
        assert stream.counters.gaps == 1 and stream.counters.lost == 0
        stream.command("label", text="there again")
    assert stream.bye is not None


def test_a_stream_comes_back_by_itself_if_it_may(ticking) -> None:
    stream = ticking.stream("ticker", reconnect=True, silence_timeout_s=1.0)
    with stream:
        ticks(stream, 3)
        ticking.virtual.power_cut()
        threading.Timer(2.0, ticking.virtual.power_on).start()
        hello = next(
            r for r in stream.records(seconds=60) if r.kind == "hello" and r is stream.hello
        )
        assert hello.seq == 0
        ticks(stream, 3)
        assert stream.counters.gaps == 1 and stream.counters.gap_s > 1
    assert stream.bye is not None
    assert ticking.eval("1 + 1") == 2


# The system gives the name of a PTY that is gone to the next program that asks for one.
@pytest.mark.parametrize("ticking", [{"transport": "socket"}], indirect=True)
def test_a_board_that_does_not_come_back_is_given_up(ticking) -> None:
    stream = ticking.stream("ticker", reconnect=True, reconnect_timeout_s=1.0)
    with pytest.raises(BoardGoneError), stream:
        ticks(stream, 3)
        ticking.virtual.close()
        list(stream.records(seconds=60))
    with pytest.raises(NoBoardError):
        stream.reconnect(timeout_s=0.5)


def test_a_stream_that_waits_for_its_board_can_be_stopped(ticking) -> None:
    stream = ticking.stream("ticker", reconnect=True, silence_timeout_s=0.5)
    with pytest.raises(BoardGoneError), stream:
        ticks(stream, 3)
        ticking.virtual.power_cut()
        time.sleep(1.5)
    stream._reader.thread.join(10)
    assert not stream._reader.thread.is_alive()


def test_a_board_that_resets_itself_is_noticed_at_once(ticking) -> None:
    """Long before the ten seconds of silence are over."""
    with (
        pytest.raises(BoardGoneError, match="was reset"),
        ticking.stream("ticker", silence_timeout_s=60) as stream,
    ):
        ticks(stream, 3)
        send_and_forget(stream, "reset")
        list(stream.records(seconds=50))
    with ticking.stream("ticker") as stream:  # the port is the same: nothing to reconnect
        ticks(stream, 3)


def test_a_reset_is_got_over_if_it_may(ticking) -> None:
    with ticking.stream("ticker", silence_timeout_s=60, reconnect=True) as stream:
        ticks(stream, 3)
        send_and_forget(stream, "reset")
        stream._inbox.wait_for_first(30)
        while stream.counters.gaps == 0:
            stream.next(30)
        ticks(stream, 3)
    assert stream.bye is not None


def test_a_program_that_only_prints_a_prompt_is_believed(ticking) -> None:
    with ticking.stream("ticker", silence_timeout_s=60) as stream:
        stream.command("prompt", timeout_s=10)
        ticks(stream, 60)
        stream.command("label", text="still there", timeout_s=10)
    assert stream.bye is not None and any(">>>" in line for line in stream.text)


def test_a_traceback_comes_apart_from_the_records(ticking) -> None:
    items: list[object] = []
    stream = ticking.stream("ticker")
    stream.subscribe(items.append)
    with pytest.raises(DeviceError, match="RuntimeError: as told") as caught, stream:
        ticks(stream, 3)
        send_and_forget(stream, "fail")
        list(stream.records(seconds=30))
    assert 'raise RuntimeError("as told")' not in stream.text
    assert "Traceback" in caught.value.device_traceback
    assert TextLine("about to fail") in items and stream.counters.damaged == 0


def test_without_a_launcher_there_is_no_way_back(ready_running) -> None:
    stream = Stream(ready_running)
    with stream, pytest.raises(StreamError, match="how its app was started"):
        stream.restart()


@pytest.fixture
def ready_running(ticking):
    return ticking.start("import ticker\nticker.main({})\n")


def test_open_stream_takes_the_streams_own_settings(ticking) -> None:
    with open_stream(ticking, "ticker", {"reconnect": True, "reconnect_timeout_s": 5}) as stream:
        assert stream._return_timeout_s == 5
