"""Official files from a real server: what the lock names, or nothing at all."""

from __future__ import annotations

import functools
import hashlib
import socket

import pytest
from http_site import Site, redirect, send

from workshop_helpers import paths
from workshop_helpers.errors import ModuleError, ModuleFetchError
from workshop_helpers.modules import official
from workshop_helpers.modules.lock import LockedModule, load_lock

GOOD = b"M\x06\x0b\x1f" + bytes(range(256)) * 9
LOCKED = LockedModule(
    "emlearn_thing",
    "x64",
    "6.3",
    "v9",
    "builds/v9/x64_6.3/emlearn_thing.mpy",
    len(GOOD),
    hashlib.sha256(GOOD).hexdigest(),
)


@pytest.fixture
def site():
    site = Site()
    yield site
    site.close()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, nobody known to be silent, and not the world's site."""
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WORKSHOP_MIRROR", "none")
    monkeypatch.setattr(official, "_silent", {})
    return tmp_path / "cache"


def left_behind(cache):
    return [path for path in cache.rglob("*") if path.is_file()]


def test_a_file_is_fetched_once(site):
    site.files[LOCKED.path] = GOOD
    assert official.fetch(LOCKED, site.url + "/").read_bytes() == GOOD
    site.files.clear()
    assert official.fetch(LOCKED, site.url).read_bytes() == GOOD
    assert official.fetch(LOCKED, patient=False).read_bytes() == GOOD  # nobody need be asked
    assert site.asked == ["/" + LOCKED.path]


def test_the_variable_names_the_mirror(site, monkeypatch):
    site.files[LOCKED.path] = GOOD
    monkeypatch.setenv("WORKSHOP_MIRROR", site.url)
    assert official.mirror_or_site() == site.url
    assert official.fetch(LOCKED).read_bytes() == GOOD
    monkeypatch.delenv("WORKSHOP_MIRROR")
    assert official.mirror_or_site() == load_lock().base


def test_a_redirect_is_followed(site):
    site.files[LOCKED.path] = redirect("/elsewhere")
    site.files["elsewhere"] = GOOD
    assert official.fetch(LOCKED, site.url).read_bytes() == GOOD


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (GOOD[:-1] + b"\0", "SHA-256"),
        (GOOD[:-1], f"{len(GOOD) - 1} bytes of {len(GOOD)}"),
        (GOOD + b"\0", f"more than {len(GOOD)} bytes"),
        (b"<html>Please log in</html>", "26 bytes of"),
        (b"", "0 bytes of"),
        (
            functools.partial(send, data=GOOD[:100], says_bytes=len(GOOD)),
            "100 bytes of|IncompleteRead",
        ),
    ],
    ids=["altered", "short", "long", "a log-in page", "empty", "cut off"],
)
def test_another_file_is_refused_and_leaves_nothing(site, cache, answer, says):
    site.files[LOCKED.path] = answer
    with pytest.raises(ModuleFetchError, match=says) as caught:
        official.fetch(LOCKED, site.url)
    assert caught.value.mend and site.url in caught.value.what
    assert left_behind(cache) == []
    site.files[LOCKED.path] = GOOD
    assert official.fetch(LOCKED, site.url).read_bytes() == GOOD


def test_a_damaged_cache_is_fetched_again(site, cache):
    site.files[LOCKED.path] = GOOD
    path = official.fetch(LOCKED, site.url)
    path.write_bytes(GOOD[:50])
    assert official.cached(LOCKED) is None
    with pytest.raises(ModuleFetchError, match="not in the cache"):
        official.fetch(LOCKED)
    assert official.fetch(LOCKED, site.url).read_bytes() == GOOD
    assert len(site.asked) == 2


def test_not_there(site):
    with pytest.raises(ModuleFetchError, match="404") as caught:
        official.fetch(LOCKED, site.url)
    assert caught.value.data["why"] == "refused"
    with pytest.raises(ModuleFetchError, match="404"):
        official.fetch(LOCKED, site.url, patient=False)
    assert len(site.asked) == 2  # one that answers is asked again


@pytest.mark.parametrize("how", ["hang", "drip"])
def test_one_that_does_not_answer_is_not_waited_for_again(site, cache, monkeypatch, how):
    monkeypatch.setattr(official, "QUICK_TIMEOUT_S", 0.3)
    site.files[LOCKED.path] = getattr(site, how)
    for _ in range(3):
        with pytest.raises(ModuleFetchError) as caught:
            official.fetch(LOCKED, site.url, patient=False)
        assert caught.value.data["why"] == "unreachable"
    assert f"{site.url} did not answer before (" in caught.value.what and "can't" not in str(caught)
    assert len(site.asked) == 1
    site.files[LOCKED.path] = GOOD
    assert official.fetch(LOCKED, site.url).read_bytes() == GOOD  # who insists, asks again
    assert len(site.asked) == 2


def test_nobody_is_to_be_asked(site, monkeypatch):
    """Whoever says so: the argument or the variable."""
    monkeypatch.setenv("WORKSHOP_MIRROR", site.url)
    with pytest.raises(ModuleFetchError, match="not in the cache, and nobody is to be asked"):
        official.fetch(LOCKED, "none")


def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ModuleFetchError, match=r"refused|reachable"):
            official.fetch(LOCKED, url)


def test_a_proxy_is_not_asked_for_a_near_mirror(site, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    site.files[LOCKED.path] = GOOD
    assert official.fetch(LOCKED, site.url).read_bytes() == GOOD


@pytest.mark.parametrize("as_address", [False, True])
def test_a_folder_as_mirror(tmp_path, as_address):
    folder = tmp_path / "a mirror"
    place = folder.as_uri() if as_address else str(folder)
    with pytest.raises(ModuleFetchError, match="has no emlearn_thing v9 for x64"):
        official.fetch(LOCKED, place)
    (folder / LOCKED.path).parent.mkdir(parents=True)
    (folder / LOCKED.path).write_bytes(GOOD[:-1] + b"\0")
    with pytest.raises(ModuleFetchError, match="SHA-256"):
        official.fetch(LOCKED, place)
    (folder / LOCKED.path).write_bytes(GOOD)
    assert official.fetch(LOCKED, place).read_bytes() == GOOD


@pytest.mark.parametrize("place", ["ftp://example.org/", "http://[nonsense", "http://"])
def test_what_can_not_be_a_mirror(place):
    with pytest.raises(ModuleFetchError, match="can't be a mirror"):
        official.fetch(LOCKED, place)


def test_an_address_as_people_type_it(site):
    site.files[f"my%20b%C3%BCndle/{LOCKED.path}"] = GOOD
    assert official.fetch(LOCKED, f"{site.url}/my bündle").read_bytes() == GOOD


def test_what_a_server_says_becomes_one_line(site):
    site.files[LOCKED.path] = redirect(f"/{LOCKED.path}")  # Python explains this in two
    with pytest.raises(ModuleFetchError, match="infinite loop") as caught:
        official.fetch(LOCKED, site.url)
    assert "\n" not in caught.value.what


# --- the lock ---------------------------------------------------------------------------------
def test_the_lock_is_whole():
    lock = load_lock()
    assert len(lock.modules) == 10 and len(lock.all()) == 60
    assert all(
        set(builds) == set(lock.modules["emlearn_trees"]) for builds in lock.modules.values()
    )
    assert len({locked.sha256 for locked in lock.all()}) == 60
    trees = lock.find("emlearn_trees", "x64")
    assert trees.path == f"builds/{lock.version}/x64_{lock.abi}/emlearn_trees.mpy"
    assert lock.find("emlearn_trees", "xtensa") is None and lock.find("nonsense", "x64") is None
    assert lock.licence == "MIT" and lock.base.startswith("https://")


@pytest.mark.parametrize(
    "change",
    [
        ("", "{"),
        ('"version": "v0.10.1"', '"version": "../.."'),
        ('"x64"', '"../x64"'),
        ('"sha256": "', '"sha256": "zz'),
        ('"abi"', '"abu"'),
    ],
)
def test_a_damaged_lock_is_said(tmp_path, change):
    text = (paths.NATIVE_MODULES / "upstream.json").read_text(encoding="utf-8")
    path = tmp_path / "upstream.json"
    path.write_text(text.replace(*change, 1))
    with pytest.raises(ModuleError, match=r"upstream\.json"):
        load_lock(path)
