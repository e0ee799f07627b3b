"""One small file over HTTP(S), within a time and a size, for the official modules.

The libraries for it are loaded when they are needed: most starts of the workshop need no network.
"""

from __future__ import annotations

import queue
import threading
import time
from urllib.parse import urlsplit

from ..errors import ModuleFetchError

_BLOCK_BYTES = 16 * 1024


def download(url: str, *, size_bytes: int, timeout_s: float) -> bytes:
    """What `url` gives, at most one byte more than `size_bytes`, so that "too long" shows.

    A proxy is used as the system says, but never for this laptop or an address of a local network.

    Raises:
        ModuleFetchError: no answer within `timeout_s` all in all (`data["why"]` is "unreachable"),
            or another answer than the file ("refused"); `data["reason"]` is what was the matter.
    """
    import http.client
    import urllib.error

    if "@" in urlsplit(url).netloc:  # its parts would stand in what the libraries say
        reason = "users and passwords in addresses are not supported"
        raise ModuleFetchError(
            f"{url} can't be had: {reason}.",
            "Give an address without them.",
            why="unreachable",
            reason=reason,
        )
    # In a thread: looking up a name can't be given a timeout, and a slow answer comes in drops.
    answers: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
    end = time.monotonic() + timeout_s

    def work() -> None:
        try:
            answers.put(_read(url, size_bytes + 1, end))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=work, name="download", daemon=True).start()
    try:
        answer = answers.get(timeout=timeout_s)
    except queue.Empty:
        answer = TimeoutError(f"no answer in {timeout_s:g} s")
    if isinstance(answer, bytes):
        return answer
    if isinstance(answer, urllib.error.HTTPError):
        why, text = "refused", f"it answers {answer.code} {answer.reason}"
        answer.close()
    elif isinstance(answer, urllib.error.URLError):
        why, text = "unreachable", str(answer.reason)
    else:
        why, text = "unreachable", str(answer) or type(answer).__name__
    if not isinstance(answer, OSError | http.client.HTTPException | ValueError):
        raise answer
    text = " ".join(text.split()).rstrip(".")  # one line, whatever a server says
    raise ModuleFetchError(f"{url} can't be had: {text}.", why=why, reason=text) from None


def _read(url: str, limit_bytes: int, end: float) -> bytes:
    import urllib.parse
    import urllib.request

    handlers = [urllib.request.ProxyHandler({})] if _is_near(url) else []
    opener = urllib.request.build_opener(*handlers)
    # As a browser would send it: people type spaces and umlauts.
    url = urllib.parse.quote(url, safe="%/:?#[]@!$&'()*+,;=~")
    request = urllib.request.Request(url, headers={"User-Agent": "emlearn-workshop"})
    found = bytearray()
    with opener.open(request, timeout=max(0.1, end - time.monotonic())) as response:
        while len(found) < limit_bytes and time.monotonic() < end:
            block = response.read1(min(_BLOCK_BYTES, limit_bytes - len(found)))
            if not block:
                return bytes(found)
            found += block
    if len(found) < limit_bytes:
        raise TimeoutError("the answer came too slowly")
    return bytes(found)


def _is_near(url: str) -> bool:
    """Whether the host is this laptop or in a local network, by its address or name."""
    import ipaddress

    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan"))
