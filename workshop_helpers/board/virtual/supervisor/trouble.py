"""The faults that happen to the whole board: it is reset, unplugged, or held by another."""

from __future__ import annotations

import time
from collections.abc import Callable

from .faults import Faults
from .machine import Machine
from .platform_parts import PtyLink
from .socket_link import SocketLink

_FOREVER_S = 3600.0


class Trouble:
    """Does to the link and the machine what its line's bytes have called for."""

    def __init__(
        self,
        faults: Faults,
        link: PtyLink | SocketLink,
        machine: Machine,
        tell: Callable[..., None],
    ) -> None:
        self._faults = faults
        self._link = link
        self._machine = machine
        self._tell = tell
        self._back_at: float | None = None

    def begin(self) -> None:
        if self._faults.busy:
            self._link.hold()

    def wait_s(self) -> float:
        """How long until something has to be done."""
        return _FOREVER_S if self._back_at is None else max(0.0, self._back_at - time.monotonic())

    def turn(self, events: list[str]) -> bool:
        """Do what has to be done; True if all that was on its way is lost."""
        if "disconnect" in events:
            self._link.leave()
            self._machine.power_cut()
            if self._faults.away_s is not None:
                self._back_at = time.monotonic() + self._faults.away_s
        elif "reset" in events:
            self._machine.power_cut()
            self._machine.power_on()
        elif self._back_at is not None and time.monotonic() >= self._back_at:
            self._back_at = None
            self._link.come_back(self._faults.renamed)
            self._tell(event="port", port=self._link.port)
            self._machine.power_on()
        else:
            return False
        return True
