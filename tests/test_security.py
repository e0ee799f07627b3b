"""What a board says, and what a name on it is, is data: it can neither act here nor draw here."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import json
import re
import types
import typing

import pytest
from recording_cases import counting, save

from workshop_helpers import datasets
from workshop_helpers.board.catalogue import all_boards
from workshop_helpers.board.catalogue.choose import Choice, Ranking
from workshop_helpers.board.files import DeviceFile
from workshop_helpers.board.info import parse_info
from workshop_helpers.bundle import serve
from workshop_helpers.course.field import Case, FieldFault
from workshop_helpers.course.lab import SETTINGS, lab_environment
from workshop_helpers.course.outputs import Cost
from workshop_helpers.errors import DeviceError, FileError, TransferError
from workshop_helpers.paths import NOTEBOOKS, ROOT
from workshop_helpers.recordings import fetch_recordings
from workshop_helpers.recordings.recording_set import RecordingSet
from workshop_helpers.text import is_plain_name, printable

HOSTILE = "<img src=x onerror=alert(1)>&\"'<script>"
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"
WRONG_NAMES = [
    "", ".", "..", "../x", "..\\x", "/etc/passwd", "C:\\x", "C:x", "a/b", "nul", "NUL.npy", "com1",
    "COM¹.txt", "aux .npy", "a\0b", "a\nb", "a\x1b[2J", "ends.", "ends ", "x" * 300,
    "a:b", "a*", "\u202ex",
]  # fmt: skip


# --- what notebooks show ----------------------------------------------------------------------
def showing_classes() -> dict[str, type]:
    """Every class of ours that has a rich form of its own."""
    found = {}
    for path in sorted((ROOT / "workshop_helpers").rglob("*.py")):
        if "def _repr_html_(" not in path.read_text(encoding="utf-8"):
            continue
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for value in vars(importlib.import_module(name)).values():
            if inspect.isclass(value) and "_repr_html_" in vars(value):
                found[value.__qualname__] = value
    return found


def made_hostile(kind: object, name: str = "") -> typing.Any:
    """A value of a type, its texts hostile."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return made_hostile(args[0])
    if origin in (typing.Union, types.UnionType):
        return made_hostile(next(a for a in args if a is not type(None)))
    if kind is str or kind is typing.Any or kind is object:
        return HOSTILE
    if kind in (int, float, bool):
        return kind(1)
    if hasattr(kind, "_fields"):
        return kind._make(made_hostile(hint) for hint in typing.get_type_hints(kind).values())
    if origin is tuple:
        inner = args[:1] * 2 if args[-1] is Ellipsis else args
        return tuple(made_hostile(arg) for arg in inner)
    if origin is list:
        return [made_hostile(args[0])] * 2
    if origin is dict:
        return {made_hostile(args[0]): made_hostile(args[1])}
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        return kind(
            **{f.name: made_hostile(hints[f.name], f.name) for f in dataclasses.fields(kind)}
        )
    return None


def hostile_board():
    return dataclasses.replace(
        all_boards()[0], **dict.fromkeys(("id", "name", "maker", "chip", "cpu", "arch"), HOSTILE),
        radio=(HOSTILE,), sensors=(HOSTILE,), float_unit=HOSTILE,
    )  # fmt: skip


def hostile_set(folder) -> RecordingSet:
    recording = save(folder, counting(20), label=HOSTILE, channels=[HOSTILE, "b"], person=HOSTILE)
    return RecordingSet(HOSTILE, (recording,), (), (HOSTILE,))


def hostile_model(small_model):
    names = tuple(f"{HOSTILE}{i}" for i in range(len(small_model.features)))
    classes = tuple(f"{HOSTILE}{i}" for i in range(len(small_model.classes)))
    return dataclasses.replace(small_model, features=names, classes=classes)


def hostile_verify(kind):
    from workshop_helpers.model.causes import EXPLANATIONS

    return dataclasses.replace(
        kind(**{f.name: made_hostile(typing.get_type_hints(kind)[f.name]) for f in
                dataclasses.fields(kind) if f.name not in ("device_labels", "causes")}),
        causes=dict.fromkeys(EXPLANATIONS, 1),
    )  # fmt: skip


def hostile_field(kind):
    boards = kind({}, seed=0)  # none is started
    boards._given = {"A": (made_hostile(Case), made_hostile(FieldFault))}
    return boards


SPECIAL = {
    "Costs": lambda kind, *_: kind([made_hostile(Cost), made_hostile(Cost)]),
    "BoardTable": lambda kind, folder, model: kind([hostile_board()]),
    "Ranking": lambda kind, folder, model: Ranking(
        [Choice(hostile_board(), 1.0, (HOSTILE,), (HOSTILE,))]
    ),
    "RecordingSet": lambda kind, folder, model: hostile_set(folder),
    "DeviceModel": lambda kind, folder, model: hostile_model(model),
    "VerifyReport": lambda kind, folder, model: hostile_verify(kind),
    "FetchReport": lambda kind, folder, model: kind(
        (hostile_set(folder).recordings[0],), (HOSTILE,), (HOSTILE,), 1
    ),
    "FieldBoards": lambda kind, *_: hostile_field(kind),
    "FirmwareImage": lambda kind, folder, model: kind(HOSTILE, HOSTILE, HOSTILE, (1, 2), 1),
}


def test_there_are_classes_that_show_themselves():
    source = "\n".join(p.read_text(encoding="utf-8") for p in ROOT.glob("workshop_helpers/**/*.py"))
    assert len(showing_classes()) == source.count("def _repr_html_(") > 12


@pytest.mark.parametrize("name", sorted(showing_classes()))
def test_rich_forms_escape_every_text(name, tmp_path, small_model):
    kind = showing_classes()[name]
    thing = SPECIAL.get(name, lambda kind, *_: made_hostile(kind))(kind, tmp_path, small_model)
    shown = thing._repr_html_()
    assert not re.search(r"<\s*(img|script)", shown, re.I), shown
    assert "&lt;img" in shown, "nothing hostile was shown: this test looks at nothing"


# --- what terminals show ----------------------------------------------------------------------
def test_an_error_can_not_write_to_the_terminal():
    error = DeviceError(f"The board raised {ESCAPES}", ESCAPES, device_traceback=f"a\n{ESCAPES}")
    for text in (str(error), "".join(error._render_traceback_())):
        assert text == printable(text) and "\\x1b]0;owned" in text
    assert error.device_traceback == f"a\n{ESCAPES}"  # word for word, for who wants it


def test_what_a_board_says_of_itself_is_bounded_and_plain():
    info = parse_info(
        {"machine": f"{ESCAPES} with {'x' * 10_000}", "version": [1, ESCAPES], "platform": ESCAPES,
         "mpy": "2822", "heap_free": -1, "heap_total": [1], "largest_block": True,
         "flash_free": 1e9, "flash_total": None, "float_bits": "many"}
    )  # fmt: skip
    assert repr(info) == printable(repr(info)) and len(repr(info)) < 1000
    assert info.arch is info.heap_free_bytes is info.heap_total_bytes is info.flash_free_bytes
    assert info.float_bits == 32 and info.largest_free_block_bytes is None


def test_a_board_error_in_a_terminal(board):
    with pytest.raises(DeviceError) as caught:
        board.exec("raise ValueError('\\x1b[2J')")
    assert "\x1b" not in str(caught.value) and "\\x1b[2J" in str(caught.value)


def test_a_log_of_the_demo_takes_no_markup():
    from rich.console import Console

    from workshop_helpers.demo.terminal import _sentence
    from workshop_helpers.stream.records import Record

    fields = {"label": f"[red]{ESCAPES}", "truth": "[/]", "us": 1}
    text = _sentence(Record(0, 0, "prediction", fields))
    console = Console(record=True, width=200)
    console.print(text, markup=False, highlight=False)
    assert console.export_text().strip() == text and "\x1b" not in text
    source = (ROOT / "workshop_helpers/demo/terminal.py").read_text(encoding="utf-8")
    assert '{_sentence(record)}", highlight=False, markup=False' in source


# --- names on a board -------------------------------------------------------------------------
@pytest.mark.parametrize("name", WRONG_NAMES)
def test_names_that_mean_something_here_are_refused(name):
    assert not is_plain_name(name)


@pytest.mark.parametrize("name", ["main.py", "walking-0001.npy", ".part", "console.txt", "é ü.npy"])
def test_ordinary_names_are_fine(name):
    assert is_plain_name(name)


class Liar:
    """A board whose folder holds what no folder can."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def ls(self, path):
        return [DeviceFile(f"{path}/{name}", False, len(data)) for name, data in self.files.items()]

    def get(self, path, target=None, *, progress=False):
        if path.removeprefix("/recorded/") not in self.files:
            raise FileError(f"There is no {path}.")
        return self.files[path.removeprefix("/recorded/")]


ABOUT = {
    "app": "recorder", "sensor": "test", "rate_hz": 10, "channels": ["a", "b"],
    "units_per_lsb": [1, 1], "channel_units": ["g", "g"], "label": "walk",
}  # fmt: skip
SAMPLES = b"\x93NUMPY" + bytes(122) + counting(20).tobytes()


def test_a_recording_can_not_leave_its_folder(tmp_path):
    target = tmp_path / "in" / "here"
    names = [f"{name}.npy" for name in ("../../x", "..", "/abs", "C:\\x", "nul", "a\0b", "a\x1b")]
    files = dict.fromkeys(names, SAMPLES)
    files |= {name.replace(".npy", ".json"): json.dumps(ABOUT).encode() for name in names}
    report = fetch_recordings(Liar(files), target, progress=False)
    # Whatever stands before the last slash is not part of a file's own name: it is dropped.
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert all(
        p.parent == target and re.fullmatch(r"walk-\d+\.(npy|json)", p.name) for p in written
    )
    assert len(report.ignored) >= 4
    assert all(line == printable(line) for line in report.ignored)


@pytest.mark.parametrize(
    "change",
    [
        {"label": "../../../x"}, {"label": "C:\\x"}, {"label": "NUL"}, {"label": ["x"]},
        {"label": "\ud800"}, {"label": HOSTILE}, {"label": "x" * 5000},
        {"channels": []}, {"channels": "abcdef"}, {"channels": ["x"] * 5000}, {"channels": 3},
        {"units_per_lsb": [1]}, {"units_per_lsb": ["x", "y"]}, {"rate_hz": "10"}, {"rate_hz": -1},
        {"rate_hz": 1e999}, {"gaps": [[10**9, 1]]}, {"gaps": [[5, -7]]}, {"gaps": "ab"},
        {"gaps": [[1e999, 1]]}, {"clocks": [[None, 1]]}, {"sensor": "\udfff"},
    ],
    ids=repr,
)  # fmt: skip
def test_a_hostile_description_spoils_nothing(change, tmp_path):
    good = {"good.npy": SAMPLES, "good.json": json.dumps(ABOUT).encode()}
    bad = {"bad.npy": SAMPLES[:-4], "bad.json": json.dumps(ABOUT | change).encode()}
    report = fetch_recordings(Liar(bad | good), tmp_path / "in", progress=False)
    assert len(report.recordings) + len(report.ignored) == 2 and report.recordings
    assert all(p.parent == tmp_path / "in" for p in tmp_path.rglob("*") if p.is_file())
    loaded = datasets.load(tmp_path / "in")  # what came can all be read again
    assert len(loaded) == len(report.recordings)


def test_json_that_is_too_deep_is_no_description(tmp_path):
    files = {"a.npy": SAMPLES, "a.json": b"[" * 100_000}
    assert "no readable .json" in fetch_recordings(Liar(files), tmp_path).ignored[0]


def test_get_into_a_folder_takes_plain_names_only(board, device_dir, tmp_path):
    for name in ("aux", "a:b", "x.", "a\x1bb"):
        board.put(b"1", f"{device_dir}/{name}")
        with pytest.raises(FileError, match="is no name for a file here"):
            board.get(f"{device_dir}/{name}", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_never_ends_is_given_up(board, device_dir):
    from workshop_helpers.board import transfer

    board.put(b"x" * 5000, f"{device_dir}/long")
    with board._session.use() as transport:
        with pytest.raises(TransferError, match="longer than the board says"):
            transfer.read(transport, f"{device_dir}/long", 100, 256, lambda done, total: None)
        transfer.abandon(transport)


# --- nothing is evaluated, unpickled or passed to a shell -------------------------------------
def test_nothing_of_a_board_can_become_code():
    wrong = []
    for path in ROOT.glob("workshop_helpers/**/*.py"):
        if "virtual/device" in path.as_posix():
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                shell = any(
                    k.arg == "shell" and ast.unparse(k.value) != "False" for k in node.keywords
                )
                pickled = any(
                    k.arg == "allow_pickle" and ast.unparse(k.value) != "False"
                    for k in node.keywords
                )
                if (
                    shell
                    or pickled
                    or re.match(r"(pickle|marshal|os\.system|os\.popen|yaml)\b", name)
                ):
                    wrong.append(f"{path.name}:{node.lineno}: {name}")
    assert wrong == []


# --- servers ----------------------------------------------------------------------------------
def test_servers_listen_on_this_laptop_only_unless_told():
    binds, defaults = [], []
    for path in ROOT.glob("workshop_helpers/**/*.py"):
        text = path.read_text(encoding="utf-8")
        binds += [
            line for line in text.splitlines() if "create_server(" in line or ".bind((" in line
        ]
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                wanted = node.args.args[len(node.args.args) - len(node.args.defaults) :]
                pairs = zip(wanted, node.args.defaults, strict=True)
                defaults += [ast.unparse(d) for arg, d in pairs if arg.arg == "host"]
    # An address is written down as the loopback, or comes as `host` from whoever calls.
    assert binds and all("127.0.0.1" in line or "(host, 0)" in line for line in binds)
    assert defaults and set(defaults) == {"'127.0.0.1'"}


def test_jupyter_keeps_its_token_and_its_loopback():
    text = "".join(p.read_text(encoding="utf-8") for p in SETTINGS.rglob("*") if p.is_file())
    text += (ROOT / "workshop_helpers/course/lab.py").read_text(encoding="utf-8")
    assert not re.search(r"ServerApp\.ip|token=|password=|disable_check|allow_origin", text)
    assert "JUPYTER_CONFIG_PATH" in lab_environment()


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_a_server_for_the_room_says_so(host, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from workshop_helpers.bundle.make import Wanted, make_bundle
    from workshop_helpers.cli import app

    make_bundle(tmp_path / "bundle", Wanted(boards=(), platforms=()))
    monkeypatch.setattr(serve.BundleServer, "serve_forever", lambda self: None)
    command = ["bundle", "serve", str(tmp_path / "bundle"), "--http-port", "0", "--host", host]
    said = CliRunner().invoke(app, command).output
    assert ("whoever is in these networks" in said) == (host == "0.0.0.0")
    assert ("On this laptop only" in said) == (host == "127.0.0.1")


# --- secrets ----------------------------------------------------------------------------------
def test_no_secret_stands_in_a_notebook_or_a_program():
    """Passwords come from the environment or are asked for; no text here is one."""
    assigned = re.compile(
        r"""(password|passwd|passphrase|secret|api_key|ssid|psk)\w*["']?\s*[:=]\s*["'][^"'{]+["']""",
        re.IGNORECASE,
    )
    files = [*NOTEBOOKS.rglob("*.ipynb"), *NOTEBOOKS.rglob("*.py")]
    files += [
        p for top in ("device_scripts", "workshop_helpers") for p in (ROOT / top).rglob("*.py")
    ]
    texts = {p.name: p.read_text(encoding="utf-8").replace('\\"', '"') for p in files}
    assert len(texts) > 50
    assert {name: m[0] for name, text in texts.items() if (m := assigned.search(text))} == {}
    assert assigned.search('WIFI_PASSWORD = "hunter2"')  # the pattern finds one
