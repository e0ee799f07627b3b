"""Posts a piece of JSON to a server, with a timeout, and says how many bytes it took.

Runs under: MicroPython with sockets (a board with Wi-Fi, once it is connected) and CPython.
Memory: the request, once; of the answer the first 512 bytes.
No TLS: for a laptop in the same room. The virtual board uses the laptop's own network.
"""

import json
import socket


def post(host, port, path, record, timeout_s=5):
    """(status, bytes sent). OSError if the server can't be reached or says nothing in time."""
    body = json.dumps(record).encode()
    head = (
        "POST %s HTTP/1.0\r\nHost: %s:%d\r\nContent-Type: application/json\r\n"
        "Content-Length: %d\r\n\r\n" % (path, host, port, len(body))
    )
    data = head.encode() + body
    sock = socket.socket()
    try:
        if hasattr(sock, "settimeout"):
            sock.settimeout(timeout_s)
        sock.connect(socket.getaddrinfo(host, port)[0][-1])
        send_all(sock, data)
        answer = sock.recv(512)
    finally:
        sock.close()
    if not answer.startswith(b"HTTP/"):
        raise OSError("no HTTP answer")
    return int(answer.split(b" ")[1]), len(data)


def send_all(sock, data):
    view = memoryview(data)
    sent = 0
    while sent < len(data):
        sent += sock.send(view[sent:])
