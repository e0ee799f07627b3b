"""The cache: where it is, and what happens where it can't be."""

from __future__ import annotations

import os
import sys

import pytest

from workshop_helpers import paths
from workshop_helpers.errors import SetupError

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and XDG_CACHE_HOME")
NOT_WRITABLE = "/proc/nope"  # not even for root


@pytest.fixture
def no_cache(tmp_path, monkeypatch):
    """A system whose cache folder can't be made; yields its temporary folder."""
    monkeypatch.delenv("WORKSHOP_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", NOT_WRITABLE)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    paths._temporary_cache.cache_clear()
    yield tmp_path
    paths._temporary_cache.cache_clear()


def test_the_named_cache_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "a" / "b"))
    assert paths.cache_dir() == tmp_path / "a" / "b"
    assert paths.cache_dir().is_dir()


@LINUX
@pytest.mark.parametrize("place", [NOT_WRITABLE, "/dev/null", "/dev/null/x"])
def test_a_named_cache_that_can_not_be_is_refused(place, monkeypatch):
    monkeypatch.setenv("WORKSHOP_CACHE", place)
    with pytest.raises(SetupError, match=place) as caught:
        paths.cache_dir()
    assert "WORKSHOP_CACHE" in caught.value.mend


@LINUX
def test_a_temporary_cache_stands_in_and_is_said_once(no_cache, capsys):
    path = paths.cache_dir()
    assert path == paths.cache_dir() == no_cache / f"emlearn-workshop-{os.getuid()}"
    assert path.stat().st_mode & 0o777 == 0o700
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and str(path) in err and NOT_WRITABLE in err


@LINUX
def test_the_temporary_cache_of_before_is_taken_again(no_cache):
    (paths.cache_dir() / "kept").touch()
    paths._temporary_cache.cache_clear()
    assert (paths.cache_dir() / "kept").exists()


@LINUX
def test_a_temporary_folder_that_others_may_write_is_refused(no_cache):
    place = no_cache / f"emlearn-workshop-{os.getuid()}"
    place.mkdir()
    place.chmod(0o777)
    with pytest.raises(SetupError, match="not a folder of yours alone"):
        paths.cache_dir()


@LINUX
def test_a_link_in_its_place_is_refused(no_cache, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (no_cache / f"emlearn-workshop-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SetupError, match="not a folder of yours alone"):
        paths.cache_dir()


@LINUX
def test_no_home_at_all(no_cache, monkeypatch):
    """platformdirs then answers with a relative path, which would be made in the current folder."""
    monkeypatch.setattr(
        "workshop_helpers.paths.platformdirs.user_cache_dir", lambda name: f"~/.cache/{name}"
    )
    assert paths.cache_dir().parent == no_cache
