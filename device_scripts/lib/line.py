"""The bytes of a record: viper where the firmware compiles it, else plain Python, same bytes.

Purpose: `import line` gives line_viper.py or line_plain.py.
Runs under: MicroPython and CPython.
Memory: see there.
"""

try:
    from line_viper import base64, copy, number, samples, seal
except SyntaxError:  # no native emitter in this firmware
    from line_plain import base64, copy, number, samples, seal

__all__ = ["base64", "copy", "number", "samples", "seal"]
