"""Import a module anew: (its file, or the folder that passes for a package, or None; None), as the
smoke calls of native_modules answer.
"""


def _w_import_anew(name):
    import sys

    sys.modules.pop(name, None)
    module = __import__(name)
    return getattr(module, "__file__", getattr(module, "__path__", None)), None
