"""A real web server on loopback whose answers a test chooses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = bytes | Callable[[BaseHTTPRequestHandler], None]


class Site:
    """`files[path]` is what is given; a function writes its answer itself. Else 404."""

    def __init__(self) -> None:
        site = self
        self.files: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.ending = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                answer = site.files.get(self.path.lstrip("/"))
                if answer is None:
                    self.send_error(404)
                elif callable(answer):
                    answer(self)
                else:
                    send(self, answer)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def hang(self, handler: BaseHTTPRequestHandler) -> None:
        """Take the request and say nothing."""
        self.ending.wait(30)

    def drip(self, handler: BaseHTTPRequestHandler) -> None:
        """A byte now and then: alive for every timeout of a single read."""
        handler.send_response(200)
        handler.end_headers()
        while not self.ending.wait(0.05):
            handler.wfile.write(b".")

    def close(self) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()


def send(handler: BaseHTTPRequestHandler, data: bytes, says_bytes: int | None = None) -> None:
    """An answer that may promise more than it holds."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data) if says_bytes is None else says_bytes))
    handler.end_headers()
    handler.wfile.write(data)


def redirect(to: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.end_headers()

    return answer
