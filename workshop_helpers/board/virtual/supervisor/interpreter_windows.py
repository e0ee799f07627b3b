"""Becomes the board's MicroPython on Windows. Written against the documentation; not tried.

As interpreter.py, except that this interpreter exports no symbols: the supervisor follows its REPL
mode by what it writes.
"""

import importlib.machinery
import importlib.util
import os
import sys

assert sys.platform == "win32"

SOFT_RESET_CODE = 66  # as machine.py has it


def main() -> None:
    path, boot_dir, mode, cause, unique_id, faults, *rest = sys.argv[1:]
    folder, output, control, *options = rest
    os.chdir(boot_dir)
    for name, fd in ((output, 1), (control, 3)):
        pipe = os.open(name, os.O_WRONLY | os.O_BINARY)
        os.dup2(pipe, fd)
        os.close(pipe)
    os.dup2(1, 2)
    loader = importlib.machinery.ExtensionFileLoader("micropython_module", path)
    spec = importlib.util.spec_from_loader("micropython_module", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    boot = ["boot_flash.py", folder, "0", mode, cause, unique_id, "x64", faults]
    module.run_main(["micropython", *options, "-i", *boot])
    os._exit(SOFT_RESET_CODE)


if __name__ == "__main__":
    main()
