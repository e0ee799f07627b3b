"""k-means on vectors of bytes, in viper.

Same API and answers as the plain twin `emlearn_kmeans_ref.py`, which spells out each step.
All in integers, and exact. Memory: a clustering needs 4 bytes for each channel of each cluster, 4
more for each cluster, and 1 byte a sample; its steps allocate nothing. `euclidean_argmin` allocates
the tuple that it returns; it keeps references to its last two buffers, whose types it knows then,
and belongs to one thread.
"""

from array import array

import micropython
from micropython import const

# What a step is told, int32
_CHANNELS = const(0)
_CENTROIDS = const(1)  # bytes of all centroids
_VALUES = const(2)  # bytes of all samples
_INDEX = const(3)  # what it answers for the last sample: the nearest centroid
_DISTANCE = const(4)  # and its squared distance
_len = len  # found sooner among the module's names than among the built-in ones
_seen = array("i", bytes(20))
_vectors = _point = _seen  # what euclidean_argmin saw last; their sizes are in _seen
_one = bytearray(1)


# The order of the arguments matters: the first three locals of a function live in registers.
@micropython.viper
def _assign(p: ptr8, d: int, q: ptr8, a: ptr8, m: ptr32) -> int:
    """Write the nearest centroid in p of each sample in q to a; how many of them are new there."""
    n = m[_CHANNELS]
    centroids = int(p)
    end = centroids + m[_CENTROIDS]
    last = int(q) + m[_VALUES]
    changes = 0
    while int(q) < last:
        p = ptr8(centroids)
        found = centroids
        best = 0x3FFFFFFF
        v = q[0]
        while int(p) < end:
            # Most centroids are too far in their first channel.
            d = p[0] - v
            d *= d
            if d < best:
                s = d
                i = 1
                while i < n:
                    d = p[i] - q[i]
                    s = d * d + s
                    if s >= best:
                        break
                    i += 1
                if s < best:
                    best = s
                    found = int(p)
            p = ptr8(int(p) + n)
        d = (found - centroids) // n
        if a[0] != d:
            a[0] = d
            changes += 1
        a = ptr8(int(a) + 1)
        q = ptr8(int(q) + n)
        m[_INDEX] = d
        m[_DISTANCE] = best
    return changes


@micropython.viper
def _update(p: ptr8, q: ptr8, t: ptr32, a: ptr8, sums: ptr32, m: ptr32):
    """Move each centroid in p to the mean of its samples in q, if it has any."""
    n = m[_CHANNELS]
    clusters = m[_CENTROIDS] // n
    t = sums
    i = clusters * (n + 1)
    while i:
        i -= 1
        t[i] = 0
    last = int(q) + m[_VALUES]
    while int(q) < last:
        if a[0] < clusters:
            t = ptr32(int(sums) + (a[0] * (n + 1) << 2))
            t[n] += 1
            i = n
            while i:
                i -= 1
                t[i] += q[i]
        a = ptr8(int(a) + 1)
        q = ptr8(int(q) + n)
    t = sums
    while clusters:
        clusters -= 1
        if t[n]:
            i = n
            while i:
                i -= 1
                p[i] = t[i] // t[n]
        t = ptr32(int(t) + (n + 1 << 2))
        p = ptr8(int(p) + n)


def _size(x, divisor, what):
    """The length of a buffer of bytes, which are whole vectors."""
    # Eight bytes 255 read as 255 from an array 'B' only.
    if not isinstance(x, (bytes, bytearray)):
        if not isinstance(x, array) or (x[:0] + b"\xff" * 8)[0] != 255:
            raise ValueError(what + ": want a bytearray or array 'B'")
    n = len(x)
    if n % divisor:
        raise ValueError("%s: want a multiple of %d" % (what, divisor))
    return n


def _see(vectors, point):
    global _vectors, _point
    _point = _seen
    n = _size(point, 1, "point")
    if not 1 <= n <= 16384:
        raise ValueError("channels %d, want 1..16384" % n)
    size = _size(vectors, n, "vectors")
    if not size:
        raise ValueError("no vectors")
    _seen[_CHANNELS] = _seen[_VALUES] = n
    _seen[_CENTROIDS] = size
    _vectors = vectors
    _point = point


@micropython.viper
def euclidean_argmin(vectors, point):
    m = ptr32(_seen)
    if (
        point is not _point
        or vectors is not _vectors
        or int(_len(point)) != m[_CHANNELS]
        or int(_len(vectors)) != m[_CENTROIDS]
    ):
        _see(vectors, point)
    _assign(vectors, 0, point, _one, _seen)
    return m[_INDEX], m[_DISTANCE]


def cluster_iter(values, centroids, assignments, features, max_iter=10, stop_changes=0):
    sums = None
    for _ in range(max_iter):
        # Every time, as the caller may do what it likes with them meanwhile.
        if type(features) is not int or not 1 <= features <= 16384:
            raise ValueError("features %s, want 1..16384" % features)
        size = _size(values, features, "values")
        k = _size(centroids, features, "centroids")
        samples = _size(assignments, 1, "assignments")
        if isinstance(centroids, bytes) or isinstance(assignments, bytes):
            raise ValueError("centroids, assignments: can't write to bytes")
        if not 1 <= k // features <= 255:
            raise ValueError("%d clusters, want 1..255" % (k // features))
        if samples * features != size:
            raise ValueError("want %d assignments" % (size // features))
        m = array("i", (features, k, size, 0, 0))
        k += k // features
        if not sums or len(sums) != k:
            sums = array("i", bytes(4 * k))
        changes = _assign(centroids, 0, values, assignments, m)
        yield changes
        if changes <= stop_changes:
            break
        _update(centroids, values, sums, assignments, sums, m)


def cluster(values, centroids, features, **kwargs):
    if type(features) is not int or features < 1:
        raise ValueError("features %s, want 1..16384" % features)
    assignments = array("B", b"\xff" * (len(values) // features))
    for _ in cluster_iter(values, centroids, assignments, features, **kwargs):
        pass
    return assignments
