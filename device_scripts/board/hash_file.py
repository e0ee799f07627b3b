"""SHA-256 of a file in hex; None if the board can't compute it."""


def _w_hash_file(path):
    try:
        from hashlib import sha256
    except (ImportError, AttributeError):
        return None
    digest = sha256()
    block = bytearray(512)
    view = memoryview(block)
    with open(path, "rb") as file:
        while True:
            n = file.readinto(block)
            if not n:
                break
            digest.update(view[:n])
    return "".join("%02x" % byte for byte in digest.digest())
