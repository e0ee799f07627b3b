"""What a board's firmware does between power and prompt: mount the flash, run boot.py and main.py.

Runs first on the interpreter, as `boot_flash.py <file descriptor of the flash> <its bytes> <mode>
<cause> <id> <chip> <faults>`, with this folder on `sys.path` and the host's files still there; ends
with neither.
File descriptor 3 tells the supervisor: F failed, B booted (boot.py comes next), P prompt comes
next, S soft reset me, R reset me, D the supply dips.
"""

import micropython

micropython.kbd_intr(-1)  # a Ctrl-C must not end up in a prompt with the host's files


def _hide_host(control, cause, unique_id, chip):
    """From now on `import os` and the like give a board's modules. The real `os` and `vfs`."""
    import os as real_os
    import sys

    import vfs as real_vfs

    sys.path[0] = ""  # so that these modules are known by their names, not by where they lie
    import board_machine
    import board_os
    import board_sys
    import board_vfs

    board_sys.set_up(chip)
    board_os.set_up(board_sys.implementation)
    board_machine.set_up(control, cause, unique_id)
    modules = (("os", board_os), ("vfs", board_vfs), ("machine", board_machine), ("sys", board_sys))
    for name, module in modules:
        module.__name__ = name
        del module.__file__
        if hasattr(module, "set_up"):
            del module.set_up
        sys.modules[name] = sys.modules["u" + name] = module
        del sys.modules["board_" + name]
    return real_os, real_vfs


def _mount(flash, size, os, vfs, Chip=None):
    import sys

    import flash_chip

    del sys.modules["flash_chip"]
    if not hasattr(vfs, "VfsLfs2"):  # Windows: a folder stands in for the flash
        os.chdir(flash)
        file_system = vfs.VfsPosix(".")
        vfs.umount("/")
        vfs.mount(file_system, "/")
        return None
    chip = (Chip or flash_chip.FlashChip)(open(int(flash), "r+b"), int(size))
    try:
        file_system = vfs.VfsLfs2(chip)
    except OSError:
        head = bytearray(16)
        for block in 0, 1:
            chip.readblocks(block, head)
            if head[8:] == b"littlefs":
                raise OSError("The flash holds a file system that is damaged or of another size.")
        vfs.VfsLfs2.mkfs(chip)
        file_system = vfs.VfsLfs2(chip)
    vfs.umount("/")
    vfs.mount(file_system, "/")
    return chip


def _run(name, main_globals):
    """Run a file as a board does; False if it raised."""
    import io
    import os
    import sys

    try:
        os.stat(name)
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


def _boot():
    import gc
    import sys

    control = open(3, "wb")
    try:
        flash, size, mode, cause, unique_id, chip, faults = sys.argv[1:]
        if faults != "none":
            import board_faults
        os, vfs = _hide_host(control, cause, unique_id, chip)
        disk = _mount(flash, size, os, vfs, faults != "none" and board_faults.TiredChip)
        os.chdir("/")
        sys.path[:] = ["", ".frozen", "/lib"]
        sys.argv[:] = []
        if faults != "none":
            del sys.modules["board_faults"]
            board_faults.begin(faults.split(","), disk, vfs, control)
    except BaseException as error:
        sys.print_exception(error)
        control.write(b"F")
        raise
    run, interrupts, main_globals = _run, micropython.kbd_intr, globals()
    for name in ("_boot", "_hide_host", "_mount", "_run", "micropython", "__file__"):
        main_globals.pop(name, None)
    gc.collect()
    control.write(b"B")
    said = b"P"
    try:
        interrupts(3)
        if run("boot.py", main_globals) and mode == "friendly":
            run("main.py", main_globals)
    except SystemExit:
        said = b"S"
    finally:
        interrupts(-1)
    main_globals.pop("__file__", None)
    gc.collect()
    control.write(said)
    while said == b"S":  # until the supervisor ends it
        pass


_boot()
