"""The bytes of a record: viper and plain say the same, and what binascii says; the link's clock."""

from __future__ import annotations

import ast
import base64
import binascii
import importlib.util
import subprocess
import sys
from array import array
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_device_scripts import MICROPYTHON, Clock

from workshop_helpers.paths import DEVICE_SCRIPTS

LIB = DEVICE_SCRIPTS / "lib"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, LIB / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


line = load("line_plain")


@pytest.fixture
def link(monkeypatch) -> ModuleType:
    """link.py on a laptop, with a clock that is moved by hand."""
    monkeypatch.syspath_prepend(str(LIB))
    before = set(sys.modules)
    module = load("link")
    module.time = Clock(Clock.PERIOD - 5000)
    yield module
    for name in set(sys.modules) - before:
        if str(LIB) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def crc_table() -> array:
    source = ast.parse((LIB / "link.py").read_text(encoding="utf-8"))
    (function,) = (n for n in source.body if getattr(n, "name", "") == "_crc_table")
    names: dict[str, object] = {"array": array}
    exec(compile(ast.Module([function], []), "link.py", "exec"), names)
    return names["_crc_table"]()  # type: ignore[operator]


TABLE = crc_table()
DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


# --- the twins -----------------------------------------------------------------------------------
class Untyped(ast.NodeTransformer):
    """The same function without what viper needs."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.decorator_list, node.returns = [], None
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node


def functions(name: str) -> list[str]:
    tree = Untyped().visit(ast.parse((LIB / f"{name}.py").read_text(encoding="utf-8")))
    return [ast.dump(node) for node in tree.body if isinstance(node, ast.FunctionDef)]


def test_the_twins_are_the_same_text() -> None:
    assert functions("line_viper") == functions("line_plain")
    assert len(functions("line_plain")) == 5


@given(st.binary(max_size=300), st.integers(0, 9))
def test_a_sealed_record_has_the_crc_that_binascii_computes(data: bytes, start: int) -> None:
    out = bytearray(b"?" * start) + data + bytes(24)
    end = line.seal(out, start, start + len(data), b',"crc":', TABLE)
    assert bytes(out[start:end]) == b'%s,"crc":%d}\n' % (data, binascii.crc32(data))


@pytest.mark.parametrize("crc", [0, 5, 40, 1_000_000_000, 4_294_967_295])
def test_a_crc_of_any_length_is_written_without_leading_zeros(crc: int) -> None:
    data = reverse_crc(crc)
    assert binascii.crc32(data) == crc
    out = bytearray(data) + bytes(24)
    end = line.seal(out, 0, 4, b',"crc":', TABLE)
    assert bytes(out[4:end]) == b',"crc":%d}\n' % crc


def reverse_crc(crc: int) -> bytes:
    """Four bytes that have this CRC-32."""
    table = [0] * 256
    for i in range(256):
        value = i
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
        table[i] = value
    by_top = {value >> 24: i for i, value in enumerate(table)}
    state, indices = crc ^ 0xFFFFFFFF, []
    for _ in range(4):
        index = by_top[state >> 24]
        state = (state ^ table[index]) << 8 & 0xFFFFFFFF
        indices.append(index)
    data, state = b"", 0xFFFFFFFF
    for index in reversed(indices):
        byte = (state ^ index) & 0xFF
        data += bytes([byte])
        state = state >> 8 ^ table[(state ^ byte) & 0xFF]
    return data


@given(st.binary(max_size=300))
def test_base64_is_what_everybody_means_by_it(data: bytes) -> None:
    out = bytearray(410)
    end = line.base64(out, 3, data, len(data), DIGITS)
    assert bytes(out[3:end]) == base64.b64encode(data)


@given(st.integers(-(2**30) + 1, 2**30 - 1), st.integers(1, 9))
def test_numbers_are_decimal_with_zeros_up_to_a_width(value: int, width: int) -> None:
    out = bytearray(20)
    end = line.number(out, 1, value, width)
    assert bytes(out[1:end]).decode() == ("-" if value < 0 else "") + str(abs(value)).zfill(width)


def test_samples_are_copied_with_their_sign() -> None:
    out = array("h", bytes(8))
    assert line.samples(out, 1, array("h", [9, -32768, 32767]), 1, 2) == 3
    assert list(out) == [0, -32768, 32767, 0]


ON_MICROPYTHON = """
import sys
sys.path.insert(0, LIB)
from array import array
import line_plain, line_viper
state = 1
for n in list(range(70)) + [255, 256, 1000]:
    data = bytearray(n)
    for i in range(n):
        state = (state * 75 + 74) % 65537
        data[i] = state & 255
    said = []
    for line in (line_plain, line_viper):
        out = bytearray(4000)
        at = line.copy(out, 2, data, n)
        at = line.seal(out, 2, at, b',"crc":', TABLE)
        at = line.base64(out, at, data, n, DIGITS)
        for value in (0, -1, 9, 10, 123456789, (1 << 30) - 1, -(1 << 30) + 1):
            at = line.number(out, at, value, n % 9 + 1)
        words = array("h", [0] * 80)
        at += line.samples(words, 1, array("h", [-n, n, 32767 - n]), 1, 2)
        said.append((at, bytes(out), words))
    assert said[0] == said[1], n
print("same")
"""


@pytest.mark.skipif(MICROPYTHON is None, reason="no MicroPython wheel for this system")
def test_the_twins_say_the_same_on_micropython(tmp_path: Path) -> None:
    script = tmp_path / "twins.py"
    settings = f"LIB = {str(LIB)!r}\nDIGITS = {DIGITS!r}\n"
    settings += f"from array import array\nTABLE = array('H', {list(TABLE)})\n"
    script.write_text(settings + ON_MICROPYTHON)
    done = subprocess.run([MICROPYTHON, str(script)], capture_output=True, text=True, timeout=60)
    if "invalid micropython decorator" in done.stderr + done.stdout:
        pytest.skip("this MicroPython compiles no viper")
    assert done.stdout.strip() == "same", done.stderr


# --- the clock -----------------------------------------------------------------------------------
@pytest.fixture
def opened(link, monkeypatch):
    """A link whose line is nobody's; `clock.reads` is what its next looks at the clock see."""
    monkeypatch.setattr(link.select, "poll", Poll)
    return link.Link(), link.time


class Poll:
    def register(self, *_: object) -> None:
        pass


def test_the_clock_counts_on_over_a_wrap(opened) -> None:
    link, clock = opened
    for _ in range(3000):
        clock.now += 999_999
        link.tick()
    assert link.now_us() == 3000 * 999_999
    assert link.now_ms() == 3000 * 999_999 // 1000


@pytest.mark.parametrize("glitch", [-3_000_000, -1, 40_000_000])
def test_one_wrong_look_at_the_clock_changes_nothing(opened, monkeypatch, glitch) -> None:
    link, clock = opened
    clock.now += 5_000
    looks = [clock.now + glitch, clock.now]
    with monkeypatch.context() as patch:
        patch.setattr(clock, "ticks_us", lambda: looks.pop(0) % Clock.PERIOD)
        assert link.now_us() == (5_000 if glitch != -1 else 4_999)
    assert link.now_us() == 5_000


def test_time_stands_still_when_the_timer_was_set_back_and_then_goes_on(opened) -> None:
    link, clock = opened
    clock.now += 700_000
    assert link.now_us() == 700_000
    clock.now -= 600_000
    assert link.now_us() == 700_000
    clock.now += 50_000
    assert link.now_us() == 750_000


@given(st.lists(st.integers(-(2**29), 2**29), max_size=30))
def test_time_never_goes_back_whatever_the_timer_does(steps: list[int]) -> None:
    clock = Clock(1000)
    link = bare_link(clock)
    before = 0
    for step in steps:
        clock.now += step
        now = link.now_us()
        assert now >= before
        before = now


def bare_link(clock: Clock):
    """Only the clock of a Link."""
    source = ast.parse((LIB / "link.py").read_text(encoding="utf-8"))
    (found,) = (n for n in source.body if getattr(n, "name", "") == "Link")
    found.body = [n for n in found.body if getattr(n, "name", "") in ("tick", "now_us", "now_ms")]
    names: dict[str, object] = {"time": clock}
    exec(compile(ast.Module([found], []), "link.py", "exec"), names)
    link = names["Link"]()  # type: ignore[operator]
    link._ticks, link._s, link._us = clock.ticks_us(), 0, 0
    return link


def test_a_stall_of_seconds_is_believed(opened) -> None:
    link, clock = opened
    clock.now += 7_000_000
    assert link.now_us() == 7_000_000
