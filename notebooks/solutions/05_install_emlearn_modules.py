# %% 05.1
pico2_arch, pico2_abi = arch_of(7942)
check("05.1", pico2_arch, pico2_abi)

# %% 05.2
CORTEX_M = ["armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"]

def choose(mpy, there):
    arch, abi = arch_of(mpy)
    if arch not in CORTEX_M:
        return arch if arch in there else None
    loads = CORTEX_M[: CORTEX_M.index(arch) + 1]
    return next((a for a in reversed(loads) if a in there), None)

check("05.2", choose)
