"""Publishes to an MQTT 3.1.1 broker: connect, publish with QoS 0 or 1, stay alive, leave.

Runs under: MicroPython with sockets (a board with Wi-Fi, once it is connected) and CPython.
Memory: one packet; topics and payloads up to 64 KB, in practice far less.
No TLS, no subscriptions: for those use micropython-lib's `umqtt.simple`. This one is here since the
workshop runs without the Internet; every wait has a timeout.

    out = MqttPublisher("192.168.1.7", 1883, "pump-3")
    out.connect()
    out.publish("hall/pump-3", b"idle", qos=1)     bytes on the wire
"""

import socket
import struct

from http_post import send_all

REFUSED = {
    1: "another version of MQTT",
    2: "the client id",
    3: "no service",
    4: "user or password",
    5: "not authorised",
}


class MqttPublisher:
    def __init__(
        self, host, port, client_id, user=None, password=None, timeout_s=5, keepalive_s=60
    ):
        self._address = (host, port)
        self._hello = (client_id, user, password)
        self._timeout = timeout_s
        self._keepalive = keepalive_s
        self._sock = None
        self._packet = 0

    def connect(self):
        """OSError if the broker can't be reached or refuses, with its reason.

        A connection that there was before is closed: after an OSError this is the way back.
        """
        self._close()
        client_id, user, password = self._hello
        flags = 0x02  # a clean session
        payload = _text(client_id)
        if user is not None:
            flags |= 0x80
            payload += _text(user)
            if password is not None:
                flags |= 0x40
                payload += _text(password)
        body = _text("MQTT") + bytes((4, flags)) + struct.pack(">H", self._keepalive) + payload
        self._sock = socket.socket()
        if hasattr(self._sock, "settimeout"):
            self._sock.settimeout(self._timeout)
        try:
            self._sock.connect(socket.getaddrinfo(*self._address)[0][-1])
            self._send(0x10, body)
            answer = self._read(4)
            if answer[:2] != b"\x20\x02":
                raise OSError("this is no MQTT broker")
            if answer[3]:
                raise OSError("the broker refused: " + REFUSED.get(answer[3], str(answer[3])))
        except OSError:
            self._close()
            raise

    def publish(self, topic, payload, qos=0, retain=False):
        """Bytes of the packet. With QoS 1 the broker has it when this returns."""
        body = _text(topic)
        if qos:
            self._packet = self._packet % 65535 + 1
            body += struct.pack(">H", self._packet)
        sent = self._send(0x30 | (2 if qos else 0) | (1 if retain else 0), body + payload)
        if qos:
            answer = self._read(4)
            if answer != b"\x40\x02" + struct.pack(">H", self._packet):
                raise OSError("not the acknowledgement that was awaited")
        return sent

    def ping(self):
        """Within each keepalive time, if nothing is published."""
        self._send(0xC0, b"")
        if self._read(2) != b"\xd0\x00":
            raise OSError("no answer to a ping")

    def disconnect(self):
        if self._sock is not None:
            try:
                self._send(0xE0, b"")
            finally:
                self._close()

    def _close(self):
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _send(self, kind, body):
        if self._sock is None:
            raise OSError("not connected")
        head = bytearray([kind])
        size = len(body)
        while True:
            head.append(size & 127 | (128 if size > 127 else 0))
            size >>= 7
            if not size:
                break
        data = bytes(head) + body
        send_all(self._sock, data)
        return len(data)

    def _read(self, size):
        data = b""
        while len(data) < size:
            part = self._sock.recv(size - len(data))
            if not part:
                raise OSError("the broker closed the connection")
            data += part
        return data


def _text(text):
    data = text.encode()
    return struct.pack(">H", len(data)) + data
