"""A bundle over plain HTTP on a local network: the files of its manifest and nothing else."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urlsplit

from ..errors import BundleError
from .manifest import MANIFEST, Manifest
from .pages import index_page, listing_page

PORT = 8765
_CONNECTION_TIMEOUT_S = 30.0
_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json", ".txt": "text/plain"}


class BundleServer:
    """Serves a bundle until closed; a context manager. Verify the bundle before.

    Args:
        folder: the bundle.
        host: address to listen on; the default is this laptop alone, "0.0.0.0" every network.
        port: 0 takes a free one.

    Raises:
        BundleError: it is no bundle, or the address can't be had.
    """

    def __init__(self, folder: Path | str, host: str = "127.0.0.1", port: int = PORT) -> None:
        self.folder = Path(folder)
        self.manifest = Manifest.read(self.folder)
        try:
            self._server = _Server((host, port), _Handler)
        except (OSError, OverflowError) as error:
            raise BundleError(
                f"Can't listen on {host}:{port}: {error}.", "Choose another --http-port or --host."
            ) from None
        self._server.bundle = self
        self.host, self.port = host, int(self._server.server_address[1])
        self._thread: threading.Thread | None = None

    @property
    def urls(self) -> list[str]:
        """Where it is found: one address, or this laptop's in every network it is in."""
        hosts = addresses() if self.host in ("0.0.0.0", "::", "") else [self.host]
        return [f"http://{f'[{h}]' if ':' in h else h}:{self.port}/" for h in hosts]

    def start(self) -> BundleServer:
        """Serve from a thread of its own."""
        self._thread = threading.Thread(target=self.serve_forever, name="bundle", daemon=True)
        self._thread.start()
        return self

    def serve_forever(self) -> None:
        """Serve until `close` or Ctrl-C."""
        self._server.serve_forever(0.1)

    def close(self) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(5)
            self._thread = None
        self._server.server_close()

    def __enter__(self) -> BundleServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def addresses() -> list[str]:
    """This laptop's IPv4 addresses, the one of the default route first; loopback if no other."""
    found: list[str] = []
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with probe, contextlib.suppress(OSError):
        probe.connect(("10.255.255.255", 9))  # sends nothing; it picks a route
        found.append(probe.getsockname()[0])
    with contextlib.suppress(OSError):
        found += socket.gethostbyname_ex(socket.gethostname())[2]
    usable = [a for a in dict.fromkeys(found) if not a.startswith("127.") and a != "0.0.0.0"]
    return usable or ["127.0.0.1"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = sys.platform != "win32"  # there, two servers would share a port
    bundle: BundleServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _CONNECTION_TIMEOUT_S
    protocol_version = "HTTP/1.1"
    # Head and body in one packet, at once: else each of a hundred small files waits 40 ms for an
    # acknowledgement.
    wbufsize, disable_nagle_algorithm = 1 << 16, True
    server_version, sys_version = "workshop-bundle", ""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, *args: object) -> None:
        """Nothing: forty laptops fetching a hundred files each are no news."""

    def _answer(self, with_body: bool) -> None:
        assert isinstance(self.server, _Server)
        bundle = self.server.bundle
        try:
            name = unquote(urlsplit(self.path).path, errors="strict").removeprefix("/")
        except ValueError:
            name = "?"
        if name in ("", "index.html"):
            self._send_text(index_page(bundle.manifest, self._own_url(bundle)), with_body)
        elif name in ("wheels/", "flash/"):
            files = bundle.manifest.files.items()
            listed = {n.removeprefix(name): facts for n, facts in files if n.startswith(name)}
            self._send_text(listing_page(name.rstrip("/"), listed), with_body)
        elif name in bundle.manifest.files or name == MANIFEST:
            self._send_file(bundle, name, with_body)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _own_url(self, bundle: BundleServer) -> str:
        """As the visitor calls this server, to copy into a command."""
        host = self.headers.get("Host", "")
        fits = re.fullmatch(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?", host)
        return f"http://{host}/" if fits else bundle.urls[0]

    def _send_text(self, text: str, with_body: bool) -> None:
        data = text.encode()
        self._head(len(data), _TYPES[".html"])
        if with_body:
            self.wfile.write(data)

    def _send_file(self, bundle: BundleServer, name: str, with_body: bool) -> None:
        path = bundle.folder / name
        try:
            with path.open("rb") as file:
                size = path.stat().st_size
                if name != MANIFEST and size != bundle.manifest.files[name][0]:
                    raise OSError
                self._head(size, _TYPES.get(path.suffix, "application/octet-stream"))
                if with_body:
                    shutil.copyfileobj(file, self.wfile, 1 << 18)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except OSError:
            self.send_error(HTTPStatus.GONE, "no longer what the manifest says")

    def _head(self, size_bytes: int, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size_bytes))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()
