"""Who can reach a server of ours."""

from __future__ import annotations

OPEN = "Not on this laptop only: whoever is in these networks can reach it."


def loopback_only(host: str) -> bool:
    """Whether an address to listen on is this laptop's own."""
    return host.startswith("127.") or host in ("localhost", "::1")
