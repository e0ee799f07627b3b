"""Import a module anew: (its file or None, None), as the smoke calls of native_modules answer."""


def _w_import_anew(name):
    import sys

    sys.modules.pop(name, None)
    return getattr(__import__(name), "__file__", None), None
