"""Wrong answers to the exercises of notebook 05, and what each check has to say about them."""


def _armv6m_for_all(mpy, there):
    return "armv6m" if "armv6m" in there else None


def _exact_or_none(mpy, there):
    from workshop_helpers.modules import arch_of

    return arch_of(mpy)[0] if arch_of(mpy)[0] in there else None


CORTEX_M = ["armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"]


def _one_after_its_own(mpy, there):
    """Right, but for a Cortex-M without a build of its own or a smaller one."""
    from workshop_helpers.modules import arch_of
    from workshop_helpers.modules.arch import compatible

    found = [arch for arch in compatible(arch_of(mpy)[0]) if arch in there]
    cortex = [arch for arch in CORTEX_M if arch in there]
    return next(iter(found or (cortex if arch_of(mpy)[0] in CORTEX_M else [])), None)


def _first_for_no_arch(mpy, there):
    from workshop_helpers.modules import arch_of
    from workshop_helpers.modules.arch import compatible

    arch = arch_of(mpy)[0]
    return next((a for a in compatible(arch) if a in there), None) if arch else there[0]


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
        ((_one_after_its_own,), "can't run what was made for a larger chip"),
        ((_first_for_no_arch,), "loads no native code at all"),
        ((lambda mpy, there: there[99],), "raised IndexError"),
    ],
}
