"""Becomes the board's MicroPython: loads the interpreter into this process and runs it.

Started by the supervisor as `python -I -S interpreter.py <module file> <mode> <boot folder> <arguments...>`, once
for every reset. `-I -S` starts in a few milliseconds and reads nothing of the user's set-up.

Two things of the interpreter differ from a board, and both are mended from here, through symbols
of its own:

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
import sys
import termios

RAN_TO_ITS_END = 64
"""Exit status of a board that asked for a soft reset; plus 1 if it was in the raw REPL."""


TERMINAL_FD = 5
"""Hangs up when the supervisor dies, which ends this process. 3 and 4 are boot_flash.py's."""


def main() -> None:
    path, raw_repl, boot_dir = sys.argv[1], sys.argv[2] == "raw", sys.argv[3]
    os.chdir(boot_dir)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.setsid()
    fcntl.ioctl(TERMINAL_FD, termios.TIOCSCTTY, 0)
    os.close(TERMINAL_FD)
    loader = importlib.machinery.ExtensionFileLoader("micropython_module", path)
    spec = importlib.util.spec_from_loader("micropython_module", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)

    symbols = ctypes.CDLL(path)
    libc = ctypes.CDLL(None)
    libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    libc.signal.restype = ctypes.c_void_p
    libc.signal(
        signal.SIGUSR1, ctypes.cast(symbols.mp_sched_keyboard_interrupt, ctypes.c_void_p).value
    )
    libc.siginterrupt(signal.SIGUSR1, 1)
    mode = ctypes.c_int.in_dll(symbols, "pyexec_mode_kind")
    mode.value = raw_repl

    module.run_main(["micropython", *sys.argv[4:]])
    os._exit(RAN_TO_ITS_END + (mode.value != 0))


if __name__ == "__main__":
    main()
