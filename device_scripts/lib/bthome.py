"""BTHome v2: measurements in a Bluetooth LE advertisement that home automation reads by itself.

Runs under: MicroPython and CPython, with the same bytes.
Format: https://bthome.io/format/ (the objects below only, without encryption).
Memory: an advertisement has 31 bytes.
The bytes are tested against the published examples, where there is one. Sending them needs a
board's radio, which this project has not tried:
`bluetooth.BLE().gap_advertise(interval_us, adv_data=...)`.

    payload = service_data([("temperature", 25), ("humidity", 50.55)])
    advertisement(payload, "shed")
"""

# name: (object id, bytes, signed, factor). An object's value is sent as value / factor.
OBJECTS = {
    "packet": (0x00, 1, False, 1),
    "battery": (0x01, 1, False, 1),
    "temperature": (0x02, 2, True, 0.01),
    "humidity": (0x03, 2, False, 0.01),
    "count": (0x09, 1, False, 1),
    "voltage": (0x0C, 2, False, 0.001),
    "on": (0x0F, 1, False, 1),
    "motion": (0x21, 1, False, 1),
    "vibration": (0x2C, 1, False, 1),
    "moisture": (0x2F, 1, False, 1),
    "count16": (0x3D, 2, False, 1),
    "count32": (0x3E, 4, False, 1),
    "acceleration": (0x51, 2, False, 0.001),
}
UUID = b"\xd2\xfc"  # 0xFCD2, little end first
PLAIN_V2 = 0x40
FLAGS = b"\x02\x01\x06"
LONGEST = 31


def service_data(values):
    """UUID, device information, and the objects in the order of their ids, as the format asks.

    `values`: pairs of a name in OBJECTS and a number; a name may come twice. ValueError for a
    number that its object can't hold.
    """
    out = bytearray(UUID)
    out.append(PLAIN_V2)
    for ident, name, value in sorted([(OBJECTS[name][0], name, v) for name, v in values]):
        size, signed, factor = OBJECTS[name][1:]
        number = int(value / factor + (0.5 if value >= 0 else -0.5))
        low, high = (
            (-(1 << (8 * size - 1)), 1 << (8 * size - 1)) if signed else (0, 1 << (8 * size))
        )
        if not low <= number < high:
            raise ValueError("%s %s is out of range" % (name, value))
        out.append(ident)
        for shift in range(0, 8 * size, 8):
            out.append((number >> shift) & 255)
    return bytes(out)


def advertisement(payload, name=""):
    """Flags, service data and, if there is one, a name. ValueError beyond 31 bytes."""
    text = name.encode()
    parts = FLAGS + (bytes((len(text) + 1, 0x09)) + text if text else b"")
    whole = parts + bytes((len(payload) + 1, 0x16)) + payload
    if len(whole) > LONGEST:
        raise ValueError("%d bytes; an advertisement has %d" % (len(whole), LONGEST))
    return whole


def parse(advertised):
    """(name, [(object, value), ...]) of an advertisement. ValueError if it is not BTHome v2."""
    name, found, at = "", None, 0
    while at + 1 < len(advertised):
        size = advertised[at]
        kind, data = advertised[at + 1], advertised[at + 2 : at + 1 + size]
        if kind in (0x08, 0x09):
            name = bytes(data).decode()
        elif kind == 0x16 and bytes(data[:2]) == UUID:
            found = _objects(data[2:])
        at += 1 + size
    if found is None:
        raise ValueError("no BTHome service data in it")
    return name, found


def _objects(data):
    if bytes(data[:1]) != bytes((PLAIN_V2,)):
        raise ValueError("encrypted, or another version: %r" % bytes(data[:1]))
    by_id = {entry[0]: name for name, entry in OBJECTS.items()}
    found, at = [], 1
    while at < len(data):
        if data[at] not in by_id:
            raise ValueError("object 0x%02x is not known here" % data[at])
        name = by_id[data[at]]
        size, signed, factor = OBJECTS[name][1:]
        if at + 1 + size > len(data):
            raise ValueError("cut short in %s" % name)
        number = 0
        for i in range(size):
            number |= data[at + 1 + i] << (8 * i)
        if signed and number >> (8 * size - 1):
            number -= 1 << (8 * size)
        found.append((name, number * factor if factor != 1 else number))
        at += 1 + size
    return found
