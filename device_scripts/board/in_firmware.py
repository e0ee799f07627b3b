"""Whether the firmware itself has a module, built in or frozen: found with no folder to search."""


def _w_in_firmware(name):
    import sys

    kept = sys.path[:]
    sys.path[:] = [".frozen"]
    sys.modules.pop(name, None)
    try:
        __import__(name)
        return True
    except ImportError:
        return False
    finally:
        sys.path[:] = kept
        sys.modules.pop(name, None)
