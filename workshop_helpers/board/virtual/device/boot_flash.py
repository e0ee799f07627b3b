"""What a board's firmware does between power and prompt: mount the flash, run boot.py and main.py.

Runs first on the interpreter, as `boot_flash.py <n_blocks> <mode> <cause> <id>`, with this folder
on `sys.path` and the host's files still there; ends with neither. File descriptor 3 tells the
supervisor things, 4 is the flash.
"""

import micropython

micropython.kbd_intr(-1)  # a Ctrl-C must not end up in a prompt with the host's files


def _boot():
    import gc
    import io
    import sys

    import os as real_os
    import vfs as real_vfs

    argv = sys.argv
    interrupts = micropython.kbd_intr
    n_blocks, mode, cause, unique_id = int(argv[1]), argv[2], argv[3], argv[4]
    sys.path[0] = ""  # so that these modules are known by their names, not by where they lie
    import block_device
    import board_machine
    import board_os
    import board_vfs

    control = open(3, "wb")
    board_machine.set_up(control, cause, unique_id)
    for name, module in (("os", board_os), ("vfs", board_vfs), ("machine", board_machine)):
        module.__name__ = name
        del module.__file__
        sys.modules[name] = sys.modules["u" + name] = module
        del sys.modules["board_" + name]
    del sys.modules["block_device"]

    device = block_device.FlashFile(open(4, "r+b"), n_blocks)
    try:
        file_system = real_vfs.VfsLfs2(device)
    except OSError:
        real_vfs.VfsLfs2.mkfs(device)
        file_system = real_vfs.VfsLfs2(device)
    real_vfs.umount("/")
    real_vfs.mount(file_system, "/")
    real_os.chdir("/")
    sys.path[:] = ["", ".frozen", "/lib"]
    argv[:] = []

    def run(name):
        """True if there was no such file or it ran to its end."""
        try:
            real_os.stat(name)
        except OSError:
            return True
        try:
            execfile(name, main_globals)
        except SystemExit:
            raise
        except BaseException as error:
            text = io.StringIO()
            sys.print_exception(error, text)
            lines = text.getvalue().split("\n")
            sys.stdout.write("\n".join(lines[:1] + lines[2:]))  # without this function's line
            return False
        return True

    main_globals = globals()
    for name in ("_boot", "micropython", "__file__"):
        main_globals.pop(name, None)
    gc.collect()
    interrupts(3)
    control.write(b"B")
    if run("boot.py") and mode == "friendly":
        run("main.py")
    main_globals.pop("__file__", None)


try:
    _boot()
except SystemExit:
    raise
except BaseException as error:
    import sys

    sys.print_exception(error)
    open(3, "wb").write(b"F")
    raise
