"""k-means on vectors of bytes, in viper.

Same API and answers as the plain twin `emlearn_kmeans_ref.py`, which spells out each step.
All in integers, and exact. Memory: a clustering needs 4 bytes for each channel of each cluster, 4
more for each cluster, and 1 byte a sample; its steps allocate nothing. `euclidean_argmin` allocates
the tuple that it returns; it belongs to one thread. It reads type, length and address of its
buffers where MicroPython 1.29 keeps them: a firmware that differs there is refused at import.
"""

from array import array

import micropython
from micropython import const

# What a step is told, int32
_CHANNELS = const(0)
_SIZE = const(1)  # bytes of all centroids
_VALUES = const(2)  # bytes of all samples
_INDEX = const(3)  # what it answers for the last sample: the nearest centroid
_DISTANCE = const(4)  # and its squared distance
_KINDS = const(5)  # types of what euclidean_argmin saw last
_CENTROIDS = const(8)  # addresses, two words each
_SAMPLES = const(10)
_ASSIGNED = const(12)

# MicroPython's bytes, bytearrays and arrays, in words of the machine: type, something, length,
# address of the elements. The build sets _WIDE to 1 for machines of 64 bits.
_WIDE = const(0)
_LENGTH = const(2 + 2 * _WIDE)  # in int32
_ADDRESS = const(3 + 3 * _WIDE)

_m = array("i", bytes(56))
_one = bytearray(1)


@micropython.viper
def _is_known(x, p: ptr8) -> bool:
    """Whether x, one byte at p, is kept as said above."""
    f = ptr32(x if 1 else 0)
    a = f[_ADDRESS]
    if _WIDE:
        a |= f[_ADDRESS + 1] << 32
    return a == int(p) and f[_LENGTH] == 1


for _x in (_one, bytes(_one), array("B", _one)):
    if not _is_known(_x, _x):
        raise RuntimeError("arrays are kept in another way in this firmware")


@micropython.viper
def _place(m: ptr32, centroids: ptr8, samples: ptr8, assigned: ptr8):
    """Tell a step where its buffers are."""
    m[_CENTROIDS] = int(centroids)
    m[_SAMPLES] = int(samples)
    m[_ASSIGNED] = int(assigned)
    if _WIDE:
        m[_CENTROIDS + 1] = int(centroids) >> 32
        m[_SAMPLES + 1] = int(samples) >> 32
        m[_ASSIGNED + 1] = int(assigned) >> 32


# The order of the locals matters: the first two of a function live in registers.
@micropython.viper
def _assign(p: ptr8) -> int:
    """Write the nearest centroid of each sample; how many of them are new there."""
    d = 0
    q = ptr8(int(p))
    m = ptr32(int(p))
    centroids = m[_CENTROIDS]
    q = ptr8(m[_SAMPLES])
    a = ptr8(m[_ASSIGNED])
    if _WIDE:
        centroids |= m[_CENTROIDS + 1] << 32
        q = ptr8(int(q) | m[_SAMPLES + 1] << 32)
        a = ptr8(int(a) | m[_ASSIGNED + 1] << 32)
    n = m[_CHANNELS]
    end = centroids + m[_SIZE]
    last = int(q) + m[_VALUES]
    changes = 0
    while int(q) < last:
        p = ptr8(centroids)
        best = 0x3FFFFFFF
        found = centroids
        while int(p) < end:
            # Most centroids are too far in their first channel.
            d = p[0] - q[0]
            d *= d
            if d < best:
                s = d
                stop = int(p) + n
                p = ptr8(int(p) + 1)
                q = ptr8(int(q) + 1)
                while int(p) + 3 < stop:
                    d = p[0] - q[0]
                    s = d * d + s
                    d = p[1] - q[1]
                    s = d * d + s
                    d = p[2] - q[2]
                    s = d * d + s
                    d = p[3] - q[3]
                    s = d * d + s
                    if s >= best:
                        break
                    p = ptr8(int(p) + 4)
                    q = ptr8(int(q) + 4)
                if s < best:
                    while int(p) < stop:
                        d = p[0] - q[0]
                        s = d * d + s
                        p = ptr8(int(p) + 1)
                        q = ptr8(int(q) + 1)
                    if s < best:
                        best = s
                        found = stop - n
                stop -= n
                q = ptr8(int(q) - int(p) + stop)
                p = ptr8(stop)
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
def _step(m, centroids, samples, assigned) -> int:
    _place(m, centroids, samples, assigned)
    return int(_assign(m))


@micropython.viper
def _update(p: ptr8, q: ptr8, t: ptr32, a: ptr8, sums: ptr32, m: ptr32):
    """Move each centroid in p to the mean of its samples in q, if it has any."""
    n = m[_CHANNELS]
    clusters = m[_SIZE] // n
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
    if type(x) not in (bytes, bytearray):
        # repr, because MicroPython's arrays do not tell their typecode otherwise.
        if not isinstance(x, array) or repr(x[:0]) != "array('B')":
            raise ValueError(what + ": want a bytearray or array 'B'")
    n = len(x)
    if n % divisor:
        raise ValueError("%s: want a multiple of %d" % (what, divisor))
    return n


def _see(vectors, point):
    """Tell the next step how large they are; whether their types tell that they are bytes."""
    n = _size(point, 1, "point")
    if not 1 <= n <= 16384:
        raise ValueError("channels %d, want 1..16384" % n)
    size = _size(vectors, n, "vectors")
    if not size:
        raise ValueError("no vectors")
    _m[_CHANNELS] = _m[_VALUES] = n
    _m[_SIZE] = size
    _place(_m, vectors, point, _one)
    return not (isinstance(vectors, array) or isinstance(point, array))


def _searcher(told, assign, see):
    """euclidean_argmin, with these three in a closure: to reach a global name takes longer.

    It looks into the two buffers itself, once it knows their types. `x if 1 else 0` is the address
    of an object to viper, which takes the type of the last branch. It is an object's if its lowest
    two bits are 0.
    """

    @micropython.viper
    def euclidean_argmin(vectors, point):
        v = ptr32(vectors if 1 else 0)
        p = ptr32(point if 1 else 0)
        m = ptr32(told if 1 else 0)
        m = ptr32(m[_ADDRESS] | m[_ADDRESS + _WIDE] << 32 * _WIDE)
        k = (int(v) | int(p)) & 3
        if k == 0:
            k = (v[0] ^ m[_KINDS]) | (p[0] ^ m[_KINDS + 1])
            if k == 0:
                k = (v[_LENGTH] ^ m[_SIZE]) | (p[_LENGTH] ^ m[_CHANNELS])
        if k == 0:
            m[_CENTROIDS] = v[_ADDRESS]
            m[_SAMPLES] = p[_ADDRESS]
            if _WIDE:
                m[_CENTROIDS + 1] = v[_ADDRESS + 1]
                m[_SAMPLES + 1] = p[_ADDRESS + 1]
        else:
            m[_KINDS] = 0
            if see(vectors, point):
                m[_KINDS] = v[0]
                m[_KINDS + 1] = p[0]
        assign(told)
        return m[_INDEX], m[_DISTANCE]

    return euclidean_argmin


euclidean_argmin = _searcher(_m, _assign, _see)


def cluster_iter(values, centroids, assignments, features, max_iter=10, stop_changes=0):
    sums = None
    m = array("i", _m)
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
        m[_CHANNELS] = features
        m[_SIZE] = k
        m[_VALUES] = size
        k += k // features
        if not sums or len(sums) != k:
            sums = array("i", bytes(4 * k))
        changes = _step(m, centroids, values, assignments)
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
