"""An official set of a test's own: a lock, and a server for its files."""

from __future__ import annotations

import hashlib
import json

from http_site import Site

from workshop_helpers import paths
from workshop_helpers.modules import drivers, lock


class OfficialSet:
    """A lock of the test's own, and a server for its files."""

    def __init__(self, folder, monkeypatch):
        self.site = Site()
        self._lock = folder / "upstream.json"
        self._data = json.loads((paths.NATIVE_MODULES / "upstream.json").read_bytes())
        self._data.update(version="v9", base=self.site.url, modules={})
        self._write()
        monkeypatch.setattr(lock, "lock_file", lambda: self._lock)
        self._drivers = folder / "drivers.json"
        self._drivers_data = json.loads(drivers.drivers_file().read_bytes())
        self._drivers_data.update(
            drivers={}, commit="c0ffee", url=self.site.url + "/raw/{commit}/{folder}/{module}.py"
        )
        self._write_drivers()
        monkeypatch.setattr(drivers, "drivers_file", lambda: self._drivers)

    def add(self, name: str, arch: str, data: bytes) -> str:
        entry = {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        self._data["modules"].setdefault(name, {})[arch] = entry
        self._write()
        path = lock.load_lock().modules[name][arch].path
        self.site.files[path] = data
        return path

    def add_driver(self, name: str, data: bytes) -> str:
        """A driver on the site, pinned; returns its path there."""
        sha256 = hashlib.sha256(data).hexdigest()
        entry = {"folder": "imu", "version": "1", "size_bytes": len(data), "sha256": sha256}
        self._drivers_data["drivers"][name] = entry
        self._write_drivers()
        path = f"raw/c0ffee/imu/{name}.py"
        self.site.files[path] = data
        return path

    def _write_drivers(self):
        self._drivers.write_text(json.dumps(self._drivers_data))

    def _write(self):
        self._lock.write_text(json.dumps(self._data))
