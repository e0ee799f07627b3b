"""esptool from a bundle, with the network really cut off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bundle_project import CUT_OFF
from test_bundle_offline import cut

from workshop_helpers.bundle.flash_tools import get_flash_tools
from workshop_helpers.bundle.requirements import flash_hashes, this_platform, this_python
from workshop_helpers.errors import BundleError
from workshop_helpers.files import sha256_of

ROOT = Path(__file__).resolve().parents[1]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="not tried on Windows yet"),
]
ASK = """
import subprocess, sys
from workshop_helpers.errors import FlashToolError
from workshop_helpers.firmware.tools import esptool_environment
try:
    environment = esptool_environment()
except FlashToolError as error:
    sys.exit(f"refused: {error.what} {error.mend}")
subprocess.run([sys.executable, "-c", "import esptool; print(esptool.__version__)"],
               env=environment, check=True)
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A folder with a bundle's esptool; it is fetched, so this needs the network once."""
    folder = tmp_path_factory.mktemp("a bundle")
    try:
        get_flash_tools(folder / "flash", [(this_platform(), this_python())], lambda *facts: None)
    except BundleError as error:
        pytest.skip(str(error))
    return folder


def ask(tmp_path, **environment):
    return subprocess.run(
        [*cut(), sys.executable, "-c", ASK],
        cwd=ROOT,
        env={**os.environ, **CUT_OFF, "WORKSHOP_CACHE": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_bundle_holds_what_the_lock_names(bundle):
    files = list((bundle / "flash").iterdir())
    assert any(path.name.startswith("esptool-") and path.suffix == ".gz" for path in files)
    assert all(sha256_of(path) in flash_hashes() for path in files)


def test_esptool_comes_from_the_bundle(bundle, tmp_path):
    result = ask(tmp_path, WORKSHOP_BUNDLE=str(bundle))
    assert result.returncode == 0, result.stderr
    assert f"esptool-{result.stdout.strip()}.tar.gz" in os.listdir(bundle / "flash")


def test_without_a_bundle_it_is_refused_with_the_way_to_it(tmp_path):
    result = ask(tmp_path)
    assert result.returncode == 1
    assert "refused: esptool" in result.stderr and "use a bundle" in result.stderr


def test_a_changed_file_is_refused(bundle, tmp_path):
    (source,) = (bundle / "flash").glob("esptool-*.tar.gz")
    data = source.read_bytes()
    source.write_bytes(data + b"\0")
    try:
        result = ask(tmp_path, WORKSHOP_BUNDLE=str(bundle))
    finally:
        source.write_bytes(data)
    assert result.returncode == 1 and "refused" in result.stderr
