"""k-means on vectors of bytes, in viper, or in Thumb on a Cortex-M.

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
_KINDS = const(5)  # two types: of what euclidean_argmin saw last
_CENTROIDS = const(8)  # addresses, two words each
_SAMPLES = const(10)
_ASSIGNED = const(12)
# In Thumb, instead of the addresses
_CLUSTERS = const(7)
_SUMS = const(8)  # for each cluster, the sum of each channel and how many samples it is of

# MicroPython's bytes, bytearrays and arrays, in words of the machine: type, something, length,
# address of the elements. The build sets _WIDE to 1 for machines of 64 bits, _THUMB for Cortex-M.
_WIDE = const(0)
_THUMB = const(0)
_LENGTH = const(2 + 2 * _WIDE)  # in int32
_ADDRESS = const(3 + 3 * _WIDE)

if _THUMB:
    _m = array("i", bytes(4 * _SUMS))
    _one = bytearray(1)

    # What _is_known in viper says, but 0 if so. A list is the address of its objects.
    @micropython.asm_thumb
    def _is_unknown(r0, r1):  # [x], x
        ldr(r0, [r0, 0])
        ldr(r2, [r0, 4 * _ADDRESS])
        sub(r1, r1, r2)
        ldr(r0, [r0, 4 * _LENGTH])
        sub(r0, 1)
        orr(r0, r1)

    for _x in (_one, bytes(_one), array("B", _one)):
        if _is_unknown([_x], _x):
            raise RuntimeError("arrays are kept in another way in this firmware")

    # Writes the nearest centroid of each sample; how many of them are new there. r1 is 1 to look
    # whether types and lengths of centroids and samples are as before; if not, the answer is -1.
    # Objects have addresses whose lowest two bits are 0. r1 is 0 to go on and keep the types; 2 to
    # keep what is no type.
    # Centroids and their bytes are taken from the last to the first. r0: centroid, r1: sample, r2:
    # channel, r3: squared distance, less the smallest one and 1, r4 r5: bytes, r6: -1 - the
    # smallest one, r7: index + 1; r8: channels, r9: clusters, r10: r7 of the nearest; r11: where to
    # write; r12: end of the samples, lr: changes
    @micropython.asm_thumb
    def _assign(r0, r1):  # [centroids, samples, what is told, assignments], r1
        ldr(r2, [r0, 0])
        ldr(r3, [r0, 4])
        ldr(r4, [r0, 12])
        ldr(r0, [r0, 8])
        ldr(r0, [r0, 4 * _ADDRESS])
        cmp(r1, 1)
        bne(FINE)
        mov(r5, r2)
        orr(r5, r3)
        lsl(r5, r5, 30)
        bne(REFUSE)
        ldr(r5, [r2, 0])
        ldr(r6, [r0, 4 * _KINDS])
        cmp(r5, r6)
        bne(REFUSE)
        ldr(r5, [r3, 0])
        ldr(r6, [r0, 4 * _KINDS + 4])
        cmp(r5, r6)
        bne(REFUSE)
        ldr(r5, [r2, 4 * _LENGTH])
        ldr(r6, [r0, 4 * _SIZE])
        cmp(r5, r6)
        bne(REFUSE)
        ldr(r5, [r3, 4 * _LENGTH])
        ldr(r6, [r0, 4 * _CHANNELS])
        cmp(r5, r6)
        beq(SAME_KINDS)
        label(REFUSE)
        mov(r0, 0)
        mvn(r0, r0)
        b(REFUSED)
        label(FINE)
        ldr(r5, [r2, 0])
        add(r5, r5, r1)
        str(r5, [r0, 4 * _KINDS])
        ldr(r5, [r3, 0])
        str(r5, [r0, 4 * _KINDS + 4])
        label(SAME_KINDS)
        ldr(r1, [r2, 4 * _ADDRESS])
        ldr(r2, [r3, 4 * _ADDRESS])
        ldr(r3, [r4, 4 * _ADDRESS])
        mov(r4, r8)
        mov(r5, r9)
        mov(r6, r10)
        mov(r7, r11)
        push({r0, r4, r5, r6, r7})
        mov(r11, r3)
        ldr(r3, [r0, 4 * _CHANNELS])
        mov(r8, r3)
        ldr(r3, [r0, 4 * _CLUSTERS])
        mov(r9, r3)
        ldr(r3, [r0, 4 * _SIZE])
        add(r3, r3, r1)
        mov(r1, r2)
        ldr(r2, [r0, 4 * _VALUES])
        add(r2, r2, r1)
        mov(r12, r2)
        mov(r0, 0)
        mov(lr, r0)
        cmp(r1, r2)
        beq(END)
        push({r3})
        label(SAMPLE)
        pop({r0})
        push({r0})
        mov(r6, 1)
        lsl(r6, r6, 31)
        mov(r7, r9)
        label(CENTROID)
        mov(r2, r8)
        sub(r0, r0, r2)
        sub(r2, 1)
        mov(r3, r6)
        label(CHANNEL)
        data(2, 0x5C84)  # ldrb(r4, [r0, r2])
        data(2, 0x5C8D)  # ldrb(r5, [r1, r2])
        sub(r4, r4, r5)
        mul(r4, r4)
        add(r3, r3, r4)
        bpl(FARTHER)
        sub(r2, 1)
        bcs(CHANNEL)
        sub(r6, r3, r6)
        mvn(r6, r6)
        mov(r10, r7)
        label(FARTHER)
        sub(r7, 1)
        bne(CENTROID)
        mov(r0, r11)
        mov(r2, r10)
        sub(r2, 1)
        ldrb(r4, [r0, 0])
        cmp(r4, r2)
        beq(SAME)
        strb(r2, [r0, 0])
        mov(r4, lr)
        add(r4, 1)
        mov(lr, r4)
        label(SAME)
        add(r0, 1)
        mov(r11, r0)
        mov(r4, r8)
        add(r1, r1, r4)
        mov(r4, r12)
        cmp(r1, r4)
        bne(SAMPLE)
        pop({r0, r1})
        push({r1})
        str(r2, [r1, 4 * _INDEX])
        mvn(r6, r6)
        str(r6, [r1, 4 * _DISTANCE])
        label(END)
        pop({r0, r4, r5, r6, r7})
        mov(r8, r4)
        mov(r9, r5)
        mov(r10, r6)
        mov(r11, r7)
        mov(r0, lr)
        label(REFUSED)

    # Moves each centroid to the mean of its samples, if it has any.
    @micropython.asm_thumb
    def _update(r0, r1, r2, r3):  # what is told, centroids, samples, assignments
        # r4: sums; r12: what is told, lr: end of the samples
        mov(r12, r0)
        ldr(r5, [r0, 4 * _VALUES])
        add(r5, r5, r2)
        mov(lr, r5)
        mov(r4, r0)
        add(r4, 4 * _SUMS)
        ldr(r5, [r0, 4 * _SIZE])
        ldr(r6, [r0, 4 * _CLUSTERS])
        add(r5, r5, r6)
        mov(r6, 0)
        mov(r7, r4)
        label(CLEAR)
        str(r6, [r7, 0])
        add(r7, 4)
        sub(r5, 1)
        bne(CLEAR)

        # r0: channels that are left, r5: where to add
        label(SAMPLE)
        mov(r5, lr)
        cmp(r2, r5)
        beq(MEANS)
        mov(r0, r12)
        ldr(r6, [r0, 4 * _CLUSTERS])
        ldr(r0, [r0, 4 * _CHANNELS])
        ldrb(r5, [r3, 0])
        add(r3, 1)
        cmp(r5, r6)
        bcs(NONE)
        add(r6, r0, 1)
        mul(r5, r6)
        lsl(r5, r5, 2)
        add(r5, r5, r4)
        label(ADD)
        ldrb(r6, [r2, 0])
        ldr(r7, [r5, 0])
        add(r7, r7, r6)
        str(r7, [r5, 0])
        add(r2, 1)
        add(r5, 4)
        sub(r0, 1)
        bne(ADD)
        ldr(r7, [r5, 0])
        add(r7, 1)
        str(r7, [r5, 0])
        b(SAMPLE)
        label(NONE)
        add(r2, r2, r0)
        b(SAMPLE)

        # r2: channels that are left, r3: clusters, r5: how many samples; r6 / r5 -> r7, 8 bits
        label(MEANS)
        mov(r0, r12)
        ldr(r3, [r0, 4 * _CLUSTERS])
        label(CLUSTER)
        mov(r0, r12)
        ldr(r2, [r0, 4 * _CHANNELS])
        lsl(r0, r2, 2)
        add(r5, r4, r0)
        ldr(r5, [r5, 0])
        cmp(r5, 0)
        bne(MEAN)
        add(r1, r1, r2)
        add(r4, r4, r0)
        b(STAYS)
        label(MEAN)
        ldr(r6, [r4, 0])
        lsl(r0, r5, 7)
        mov(r7, 1)
        lsl(r7, r7, 24)
        label(BIT)
        cmp(r6, r0)
        bcc(LESS)
        sub(r6, r6, r0)
        label(LESS)
        adc(r7, r7)
        bcs(DIVIDED)
        lsr(r0, r0, 1)
        b(BIT)
        label(DIVIDED)
        strb(r7, [r1, 0])
        add(r1, 1)
        add(r4, 4)
        sub(r2, 1)
        bne(MEAN)
        label(STAYS)
        add(r4, 4)
        sub(r3, 1)
        bne(CLUSTER)
        mov(r0, 0)
else:
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
        if type(x) is not array or repr(x[:0]) != "array('B')":
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
    if _THUMB:
        _m[_CLUSTERS] = size // n
    else:
        _place(_m, vectors, point, _one)
    return not (isinstance(vectors, array) or isinstance(point, array))


if _THUMB:
    _told = [None, None, _m, _one]

    def euclidean_argmin(vectors, point):
        told = _told
        told[0] = vectors
        told[1] = point
        if _assign(told, 1) < 0:
            _assign(told, 0 if _see(vectors, point) else 2)
        return _m[_INDEX], _m[_DISTANCE]

else:

    def _searcher(told, assign, see):
        """euclidean_argmin, with these three in a closure: to reach a global name takes longer.

        It looks into the two buffers itself, once it knows their types. `x if 1 else 0` is the
        address of an object to viper, which takes the type of the last branch. It is an object's if
        its lowest two bits are 0.
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
    if _THUMB:
        m = None
    else:
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
        clusters = k // features
        if _THUMB:
            if not m or m[_SIZE] != k:
                m = array("i", bytes(4 * (_SUMS + k + clusters)))
                told = [centroids, values, m, assignments]
            m[_CLUSTERS] = clusters
        elif not sums or len(sums) != k + clusters:
            sums = array("i", bytes(4 * (k + clusters)))
        m[_CHANNELS] = features
        m[_SIZE] = k
        m[_VALUES] = size
        if _THUMB:
            changes = _assign(told, 0)
        else:
            changes = _step(m, centroids, values, assignments)
        yield changes
        if changes <= stop_changes:
            break
        if _THUMB:
            _update(m, centroids, values, assignments)
        else:
            _update(centroids, values, sums, assignments, sums, m)


def cluster(values, centroids, features, **kwargs):
    if type(features) is not int or features < 1:
        raise ValueError("features %s, want 1..16384" % features)
    assignments = array("B", b"\xff" * (len(values) // features))
    for _ in cluster_iter(values, centroids, assignments, features, **kwargs):
        pass
    return assignments
