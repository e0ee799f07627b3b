"""What a board talks to in notebook 11, on this laptop and on loopback unless told otherwise:
an HTTP server, an MQTT broker in plain Python, and a client that listens to a broker."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from getpass import getpass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ..errors import CourseError
from ..network import OPEN, loopback_only
from ..start import say

_START_S = 15.0
_END_S = 1.0  # for clients to be told; then they are cut off
_LARGEST_BODY = 64 * 1024


class HttpReceiver:
    """A server that keeps what is posted to it: `records`, and `sizes_bytes` of the bodies."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        receiver = self
        self.records: list[Any] = []
        self.sizes_bytes: list[int] = []

        class Handler(BaseHTTPRequestHandler):
            timeout = 10  # for a board that falls silent

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length") or ""
                size = int(length) if length.isdigit() else -1
                if not 0 <= size <= _LARGEST_BODY:
                    self.send_error(413)
                    return
                try:
                    record = json.loads(self.rfile.read(size))
                except ValueError:
                    self.send_error(400)
                    return
                receiver.records.append(record)
                receiver.sizes_bytes.append(size)
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        with _address_of(host):
            self._server = ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True
        self.host, self.port = host, int(self._server.server_address[1])
        _tell_if_open(self)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __repr__(self) -> str:
        return f"<HTTP server on {self.host}:{self.port}: {len(self.records)} records>"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> HttpReceiver:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class MqttBroker:
    """A real MQTT 3.1.1 broker (amqtt) in a thread of its own. It asks for no password."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        with _address_of(host):
            self.host, self.port = host, port or _free_port(host)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._broker: Any = None
        logging.getLogger("amqtt").setLevel(logging.ERROR)
        logging.getLogger("transitions").setLevel(logging.ERROR)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_S) or self._error:
            raise CourseError(
                f"The MQTT broker did not start on port {self.port}: {self._error}.",
                "Run the cell again; it takes another port.",
            )
        _tell_if_open(self)

    def _run(self) -> None:
        from amqtt.broker import Broker

        asyncio.set_event_loop(self._loop)
        config = {
            "listeners": {"default": {"type": "tcp", "bind": f"{self.host}:{self.port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }

        async def start() -> None:
            self._broker = Broker(config)
            await self._broker.start()

        try:
            self._loop.run_until_complete(start())
        except BaseException as error:
            self._error = error
            self._ready.set()
            return
        self._ready.set()
        self._loop.run_forever()
        self._loop.close()

    def __repr__(self) -> str:
        return f"<MQTT broker on {self.host}:{self.port}>"

    def close(self) -> None:
        if self._thread.is_alive():
            ended = asyncio.run_coroutine_threadsafe(self._end(), self._loop)
            try:
                ended.result(_START_S)
            finally:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join(_START_S)

    async def _end(self) -> None:
        # Since Python 3.12 a server that ends waits for every connection, and amqtt leaves those
        # open that never said CONNECT.
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self._broker.shutdown()
        self._loop.set_exception_handler(lambda *_: None)  # that they are cut off is no error
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def __enter__(self) -> MqttBroker:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class MqttListener:
    """Subscribes to `topic` at a broker and keeps what comes: `messages`, (topic, bytes) each.

    Raises:
        CourseError: the broker can't be reached, or does not let us in.
    """

    def __init__(
        self,
        host: str,
        port: int,
        topic: str = "#",
        user: str | None = None,
        password: str | None = None,
    ) -> None:
        import paho.mqtt.client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        self.messages: list[tuple[str, bytes]] = []
        subscribed = threading.Event()
        refused: list[str] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        if user is not None:
            self._client.username_pw_set(user, password)

        def on_connect(client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
            if reason.is_failure:
                refused.append(str(reason))
                subscribed.set()
            else:
                client.subscribe(topic, qos=1)

        self._client.on_connect = on_connect
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_message = lambda _client, _data, message: self.messages.append(
            (message.topic, bytes(message.payload))
        )
        try:
            self._client.connect(host, port)
        except OSError as error:
            raise CourseError(
                f"No MQTT broker answers at {host}:{port}: {error}.", "Start the broker first."
            ) from None
        self._client.loop_start()
        if not subscribed.wait(_START_S) or refused:
            self.close()
            raise CourseError(
                f"The broker at {host}:{port} did not let us listen: {refused or 'silence'}.",
                "Check the user and the password.",
            )

    def wait_for(self, count: int, timeout_s: float = 10.0) -> list[tuple[str, bytes]]:
        """The messages, once there are `count`. Raises CourseError if they do not come in time."""
        _wait(lambda: len(self.messages) >= count, timeout_s, f"{count} messages")
        return self.messages

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> MqttListener:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def secret(name: str) -> str:
    """A password from the environment variable `name`, else asked for without showing it. It must
    never stand in a notebook: notebooks are shared."""
    return os.environ.get(name) or getpass(f"{name}: ")


def _tell_if_open(server: HttpReceiver | MqttBroker) -> None:
    if not loopback_only(server.host):
        say(f"{server!r}. {OPEN}")


def _wait(true: Callable[[], bool], timeout_s: float, what: str) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > end:
            raise CourseError(f"{what} did not come within {timeout_s:g} s.")
        time.sleep(0.02)


@contextmanager
def _address_of(host: str) -> Iterator[None]:
    """Say in words that this laptop has no such address."""
    try:
        yield
    except OSError as error:
        raise CourseError(
            f"Nothing can listen on {host}: {error.strerror or error}.",
            "Use 127.0.0.1 for this laptop alone, 0.0.0.0 for its networks as well.",
        ) from None


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
