"""The parser: whatever comes over the line, it neither raises nor believes a wrong value."""

from __future__ import annotations

import base64
import binascii
import json
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop_helpers.errors import StreamError
from workshop_helpers.stream import (
    Counters,
    Damaged,
    Gap,
    Record,
    RecordParser,
    Stream,
    TextLine,
)
from workshop_helpers.stream.counters import Counting
from workshop_helpers.stream.inbox import Inbox
from workshop_helpers.stream.records import MAX_RECORD_BYTES, MAX_TEXT_BYTES, SEQ_MODULUS


def encode(seq: int, kind: str = "k", t_us: int = 5, **fields: Any) -> bytes:
    """A record as device_scripts/lib/link.py writes it."""
    body = json.dumps({"seq": seq, "t_us": t_us, "kind": kind, **fields}).encode()[:-1]
    return b'\x1e%s,"crc":%d}\n' % (body, binascii.crc32(body))


def parse(*pieces: bytes) -> list[Any]:
    parser = RecordParser()
    items = [item for piece in pieces for item in parser.feed(piece)]
    return items + parser.close()


def samples_record(block: np.ndarray, **overrides: Any) -> bytes:
    fields: dict[str, Any] = {
        "n": len(block),
        "channels": block.shape[1],
        "b64": base64.b64encode(block.astype("<i2").tobytes()).decode(),
    }
    return encode(0, "samples", **(fields | overrides))


def test_a_record_gives_its_fields() -> None:
    (record,) = parse(encode(3, "prediction", 17, label="Walking", outputs=[0.25, 0.75]))
    assert (record.seq, record.t_us, record.kind) == (3, 17, "prediction")
    assert record["label"] == "Walking"
    assert record.get("missing", 1) == 1
    assert dict(record.fields) == {"label": "Walking", "outputs": [0.25, 0.75]}


def test_samples_come_back_as_they_were() -> None:
    block = np.array([[-32768, 32767, 0], [1, -1, 300]], dtype=np.int16)
    (record,) = parse(samples_record(block))
    assert record.samples().dtype == np.int16
    assert np.array_equal(record.samples(), block)
    assert parse(encode(0))[0].samples().shape[0] == 0


def test_floats_come_back_to_the_bit() -> None:
    values = np.array([0.1, -2.5, 1e-30, 1 / 3], dtype="<f4")
    (record,) = parse(encode(0, outputs_f32=base64.b64encode(values.tobytes()).decode()))
    assert np.array_equal(np.array(record["outputs"], dtype=np.float32), values)
    assert "outputs_f32" not in record.fields
    for wrong in ("AAA", "AAAA", "!!!!", 5, None):
        assert [type(i) for i in parse(encode(0, x_f32=wrong))] == [Damaged]


def test_a_line_end_with_a_carriage_return_is_fine() -> None:
    (record,) = parse(encode(3)[:-1] + b"\r\n")
    assert record.seq == 3


def test_text_passes_beside_records() -> None:
    items = parse(b"hello\r\n" + encode(0) + b"no end" + encode(1) + "grün\n".encode())
    assert [type(item) for item in items] == [TextLine, Record, TextLine, Record, TextLine]
    assert [item.text for item in items if isinstance(item, TextLine)] == [
        "hello", "no end", "grün"
    ]  # fmt: skip


def test_control_characters_of_text_are_written_out() -> None:
    (item,) = parse(b"\x1b[31mred\x07 \xff\n")
    assert item.text == "\\x1b[31mred\\x07 �"


def test_a_record_cut_by_the_next_one_is_damaged() -> None:
    items = parse(encode(0)[:20] + encode(1))
    assert [type(item) for item in items] == [Damaged, Record]


def test_a_record_without_its_line_end_is_still_whole() -> None:
    items = parse(encode(0)[:-1] + encode(1))
    assert [item.seq for item in items] == [0, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        encode(-1),
        encode(SEQ_MODULUS),
        encode(True),
        encode(1.0),  # type: ignore[arg-type]
        encode(0, t_us=-1),
        encode(0, kind=7),  # type: ignore[arg-type]
        encode(0, value=float("nan")),
        samples_record(np.zeros((2, 3)), n=3),
        samples_record(np.zeros((2, 3)), channels=0),
        samples_record(np.zeros((2, 3)), b64="!!!!"),
        samples_record(np.zeros((2, 3)), b64=5),
        encode(0, "samples"),
        b"\x1e\n",
        b'\x1e[1,2],"crc":5}\n',
        b'\x1e[1,"crc":%d}\n' % binascii.crc32(b"[1"),
        b'\x1e{"a":1,"crc":%d}\n' % binascii.crc32(b'{"a":1'),
        b'\x1e{"a":\xff,"crc":%d}\n' % binascii.crc32(b'{"a":\xff'),
    ],
)
def test_what_is_no_record_is_damaged(wrong: bytes) -> None:
    assert [type(item) for item in parse(wrong)] == [Damaged]


def test_lines_are_bounded() -> None:
    parser = RecordParser()
    items = parser.feed(b"\x1e")
    for _ in range(3):
        items += parser.feed(b"x" * MAX_RECORD_BYTES)
    assert items == [] and len(parser._line) <= MAX_RECORD_BYTES
    items = parser.feed(b"\n" + encode(0))
    assert isinstance(items[0], Damaged) and items[0].size_bytes == 3 * MAX_RECORD_BYTES
    assert isinstance(items[1], Record)
    texts = parse(b"y" * (3 * MAX_TEXT_BYTES))
    assert "".join(item.text for item in texts) == "y" * (3 * MAX_TEXT_BYTES)


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=8))
def test_any_bytes_cut_anywhere_give_the_same_items(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    # Between two cuts a long text is split elsewhere, never within these lengths.
    assert parse(*pieces) == parse(data)


def some_record(i: int) -> bytes:
    """A value, samples or floats, in turns."""
    raw = base64.b64encode(np.arange(6 * i, 6 * i + 6, dtype="<i2").tobytes()).decode()
    floats = base64.b64encode(np.full(3, i / 3, dtype="<f4").tobytes()).decode()
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("value", {"v": i * i, "name": "a\\u001eb"}),
        ("samples", {"n": 2, "channels": 3, "b64": raw}),
        ("prediction", {"outputs_f32": floats}),
    ]
    kind, fields = kinds[i % 3]
    return encode(i, kind, 1000 * i, **fields)


MESSAGE = b"boot\n" + b"".join(some_record(i) for i in range(9)) + b"done\n"
TRUE_RECORDS = {item.seq: item for item in parse(MESSAGE) if isinstance(item, Record)}


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_line_never_gives_a_wrong_value(data: st.DataObject) -> None:
    line = bytearray(MESSAGE)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(line) - 1))
        change = data.draw(st.sampled_from(["flip", "lose", "add", "copy", "swap", "cut"]))
        if change == "flip":
            line[at] ^= 1 << data.draw(st.integers(0, 7))
        elif change == "lose":
            del line[at : at + data.draw(st.integers(1, 90))]
        elif change == "add":
            line[at:at] = data.draw(st.binary(max_size=20))
        elif change == "copy":
            line[at:at] = line[data.draw(st.integers(0, len(line) - 1)) :][:150]
        elif change == "swap":
            other = data.draw(st.integers(0, len(line) - 1))
            line[at], line[other] = line[other], line[at]
        else:
            del line[at:]
        if not line:
            break
    counting = Counting()
    got = []
    for item in parse(bytes(line)):
        counting.add(item, 0.0)
        if isinstance(item, Record):
            assert item == TRUE_RECORDS[item.seq]
            got.append(item.seq)
    # What is missing in between is counted; what is missing at the end, nobody can know yet.
    assert counting.snapshot().records == len(got)
    if got == sorted(set(got)):
        assert counting.snapshot().lost == (got[-1] + 1 - len(got) if got else 0)


@given(
    st.lists(st.binary(max_size=2000) | st.sampled_from([b"\x1e", b"\n", b"\x1e{"]), max_size=60)
)
def test_the_parser_holds_at_most_one_line(pieces: list[bytes]) -> None:
    parser = RecordParser()
    said = 0
    for piece in pieces:
        said += sum(len(getattr(item, "text", "")) for item in parser.feed(piece * 8))
        assert len(parser._line) <= (MAX_RECORD_BYTES if parser._in_record else MAX_TEXT_BYTES)
    parser.close()
    assert not parser._line


def test_an_inbox_holds_what_it_may_whatever_comes() -> None:
    inbox = Inbox(queue_records=20)
    seen: list[Any] = []
    inbox.subscribe(seen.append)
    for i in range(3000):
        ack = Record(3 * i + 1, 0, "ack", {"id": None})
        inbox.take([Record(3 * i, 0, "k", {}), ack, TextLine("x"), Damaged(3, "x")], 100)
    assert len(inbox._queue) == 20 and len(inbox.text()) == 1000 and len(inbox._answers) <= 32
    assert len(inbox._counting._slots) < 100 and len(seen) == 12_000
    assert inbox.counters().dropped == 6000 - 20


def test_a_record_that_comes_just_after_a_look_is_given_before_the_end(monkeypatch) -> None:
    stream = Stream(SimpleNamespace(name="an app", ended=False))
    error = StreamError("The app ended.")
    stream._reader = SimpleNamespace(was_started=True, take_error=lambda: error)
    look = stream._inbox.next

    def just_too_early(timeout_s: float) -> Record | None:
        found = look(0.0)
        if not stream.ended:
            stream._inbox.take([Record(1, 0, "k", {})], 100)
            stream._inbox.end()
        return found

    monkeypatch.setattr(stream._inbox, "next", just_too_early)
    records = stream.records(seconds=5)
    assert next(records).seq == 1
    with pytest.raises(StreamError, match="The app ended"):
        next(records)


def test_rates_are_of_the_last_seconds() -> None:
    counting = Counting()
    for i in range(1000):  # ten seconds at 100 records/s, then two of silence
        counting.add_bytes(50, i / 100)
        counting.add(Record(i, 10_000 * i, "k", {}), i / 100)
    assert counting.snapshot().records_per_s == pytest.approx(100, rel=0.05)
    assert counting.snapshot().bytes_per_s == pytest.approx(5000, rel=0.05)
    assert counting.snapshot(12.0).records_per_s == pytest.approx(60, rel=0.1)
    assert counting.snapshot(100.0).records_per_s == 0
    assert Counting().snapshot(3.0) == Counters()


def test_latency_is_what_records_took_longer_than_the_quickest() -> None:
    counting = Counting()
    for i in range(1000):
        slow_s = 0.1 if i % 50 == 0 else 0.002 if i % 3 else 0.0
        counting.add(Record(i, 10_000 * i, "k", {}), 5 + i / 100 + slow_s)
    counters = counting.snapshot()
    assert counters.latency_ms == pytest.approx(2, abs=0.1)
    assert counters.latency_p99_ms == pytest.approx(100, abs=1) and counters.late == 0


def test_a_gap_is_counted_and_numbers_start_again() -> None:
    counting = Counting()
    for seq in (0, 1, 2):
        counting.add(Record(seq, 0, "k", {}), 0.0)
    counting.begin_anew()
    counting.add(Gap(2.5, "the board was away"), 3.0)
    for seq in (0, 1):
        counting.add(Record(seq, 0, "k", {}), 3.0)
    counters = counting.snapshot()
    assert (counters.lost, counters.restarts, counters.late) == (0, 0, 0)
    assert str(counters) == "5 records, 0 lost, 1 gap of 2.5 s"


def count(*seqs: int) -> Any:
    counting = Counting()
    for seq in seqs:
        counting.add(Record(seq, 0, "k", {}), 0.0)
    return counting.snapshot()


def test_gaps_are_counted_by_number() -> None:
    assert count(0, 1, 2).lost == 0
    assert count(2).lost == 2
    assert count(0, 4, 5).lost == 3
    assert count(0, 1, 0, 1).restarts == 1
    assert "1 lost" in str(count(0, 2))


def test_the_sequence_wraps_without_a_gap() -> None:
    counting = Counting()
    counting._expected_seq = SEQ_MODULUS - 1
    for seq in (SEQ_MODULUS - 1, 0, 1):
        counting.add(Record(seq, 0, "k", {}), 0.0)
    assert counting.snapshot().lost == counting.snapshot().restarts == 0


def test_late_records_are_those_slower_than_the_quickest() -> None:
    counting = Counting()
    for seq, (t_s, arrived_s) in enumerate([(0.0, 10.0), (1.0, 11.01), (2.0, 12.5), (3.0, 13.0)]):
        counting.add(Record(seq, int(t_s * 1e6), "k", {}), arrived_s)
    assert counting.snapshot().late == 1


def test_drifting_clocks_do_not_make_a_long_stream_late() -> None:
    counting = Counting()
    for second in range(3600):
        counting.add(Record(second, second * 1_000_000, "k", {}), second * 1.0005)
    assert counting.snapshot().late == 0
