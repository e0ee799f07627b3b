"""The supervisor's loop: carries bytes between the port and the board."""

from __future__ import annotations

from .config import Config, FlashInUseError, NotAFlashError
from .feeder import Feeder
from .line_faults import LineFaults
from .machine import Machine
from .pacing import Pace
from .parent import Parent
from .platform_parts import Flash, PtyLink
from .socket_link import SocketLink
from .trouble import Trouble
from .waiting import READ, WRITE, wait

_CHUNK_BYTES = 65536
_PACED_CHUNK_BYTES = 256  # about what a UART's buffer holds
_DETACHED_LOOK_S = 0.02  # nothing tells us that a program opens the PTY
_FOREVER_S = 3600.0


class Loop:
    """One board, one port, one parent, one thread."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._to_host = bytearray()
        # A paced board feels its slow line: its program waits, and no long queue forms after it.
        self._to_host_bytes = _PACED_CHUNK_BYTES if config.bytes_per_s else _CHUNK_BYTES
        self._in_pace = Pace(config.bytes_per_s)
        self._out_pace = Pace(config.bytes_per_s)
        self._parent = Parent()
        self._line = LineFaults(config.faults)

    def run(self) -> None:
        """Until the parent is gone or wants no more."""
        try:
            flash = Flash(self._config.flash, self._config.flash_size_bytes)
        except (OSError, FlashInUseError, NotAFlashError) as error:
            self._parent.tell(event="no_flash", kind=type(error).__name__, why=str(error))
            return
        self._machine = Machine(self._config, flash, self._parent.tell)
        self._feeder = Feeder(self._machine)
        self._link = PtyLink() if self._config.transport == "pty" else SocketLink()
        self._trouble = Trouble(self._config.faults, self._link, self._machine, self._parent.tell)
        self._parent.tell(event="port", port=self._link.port)
        self._machine.power_on()
        try:
            self._trouble.begin()
            while not self._parent.ended:
                self._turn()
        finally:
            self._machine.power_cut()
            self._link.close()
            flash.close()

    def _turn(self) -> None:
        """Wait until something can be done, and do it."""
        attached = self._link.attached
        events, wait_s = self._wanted(attached)
        ready = wait(events, wait_s)

        if self._parent.fd in ready:
            self._obey()
        if self._wants_input and (not attached or ready & set(self._link.fds_to_read())):
            size = self._in_pace.allowed(_CHUNK_BYTES)
            data = self._link.read(size) if size else b""
            self._in_pace.passed(len(data))
            data, answer = self._line.to_board(data)
            self._feeder.add(data)
            self._to_host += answer
        child = self._machine.child
        if child is not None and ready & {child.stdout, child.control}:
            said = self._machine.listen()
            self._to_host += self._line.to_host(said) if attached else said
        if self._machine.child is None:
            self._feeder.clear()
        self._feeder.feed()
        self._send()
        if self._trouble.turn(self._line.take_events()):
            self._feeder.clear()
            self._to_host.clear()

    @property
    def _wants_input(self) -> bool:
        return not (self._feeder.is_full or self._line.stalled_s)

    def _wanted(self, attached: bool) -> tuple[dict[int, int], float]:
        """What to wait for: file descriptors with their events, and how long at most."""
        events = {self._parent.fd: READ}
        stalled_s = self._line.stalled_s
        waits_s = [_FOREVER_S, self._trouble.wait_s(), stalled_s or _FOREVER_S]
        if not attached and self._config.transport == "pty":
            waits_s.append(_DETACHED_LOOK_S)  # its poll would not wait
        elif self._wants_input:
            if self._in_pace.allowed(1):
                events |= dict.fromkeys(self._link.fds_to_read(), READ)
            else:
                waits_s.append(self._in_pace.wait_s())
        if self._to_host and attached and not stalled_s:
            if self._out_pace.allowed(1):
                for fd in self._link.fds_to_write():
                    events[fd] = events.get(fd, 0) | WRITE
            else:
                waits_s.append(self._out_pace.wait_s())
        child = self._machine.child
        if child is not None:
            events[child.control] = READ
            if len(self._to_host) < self._to_host_bytes:
                events[child.stdout] = READ
            if self._feeder.can_feed and self._machine.input is not None:
                look_s = self._feeder.look_again_s()
                if look_s is None:
                    events[self._machine.input.writer] = WRITE
                else:
                    waits_s.append(look_s)
        return events, min(waits_s)

    def _send(self) -> None:
        if self._to_host and not self._link.attached:
            self._to_host.clear()  # nobody listens: lost, as on a UART
        if self._line.stalled_s:
            return
        size = self._out_pace.allowed(min(len(self._to_host), _CHUNK_BYTES))
        if size:
            written = self._link.write(bytes(self._to_host[:size]))
            self._out_pace.passed(written)
            del self._to_host[:written]

    def _obey(self) -> None:
        """Do what the parent wants."""
        for command in self._parent.commands():
            if command == b"power_cut":
                self._machine.power_cut()
                self._feeder.clear()
                self._parent.tell(event="power_cut")
            elif command == b"power_on":
                self._machine.power_on()
