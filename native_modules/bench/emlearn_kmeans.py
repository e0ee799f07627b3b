"""Colours of an image to their palette, and a palette from colours. See benchmarks/modules.py."""


def cases(module, folder):
    noise = random_bytes(3 * 500)
    for n in (1, 16, 256):
        yield "nearest of %d colours" % n, module.euclidean_argmin, noise[: 3 * n], noise[-3:]
    yield "nearest of 20 x 64 bytes", module.euclidean_argmin, noise[:1280], noise[-64:]
    # Five times from the same start, so that all do the same work.
    yield "cluster 500 colours, 8 of them, 5 rounds", cluster, module, noise, 3
    yield "cluster 60 x 25 bytes, 8 of them, 5 rounds", cluster, module, noise, 25


def cluster(module, values, features):
    centroids = values[: 8 * features]
    module.cluster(values, centroids, features, max_iter=5, stop_changes=-1)


def random_bytes(n):
    seed = 1
    made = bytearray(n)
    for i in range(n):
        seed = seed * 1103515245 + 12345 & 0x3FFFFFFF
        made[i] = seed >> 16 & 0xFF
    return made
