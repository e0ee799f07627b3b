"""Wrong answers to the exercises of notebook 05, and what each check has to say about them."""


def _armv6m_for_all(mpy, there):
    return "armv6m" if "armv6m" in there else None


def _exact_or_none(mpy, there):
    from workshop_helpers.modules import arch_of

    return arch_of(mpy)[0] if arch_of(mpy)[0] in there else None


WRONG = {
    "05.1": [
        ((None, None), "Two answers are wanted"),
        ((7, "6.3"), "is its name"),
        (("m33", "6.3"), "not one of ARCHES"),
        (("armv6m", "6.3"), "Not armv6m"),
        (("armv7emsp", 6.3), "as text"),
        (("armv7emsp", "6.6"), "bits 0 to 9"),
    ],
    "05.2": [
        ((_armv6m_for_all,), "an exact match is there"),
        ((_exact_or_none,), "nearest before it is armv7m"),
        ((lambda mpy, there: there[99],), "raised IndexError"),
    ],
}
