"""The learner's own recordings as a data set: labels, pieces, features, what must not be mixed."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recording_cases import ABOUT, counting, save

from workshop_helpers import datasets
from workshop_helpers.errors import DataError, FeatureError
from workshop_helpers.features import extract, motion_features, windows
from workshop_helpers.recordings import Span
from workshop_helpers.recordings.partial import measured_rate_hz
from workshop_helpers.recordings.spans import Gap, pieces_between, relabelled, spans_of


def noise(n: int, seed: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9000, 9000, (n, channels)).astype(np.int16)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_RECORDINGS", str(tmp_path))
    return tmp_path / "mine"


# --- labels on samples --------------------------------------------------------------------------
@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 50), st.sampled_from(["a", "b", None])),
        max_size=12,
    )
)
def test_labelling_spans_is_like_painting_an_array(strokes) -> None:
    painted: list[str | None] = [None] * 50
    spans: tuple[Span, ...] = ()
    for one, other, label in strokes:
        start, stop = sorted((one, other))
        if start == stop:
            continue
        painted[start:stop] = [label] * (stop - start)
        spans = relabelled(spans, start, stop, label)
    found: list[str | None] = [None] * 50
    for span in spans:
        assert found[span.start : span.stop] == [None] * (span.stop - span.start)  # no overlap
        found[span.start : span.stop] = [span.label] * (span.stop - span.start)
    assert found == painted
    assert list(spans) == sorted(spans, key=lambda span: span.start)


@given(
    st.lists(st.tuples(st.integers(-5, 60), st.sampled_from(["a", "b", None])), max_size=10),
    st.lists(st.integers(1, 49), max_size=5),
)
def test_pieces_hold_one_label_and_no_gap(changes, cuts) -> None:
    spans = spans_of(changes, 50)
    truth: list[str | None] = [None] * 50
    for at, label in sorted(changes, key=lambda change: change[0]):
        truth[max(0, at) :] = [label] * (50 - max(0, min(at, 50)))
    covered: list[str | None] = [None] * 50
    for start, stop, label in pieces_between(spans, [Gap(at, 1) for at in cuts]):
        assert start < stop and not any(start < at < stop for at in cuts)
        covered[start:stop] = [label] * (stop - start)
    assert covered == truth


def test_label_span_counts_seconds_with_gaps_and_is_kept(folder) -> None:
    save(folder, counting(50), label=None, gaps=[(20, 10)])
    recording = datasets.load("mine")[0]
    assert recording.label_span(1.0, 4.0, " walking ") is recording  # 10 of the 30 are missing
    assert recording.spans == (Span(10, 30, "walking"),)
    recording.label_span(1.5, 1.8, None)
    again = datasets.load("mine")[0]
    assert again.spans == recording.spans == (Span(10, 15, "walking"), Span(18, 30, "walking"))
    assert np.array_equal(again.samples, counting(50)) and again.sha256 == recording.sha256


@pytest.mark.parametrize(
    ("start_s", "end_s", "label", "complaint"),
    [(2, 3, "x", "no sample"), (9, 12, "x", "no sample"), (1, 1, "x", "no sample"),
     (3, 2, "x", "no sample"), (0, 1, "", "not empty"), (0, 1, 7, "not empty")],
)  # fmt: skip
def test_wrong_spans_are_refused_and_change_nothing(
    folder, start_s, end_s, label, complaint
) -> None:
    recording = save(folder, counting(50), gaps=[(20, 10)])
    with pytest.raises(DataError, match=complaint):
        recording.label_span(start_s, end_s, label)
    assert recording.spans == datasets.load("mine")[0].spans == (Span(0, 50, "walking"),)


def test_samples_can_not_be_changed(folder) -> None:
    save(folder, counting(50))
    with pytest.raises(ValueError, match="read-only"):
        datasets.load("mine")[0].samples[0] = 1


# --- features -----------------------------------------------------------------------------------
def test_windows_never_cross_recordings_gaps_or_labels(folder) -> None:
    one = save(folder, counting(90), gaps=[(40, 3)])
    one.label_span(0.0, 0.5, None).label_span(6.3, 99, "running")
    save(folder, counting(45, start=1000), label="running")
    data = datasets.load("mine")
    pieces = data.pieces()
    assert [len(piece) for piece in pieces.samples] == [45, 35, 20, 30]
    assert pieces.labels.tolist() == ["running", "walking", "walking", "running"]
    assert pieces.recording.tolist() == [0, 1, 1, 1]

    features = motion_features(data, window=20, hop=5)
    assert features.y.tolist() == ["running"] * 6 + ["walking"] * 4 + ["walking"] + ["running"] * 3
    rows, _ = windows(pieces.samples, 20, 5)
    for row in rows:  # whatever is next to each other was so in the recording
        assert (np.diff(row[:, 0]) == 1).all()
    assert data.groups[features.recording].tolist() == ["running-001"] * 6 + ["walking-001"] * 8
    assert features.metadata()["rate_hz"] == 10.0


def test_features_are_the_same_as_of_the_data_set_they_were_recorded_from(folder) -> None:
    """Recordings of differing lengths, and the array of equal ones: one code, the same numbers."""
    builtin = datasets.load("basic_motions")
    rows = [0, 25, 50]
    about = {
        "channels": list(builtin.channels),
        "units_per_lsb": builtin.units_per_lsb.tolist(),
        "channel_units": list(builtin.channel_units),
    }
    for row in rows:
        save(folder, builtin.samples[row], label=str(builtin.labels[row]), **about)
    features = motion_features(datasets.load("mine"))
    X, owner = extract(builtin.samples[rows])
    order = sorted(range(3), key=lambda i: str(builtin.labels[rows[i]]))
    assert np.array_equal(features.X, np.concatenate([X[owner == i] for i in order]))
    assert features.metadata() == motion_features(builtin.part("train")).metadata()


def test_too_short_recordings_are_refused_not_ignored(folder) -> None:
    save(folder, counting(19))
    with pytest.raises(FeatureError, match=r"window of 20 .* has 19"):
        motion_features(datasets.load("mine"), window=20)


def test_a_list_of_recordings_must_have_the_same_channels() -> None:
    for wrong in ([], [noise(30, 1), noise(30, 2, channels=3)], [noise(30, 1)[:, 0]]):
        with pytest.raises(FeatureError, match="same channels"):
            extract(wrong)
    with pytest.raises(FeatureError, match="int16"):
        extract([noise(30, 1).astype(float)])


def test_groups_are_persons_else_sessions_else_recordings(folder) -> None:
    save(folder, noise(30, 1), person="Ada", session="monday")
    save(folder, noise(30, 2), session="monday")
    save(folder, noise(30, 3))
    groups = datasets.load("mine").groups.tolist()
    assert groups == ["person Ada", "session monday", "walking-003"]


# --- what must not be mixed ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "what"),
    [({"rate_hz": 50.0}, "rate.*walking-003: 50 Hz.*walking-001, walking-002: 10 Hz"),
     ({"channels": ["gyro_x", "gyro_y"]}, "channels.*walking-003: gyro_x"),
     ({"units_per_lsb": [0.002, 0.001]}, "units per count.*walking-003: 0.002"),
     ({"channel_units": ["g", "g"]}, "units.*walking-003: g, g")],
)  # fmt: skip
def test_mixtures_are_refused_and_the_odd_files_named(folder, change, what) -> None:
    for seed in (1, 2):
        save(folder, noise(30, seed))
    save(folder, noise(30, 3), **change)
    with pytest.raises(DataError, match=what) as caught:
        datasets.load("mine")
    assert caught.value.data["files"] == ["walking-003"]


def test_a_wrong_rate_gaps_and_unlabelled_stretches_are_noted(folder) -> None:
    save(folder, noise(100, 1), label=None, gaps=[(50, 4), (60, 0)],
         clocks=[(0, 0), (104, 11_000_000)])  # fmt: skip
    data = datasets.load("mine")
    assert data[0].rate_measured_hz == pytest.approx(104 / 11, abs=1e-4)
    notes = " ".join(data.notes)
    assert "measured 9.5 Hz, 5% too slow for 10 Hz" in notes
    assert "2 gaps, 4 or more samples lost" in notes and "10.0 s have no label" in notes
    html = data._repr_html_()
    assert "9.45 (-5%)" in html and "4 in 2" in html


def test_the_measured_rate_survives_a_restart_of_the_clock() -> None:
    first = [(n, n * 100_000) for n in range(0, 100, 5)]
    second = [(100 + n, n * 125_000) for n in range(0, 200, 5)]
    assert measured_rate_hz(first + second) == pytest.approx(8)
    assert measured_rate_hz(first[:3]) is None and measured_rate_hz([]) is None


@pytest.mark.parametrize("start", [0, 7, 60])
def test_recordings_that_share_samples_are_found(folder, start) -> None:
    one = noise(100, 1)
    save(folder, one)
    save(folder, np.concatenate([noise(33, 2), one[start:], noise(20, 3)]), label="b")
    data = datasets.load("mine")
    (duplicate,) = data.duplicates
    assert {duplicate.first, duplicate.second} == {"b-001", "walking-001"}
    assert 0 < duplicate.seconds <= (100 - start) / 10 and not duplicate.whole
    assert str(duplicate) in data.notes


def test_a_copy_is_a_duplicate_and_rest_is_none(folder) -> None:
    save(folder, noise(50, 1))
    save(folder, noise(50, 1), label="copy")
    save(folder, np.zeros((60, 2)), label="still")
    save(folder, np.zeros((80, 2)), label="still")
    (duplicate,) = datasets.load("mine").duplicates
    assert duplicate.whole and (duplicate.first, duplicate.second) == ("copy-001", "walking-001")


# --- loading ------------------------------------------------------------------------------------
def test_a_set_shows_what_is_in_it(folder) -> None:
    save(folder, noise(100, 1), person="<b>")
    save(folder, noise(50, 2), label="running")
    data = datasets.load("mine")
    assert data.classes == ("running", "walking")
    assert data.durations_s == {"running": 5.0, "walking": 10.0}
    assert repr(data) == (
        "<RecordingSet mine: 2 recordings, 2 channels at 10 Hz, running 5.0 s, walking 10.0 s>"
    )
    html = data._repr_html_()
    assert "running 33%" in html and "&lt;b&gt;" in html and "<b>&" not in html
    assert data["running-001"] is data[0] and len(data.select(["running-001"])) == 1
    with pytest.raises(DataError, match="no recording 'x'"):
        data["x"]


def test_a_folder_can_be_named_or_given_as_a_path(folder) -> None:
    save(folder, noise(30, 1))
    assert len(datasets.load("mine")) == len(datasets.load(folder)) == 1
    with pytest.raises(DataError) as caught:
        datasets.load("yours")
    assert "basic_motions, mine" in caught.value.mend


def test_an_empty_folder_is_no_data_set(folder) -> None:
    folder.mkdir(parents=True)
    with pytest.raises(DataError, match="no recording"):
        datasets.load("mine")


def test_a_npy_of_unknown_units_is_left_out_and_told(folder) -> None:
    save(folder, noise(30, 1))
    np.save(folder / "bare.npy", noise(30, 2))
    data = datasets.load("mine")
    assert len(data) == 1 and any(note.startswith("bare.npy is left out") for note in data.notes)


def damage_samples(npy, meta) -> None:
    npy.write_bytes(npy.read_bytes()[:-1] + b"?")


def damage_meta(npy, meta) -> None:
    meta.write_text(meta.read_text()[:-20])


def change_meta(**change):
    def changed(npy, meta) -> None:
        meta.write_text(json.dumps(json.loads(meta.read_text()) | change))

    return changed


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [(damage_samples, "SHA-256"), (damage_meta, "not laid out"),
     (change_meta(format=9), "format 9"), (change_meta(spans=[[0, 99, "x"]]), "outside"),
     (change_meta(gaps=[[0, 5]]), "outside"), (change_meta(channels=["a"]), "channels"),
     (change_meta(units_per_lsb=[1]), "units"), (change_meta(rate_hz="fast"), "not laid out"),
     (change_meta(rate_hz=float("nan")), "units or rate"), (change_meta(spans=7), "not laid out")],
)  # fmt: skip
def test_damaged_recordings_are_refused_by_name(folder, damage, complaint) -> None:
    save(folder, noise(30, 1))
    damage(folder / "walking-001.npy", folder / "walking-001.json")
    with pytest.raises(DataError, match=complaint) as caught:
        datasets.load("mine")
    assert "walking-001" in str(caught.value)


def test_own_recordings_can_be_replayed(folder) -> None:
    recording = save(folder, noise(100, 1))
    recording.label_span(0, 3, "Running fast")
    files = datasets.load("mine").replay_files(seconds=2)
    assert sorted(files) == ["/recordings/running_fast.npy", "/recordings/walking.npy"]

    assert np.array_equal(
        np.load(io.BytesIO(files["/recordings/walking.npy"])), noise(100, 1)[30:50]
    )


def test_a_copied_folder_is_the_same_set(folder, tmp_path) -> None:
    save(folder, noise(30, 1), gaps=[(10, 2)])
    shutil.copytree(folder, tmp_path / "copy")
    one, two = datasets.load(folder)[0], datasets.load(tmp_path / "copy")[0]
    assert (one.sha256, one.spans, one.gaps, one.meta) == (
        two.sha256,
        two.spans,
        two.gaps,
        two.meta,
    )
    assert {key: one.meta[key] for key in ABOUT} == ABOUT
