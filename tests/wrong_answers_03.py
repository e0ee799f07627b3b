"""Wrong answers to the exercises of notebook 03, and what each check has to say about them."""

from workshop_helpers.firmware import PracticeChip


def stuck(board):
    return (PracticeChip(waiting=True),)


def held(board):
    chip = PracticeChip(waiting=True)
    chip.hold_boot()
    return (chip,)


def empty(board):
    return (PracticeChip(),)


WRONG = {
    "03.1": [
        ((lambda data: None,), "returns None"),
        ((lambda data: int.from_bytes(data[12:14], "big"),), "low byte comes first"),
        ((lambda data: data[12],), "two bytes"),
        ((lambda data: data[0],), "bytes 12 and 13 hold"),
        ((lambda data: data["chip"],), "TypeError"),
    ],
    "03.2": [
        ((7,), "practice chip"),
        (held, "BOOT is still held"),
        (stuck, "only at reset"),
        (empty, "no program in flash"),
    ],
    "03.3": [
        ((None,), "still None"),
        (("ESP32_GENERIC_C3-20251209-v1.27.0.bin",), "ESP32-C3"),
        (("ESP32_GENERIC-20251209-v1.27.0.bin",), "plain ESP32"),
        (("ESP32_GENERIC_S3-20251209-v1.27.0.bin",), "octal"),
        (("ESP32_GENERIC_S3-SPIRAM_OCT-20240602-v1.23.0.bin",), "too old"),
    ],
}
