"""Becomes the board's MicroPython: loads the interpreter into this process and runs it.

Started by the supervisor, once for every reset, as `python -I -S interpreter.py <module file>
<boot folder> <mode> <cause> <id> <faults> <interpreter options...>`. `-I -S` starts in
milliseconds and reads nothing of the user's set-up.

Two things of the interpreter differ from a board's, and both are mended from here, through symbols
that its module exports:

- Its Ctrl-C is the signal SIGINT, which ends the process whenever no Python code runs. So SIGUSR1
  is bound to the function that a board's UART interrupt calls; the supervisor sends it, and only
  while the interpreter has its own Ctrl-C switched on (`micropython.kbd_intr` included).
- It starts in the friendly REPL, where a board stays in the raw REPL over a soft reset.
"""

import ctypes
import fcntl
import importlib.machinery
import importlib.util
import os
import signal
import struct
import sys
import termios

assert sys.platform != "win32"

SOFT_RESET_CODE = 64  # as machine.py has it; plus 1 in the raw REPL
FLASH_FD = 4
_OUT_OF_THE_WAY = 200  # of the numbers that the files of a program get
TERMINAL_FD = 5
"""Hangs up when the supervisor dies, which ends this process. 0 to 3 are MicroPython's."""


def main() -> None:
    path, boot_dir, mode, cause, unique_id, faults, *options = sys.argv[1:]
    _end_with_supervisor()
    os.chdir(boot_dir)
    flash = fcntl.fcntl(FLASH_FD, fcntl.F_DUPFD, _OUT_OF_THE_WAY)
    os.close(FLASH_FD)

    loader = importlib.machinery.ExtensionFileLoader("micropython_module", path)
    spec = importlib.util.spec_from_loader("micropython_module", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    symbols = ctypes.CDLL(path)
    _bind_ctrl_c(symbols)
    repl_mode = ctypes.c_int.in_dll(symbols, "pyexec_mode_kind")
    repl_mode.value = mode == "raw"

    _fence_in(boot_dir)
    chip = {"x86_64": "x64"}.get(os.uname().machine, os.uname().machine)
    boot = ["boot_flash.py", str(flash), str(os.fstat(flash).st_size), mode, cause, unique_id]
    module.run_main(["micropython", *options, "-i", *boot, chip, faults])
    os._exit(SOFT_RESET_CODE + (repl_mode.value != 0))


def _end_with_supervisor() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.setsid()
    fcntl.ioctl(TERMINAL_FD, termios.TIOCSCTTY, 0)
    os.close(TERMINAL_FD)


def _bind_ctrl_c(symbols: ctypes.CDLL) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    libc = ctypes.CDLL(None)
    libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    libc.signal.restype = ctypes.c_void_p
    address = ctypes.cast(symbols.mp_sched_keyboard_interrupt, ctypes.c_void_p).value
    libc.signal(signal.SIGUSR1, address)
    libc.siginterrupt(signal.SIGUSR1, 1)  # so that it ends a read() or a sleep


def _fence_in(boot_dir: str) -> None:
    """Let the kernel refuse all files but the boot files, where it can: Linux 5.13 (Landlock).

    The boot files hide the host's file system from a board's code; this holds even for code that
    digs for it. Elsewhere nothing is done.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    every_access, read_access = 0x1FFF, 0xC
    rules = libc.syscall(444, struct.pack("Q", every_access), 8, 0)
    if rules < 0:
        return
    folder = os.open(boot_dir, os.O_PATH)
    libc.syscall(445, rules, 1, struct.pack("=Qi", read_access, folder), 0)
    libc.prctl(38, 1, 0, 0, 0)  # no new privileges, which the kernel asks for first
    libc.syscall(446, rules, 0)
    os.close(folder)
    os.close(rules)


if __name__ == "__main__":
    main()
