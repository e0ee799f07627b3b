"""k-means on vectors of bytes, in plain Python: the readable twin of `emlearn_kmeans.py`.

Same API, same answers, same refusals; runs on MicroPython and on CPython. It is what a board gets
that can't run native code, and what the tests hold the viper module against.

Vectors follow one another in a bytearray or array 'B'; what is only read may be bytes, too.
"""

from array import array


def _size(x, divisor, what):
    """The length of a buffer of bytes, which are whole vectors."""
    if type(x) not in (bytes, bytearray):
        # repr, because MicroPython's arrays do not tell their typecode otherwise.
        if type(x) is not array or repr(x[:0]) != "array('B')":
            raise ValueError(what + ": want a bytearray or array 'B'")
    n = len(x)
    if n % divisor:
        raise ValueError("%s: want a multiple of %d" % (what, divisor))
    return n


def _nearest(vectors, size, values, at, n):
    """(index, squared distance) of the vector nearest to the n bytes from values[at] on."""
    found = (0, 1 << 30)
    for i in range(size // n):
        distance = 0
        for j in range(n):
            difference = vectors[n * i + j] - values[at + j]
            distance += difference * difference
        if distance < found[1]:
            found = (i, distance)
    return found


def euclidean_argmin(vectors, point):
    """(index, squared distance) of the vector nearest to the point; the first of equally near."""
    n = _size(point, 1, "point")
    if not 1 <= n <= 16384:
        raise ValueError("channels %d, want 1..16384" % n)
    size = _size(vectors, n, "vectors")
    if not size:
        raise ValueError("no vectors")
    return _nearest(vectors, size, point, 0, n)


def cluster_iter(values, centroids, assignments, features, max_iter=10, stop_changes=0):
    """Yield, after each assignment of samples to centroids, how many samples changed theirs.

    `assignments` (255: none yet) and `centroids` are written. A centroid moves to the mean of its
    samples, rounded down; one without samples stays. Ends when no more than `stop_changes` changed.
    """
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
        changes = 0
        for s in range(samples):
            i, _ = _nearest(centroids, k, values, s * features, features)
            if assignments[s] != i:
                assignments[s] = i
                changes += 1
        yield changes
        if changes <= stop_changes:
            break
        _update(values, centroids, assignments, features)


def _update(values, centroids, assignments, n):
    clusters = len(centroids) // n
    sums = [0] * len(centroids)
    counts = [0] * clusters
    for s in range(len(values) // n):
        c = assignments[s]
        if c < clusters:
            counts[c] += 1
            for j in range(n):
                sums[n * c + j] += values[n * s + j]
    for c in range(clusters):
        if counts[c]:
            for j in range(n):
                centroids[n * c + j] = sums[n * c + j] // counts[c]


def cluster(values, centroids, features, **kwargs):
    """Cluster from the given centroids, which are moved; returns an index for each sample."""
    if type(features) is not int or features < 1:
        raise ValueError("features %s, want 1..16384" % features)
    assignments = array("B", b"\xff" * (len(values) // features))
    for _ in cluster_iter(values, centroids, assignments, features, **kwargs):
        pass
    return assignments
