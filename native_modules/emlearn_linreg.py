"""Linear regression with L1 and L2 penalties, trained on the board by gradient descent.

Same API as the plain twin `emlearn_linreg_ref.py`, which says it in a few lines of floats.
Viper has no floats: a sum of products is made of 28-bit products that share the largest exponent,
and rounded once to float32. Its error is below 4e-7 of the sum of their sizes. Numbers below 1e-38
count as 0, infinities and NaN as numbers of 2**128.
Taking floats apart is most of that work, so `train` does it once, if the rows are not far fewer
than the features: a step is then one product of a matrix and the weights, in integers. Each column
has a power of two of its own; the matrix has 25 bits, and so have weights in a product (13 more
keep what steps add; fewer from 63 features on), about as many as a float32 has: after 100 steps, a
weight times the largest input of its column is wrong by less than 4e-6 of the largest such product
on the way, or of y. Columns whose sizes are too far apart, and weights that grow beyond all bounds,
get the floats.
Memory: 12 bytes a feature; a step takes 4 bytes a row; training takes 4 for each number in X, then
4 for each pair of features. `predict` allocates the float that it returns, and no more.
"""

import math
import struct
from array import array

import micropython
from micropython import const

_WIDE = const(0)  # 1 where machine words have 64 bits: the build says so
# Reads as a float between 1 and 2 from an array 'f' only.
_AS_F = b"\x01\x00\xc0\x3f" * 2
log_prefix = "emlearn_linreg:"

# Training in integers. What the functions below are told, int32; what may be negative is kept plus
# _ZERO. The columns are the features, ones (of which the bias is the weight), and y (weight -1).
_ROWS = const(0)  # of the matrix: features, and 1
_SIZE = const(1)  # bytes of a row of weights
_ROW = const(2)  # bytes of a row of the matrix
_COLUMN = const(3)  # bytes of a column of the data
_RATE = const(4)  # learning rate / rows, 25 bits, and its exponent
_SHIFT = const(5)
_L2 = const(6)  # rows * L2 penalty, the same
_L2_SHIFT = const(7)
_BITS = const(8)  # of a weight
_POINT = const(9)  # for float exponent + column's exponent + this: bits left of the binary point
_HERE = const(10)  # byte offset of the weights
_N = const(11)  # rows of the data
_FINE = const(12)  # bits of the data
_ZERO = const(4096)
# Loads through a pointer are unsigned on 64-bit machines: what may be negative is kept plus this.
_BIAS = const(0x10000000 * _WIDE)
_NOUGHT = b"\0\0\0\x10" if _WIDE else bytes(4)
# A row of the matrix begins with bits to shift right, the L1 penalty in two parts, and on 64-bit
# machines what the biases add to a sum.
_HEAD = const(3 + 2 * _WIDE)


# out[i] = k[0] * c[i] + sum of a[i, j] * b[j] + k[1] * the b after those, for all rows i.
# k: those two floats, then as integers rows, columns, and in bytes: from row to row and from
# column to column of a, from one b to the next, to the first b and to the first output.
# x and y are arguments because the first two locals of a function live in registers.
@micropython.viper
def _dot(x: int, y: int, out: ptr32, c: ptr32, a: ptr32, b: ptr32, k: ptr32):
    rows = k[2]
    across = k[5]
    down = k[6]
    out = ptr32(int(out) + k[8])
    while rows:
        sum = 0
        top = 0
        left = k[3]
        p = a
        q = ptr32(int(b) + k[7])
        x = c[0]
        y = k[0]
        while True:
            t = (x >> 23) & 255
            u = (y >> 23) & 255
            if t * u:
                u += t
                t = top - u
                if t < 0:
                    if t < -30:
                        t = -30
                    sum >>= 0 - t
                    top = u
                    t = 0
                elif t > 30:
                    t = 30
                s = 0 - (((x ^ y) >> 31) & 1)
                if _WIDE:
                    x = ((x & 0x7FFFFF) | 0x800000) * ((y & 0x7FFFFF) | 0x800000) >> t + 20
                else:
                    x = (x & 0x7FFFFF) | 0x800000
                    y = (y & 0x7FFFFF) | 0x800000
                    u = x & 0xFFF
                    v = y & 0xFFF
                    x >>= 12
                    y >>= 12
                    x = (x * y << 4) + ((x * v + y * u + (u * v >> 12)) >> 8) >> t
                sum += (x ^ s) - s
                if sum + 0x20000000 >> 30:
                    sum >>= 1
                    top += 1
            if left > 0:
                x = p[0]
                y = q[0]
                p = ptr32(int(p) + across)
                q = ptr32(int(q) + down)
            elif left < 0:
                break
            else:
                x = k[1]
                y = x
                if x:
                    y = q[0]
            left -= 1
        x = sum
        if x:
            t = 0
            if x < 0:
                x = 0 - x
                t = 1
            y = top - 125
            while x < 0x20000000:
                x += x
                y -= 1
            x = (x + 32) >> 6
            if y < 0:
                x = 0
                y = 0
            if y > 253:
                x = 0
                y = 255
            x += (y << 23) + (t << 31)
        out[0] = x
        out = ptr32(int(out) + 4)
        a = ptr32(int(a) + k[4])
        c = ptr32(int(c) + 4)
        rows -= 1


@micropython.viper
def _shrink(w: ptr32, sign: ptr32, limit: ptr32, n: int):
    """-1 or 1, against the sign of each w; where w is not above the limit, both become 0."""
    one = 0x3F800000
    minus = 1
    minus <<= 31
    while n:
        n -= 1
        x = w[n]
        s = x >> 31 << 31
        if x - s > limit[0]:
            sign[n] = one + minus - s
        else:
            w[n] = 0
            sign[n] = 0


@micropython.viper
def _tops(x: int, y: int, p: ptr32, tops: ptr32, rows: int, columns: int):
    """The largest exponent in each column."""
    while rows:
        y = 0
        while y < columns:
            x = (p[0] >> 23) & 255
            if x > tops[y]:
                tops[y] = x
            p = ptr32(int(p) + 4)
            y += 1
        rows -= 1


@micropython.viper
def _fill(x: int, y: int, p: ptr32, z: ptr32, tops: ptr32, k: ptr32, first: int, columns: int):
    """Numbers, row by row, to integers of their column's exponent, column by column."""
    z = ptr32(int(z) + first * k[_COLUMN])
    tops = ptr32(int(tops) + (first << 2))
    rows = k[_N]
    while rows:
        q = z
        first = 0
        while first < columns:
            x = p[0]
            y = (x >> 23) & 255
            if y:
                y = tops[first] - y + 28 - k[_FINE]
                if y < 30:
                    y = ((((x & 0x7FFFFF) | 0x800000) << 5 >> y) + 1) >> 1
                    x = 0 - ((x >> 31) & 1)
                    q[0] = (y ^ x) - x + _BIAS
            q = ptr32(int(q) + k[_COLUMN])
            p = ptr32(int(p) + 4)
            first += 1
        z = ptr32(int(z) + 4)
        rows -= 1


# The sum over the rows of each two columns, and of it what a step takes from a weight: -1 if that
# is more than fits. x and p are arguments because the first two locals live in registers.
@micropython.viper
def _matrix(x: int, p: ptr32, z: ptr32, matrix: ptr32, tops: ptr32, k: ptr32) -> int:
    row = k[_ROW]
    m = ptr32(int(matrix) + (_HEAD << 2))
    column = k[_COLUMN]
    last = int(z) + k[_ROWS] * column
    first = int(z)
    i = 0
    while first < last:
        second = first
        j = i
        while second <= last:
            x = 0
            u = 0
            p = ptr32(first)
            q = ptr32(second)
            second += column
            while int(p) < first + column:
                if _WIDE:
                    x += (p[0] - _BIAS) * (q[0] - _BIAS)
                    x += (p[1] - _BIAS) * (q[1] - _BIAS)
                    p = ptr32(int(p) + 8)
                    q = ptr32(int(q) + 8)
                else:
                    a = p[0]
                    b = q[0]
                    v = a & 0x1FFF
                    w = b & 0x1FFF
                    a >>= 13
                    b >>= 13
                    u += a * w + b * v + (v * w >> 13)
                    x += a * b + (u >> 13)
                    u &= 0x1FFF
                    p = ptr32(int(p) + 4)
                    q = ptr32(int(q) + 4)
            if _WIDE:
                x >>= 26
            if i == j and second < last:
                u = tops[i]
                u = k[_L2_SHIFT] - _ZERO - u - u
                a = k[_L2]
                if a and u > 3:
                    return -1
                if u > 0:
                    x += a << u
                elif u > -30:
                    x += a >> 0 - u
            m[j] = x + _BIAS * 2
            if second <= last:
                ptr32(int(m) + row * (j - i))[i] = x + _BIAS * 2
            j += 1
        m = ptr32(int(m) + row)
        first += column
        i += 1
    # Now times the rate, each row with all the bits there are.
    columns = i + 1
    rate = k[_RATE]
    i = 0
    while i < k[_ROWS]:
        m = ptr32(int(matrix) + row * i)
        p = ptr32(int(m) + (_HEAD << 2))
        x = 0
        j = columns
        while j:
            j -= 1
            a = p[j] - _BIAS * 2
            x |= a ^ (a >> 31)
        u = 0
        while x and x < 0x20000000:
            x += x
            u += 1
        a = tops[i]
        a = k[_SHIFT] - _ZERO + u - a - a
        if x == 0:
            a = 43
        if a < 11:
            return -1
        b = a - 43
        if b < 0:
            b = 0
        elif b > 30:
            b = 30
        m[0] = a - b
        m[1] = 0
        m[2] = 0
        x = 0
        j = columns
        while j:
            j -= 1
            a = p[j] - _BIAS * 2 << u
            if _WIDE:
                a = ((a * rate >> 29) + 1) >> 1
            else:
                v = a & 0x7FFF
                w = rate & 0xFFF
                a >>= 15
                a = (a * (rate >> 12) + (a * w >> 12) + (v * (rate >> 12) >> 15) + 4) >> 3
            a >>= b
            x += a
            p[j] = a + _BIAS
        if _WIDE:
            x = 0 - x * _BIAS
            m[3] = x
            m[4] = x >> 32
        i += 1
    return 0


@micropython.viper
def _most(x: int, w: ptr32, tops: ptr32, n: int) -> int:
    """The largest sum of the exponents of a weight and of its column."""
    most = 0
    while n:
        n -= 1
        x = (w[n] >> 23) & 255
        if x and x + tops[n] > most:
            most = x + tops[n]
    return most


@micropython.viper
def _load(x: int, y: int, p: ptr32, step: int, q: ptr32, tops: ptr32, k: ptr32, n: int):
    """Floats to weights (step 4), or one float to the L1 penalties (step 0), in two parts each."""
    apart = 4
    stride = k[_ROW]
    bias = 0
    if step:
        apart = k[_SIZE]
        stride = 4
        bias = _BIAS
    else:
        q = ptr32(int(q) + 4)
    i = 0
    while i < n:
        x = p[0]
        y = 0 - ((x >> 23) & 255)
        t = 0
        s = 0
        if y:
            y -= tops[i] + k[_POINT] - _ZERO
            s = (((x & 0x7FFFFF) | 0x800000) ^ (0 - ((x >> 31) & 1))) + ((x >> 31) & 1)
            if y < 0:
                s = 0x1FFFFFFF  # a penalty above all weights
            elif y <= 13:
                t = (s << 13 - y) & 0x1FFF
                s >>= y
            elif y < 43:
                t = (s >> y - 13) & 0x1FFF
                if y > 30:
                    y = 30
                s >>= y
            else:
                s = 0
        q[0] = s + bias
        ptr32(int(q) + apart)[0] = t
        q = ptr32(int(q) + stride)
        p = ptr32(int(p) + step)
        i += 1


# Steps, until one weight is beyond its bits; how many are left then, of which none is done by half.
@micropython.viper
def _steps(x: int, p: ptr32, matrix: ptr32, weights: ptr32, k: ptr32, steps: int) -> int:
    here = int(weights)
    size = k[_SIZE]
    row = k[_ROW]
    bits = k[_BITS]
    limit = 1
    limit <<= bits
    bits += 1
    stop = int(matrix) + row * k[_ROWS]
    while steps:
        there = here + size + size
        if there > int(weights) + size + size:
            there = int(weights)
        if _WIDE:
            x = 0
            p = ptr32(here)
            while int(p) < here + size:
                x += p[0]
                p = ptr32(int(p) + 4)
            biases = x * _BIAS
        w = ptr32(here)
        t = ptr32(there)
        m = matrix
        while int(m) < stop:
            p = ptr32(int(m) + (_HEAD << 2))
            q = ptr32(here)
            end = int(m) + row
            s = m[0]
            y = ptr32(int(w) + size)[0]
            if _WIDE:
                x = (m[3] | m[4] << 32) - biases
                while int(p) < end:
                    x += p[0] * q[0]
                    x += p[1] * q[1]
                    x += p[2] * q[2]
                    x += p[3] * q[3]
                    p = ptr32(int(p) + 16)
                    q = ptr32(int(q) + 16)
                x = ((w[0] - _BIAS) << 13) + y - (x >> s)
                y = x & 0x1FFF
                x >>= 13
            else:
                x = 0
                u = 0
                while int(p) < end:
                    a = p[0]
                    b = q[0]
                    v = a & 0x1FFF
                    d = b & 0x1FFF
                    a >>= 13
                    b >>= 13
                    u += a * d + b * v + (v * d >> 13)
                    x += a * b + (u >> 13)
                    u &= 0x1FFF
                    p = ptr32(int(p) + 4)
                    q = ptr32(int(q) + 4)
                s -= 13
                if s < 0:
                    s = 0 - s
                    if x + 0x10000000 >> 29:
                        k[_HERE] = here - int(weights)
                        return steps
                    x = (x << s) + (u >> 13 - s)
                    u = (u << s) & 0x1FFF
                elif s < 13:
                    u = ((x << 13 - s) & 0x1FFF) + (u >> s)
                    x >>= s
                else:
                    u = (x >> s - 13) & 0x1FFF
                    x >>= s
                y -= u
                x = w[0] - x + (y >> 13)
                y &= 0x1FFF
            if m[1] | m[2]:
                if x < 0:
                    y += m[2]
                    x += m[1] + (y >> 13)
                    if x >= 0:
                        x = 0
                        y = 0
                else:
                    y -= m[2]
                    x += (y >> 13) - m[1]
                    if x < 0:
                        x = 0
                        y = 0
                y &= 0x1FFF
            if x + limit >> bits:
                k[_HERE] = here - int(weights)
                return steps
            t[0] = x + _BIAS
            ptr32(int(t) + size)[0] = y
            w = ptr32(int(w) + 4)
            t = ptr32(int(t) + 4)
            m = ptr32(int(m) + row)
        here = there
        steps -= 1
    k[_HERE] = here - int(weights)
    return 0


@micropython.viper
def _store(x: int, y: int, w: ptr32, q: ptr32, tops: ptr32, k: ptr32):
    """Weights to floats."""
    q = ptr32(int(q) + k[_HERE])
    i = 0
    while i < k[_ROWS]:
        x = ((q[i] - _BIAS) << 5) + (ptr32(int(q) + k[_SIZE])[i] >> 8)
        y = 0
        if x:
            t = 0
            if x < 0:
                x = 0 - x
                t = 1
            y = _ZERO - k[_POINT] - tops[i]
            while x < 0x20000000:
                x += x
                y -= 1
            x = (x + 32) >> 6
            if y < 0:
                x = 0
                y = 0
            if y > 253:
                x = 0
                y = 255
            x += (y << 23) + (t << 31)
        w[i] = x
        i += 1


def _want(x, n, what):
    if type(x) is not array or not 1 < (x[:0] + _AS_F)[0] < 2 or len(x) != n:
        raise ValueError("%s: want array 'f' of %d" % (what, n))


def _floats(n):
    return array("f", bytes(4 * n))


def _plan(k0, k1, rows, columns, row=0, column=4, b=4, first=0, out=0):
    k = (k0, k1, rows, columns, row, column, b, first, out)
    return bytearray(struct.pack("<2f7i", *k))


class Model:
    def __init__(self, features, alpha, l1_ratio, learning_rate):
        if type(features) is not int or not 0 < features < 65536:
            raise ValueError("features: want 1..65535")
        for v in (alpha, l1_ratio, learning_rate):
            if not 0 <= v < 1e30:
                raise ValueError("want numbers from 0")
        d = self._d = features
        self._l1 = array("f", (alpha * l1_ratio * learning_rate,))
        self._l2 = alpha * (1 - l1_ratio)
        self._rate = learning_rate
        self._w = _floats(d + 2)  # the features', the bias, and what y is multiplied by
        self._w[d + 1] = -1
        self._g = _floats(d + 1)
        self._one = array("f", (1,))
        self._out = _floats(1)
        self._predict = _plan(0, 1, 1, d)
        self._update = _plan(1, 0, d + 1, 1, 4)
        self._cut = _plan(1, 0, d, 1, 4) if self._l1[0] else None
        self._seen = self._X = self._y = self
        self._r = ()

    def get_n_features(self):
        return self._d

    def get_weights(self, weights):
        _want(weights, self._d, "weights")
        weights[:] = self._w[: self._d]

    def set_weights(self, weights):
        _want(weights, self._d, "weights")
        self._w[: self._d] = weights

    def get_bias(self):
        return self._w[self._d]

    def set_bias(self, bias):
        self._w[self._d] = bias

    def predict(self, inputs):
        if inputs is not self._seen or len(inputs) != self._d:
            _want(inputs, self._d, "inputs")
            self._seen = inputs
        _dot(0, 0, self._out, self._out, inputs, self._w, self._predict)
        return self._out[0]

    def _see(self, X, y):
        d = self._d
        self._X = self  # nothing that is passed
        n = len(y) if type(y) is array else 0
        _want(y, n, "y")
        _want(X, n * d, "X")
        if not n:
            raise ValueError("no rows")
        self._r = _floats(n)
        self._plans = (
            _plan(-1, 1, n, d, 4 * d),
            _plan(0, 0, 1, n),
            _plan(self._l2 * n, 0, d, n, 4, 4 * d),
            _plan(0, 0, 1, n, 0, 0, 4, 0, 4 * d),
        )
        self._step = array("f", (-self._rate / n,))
        self._X = X
        self._y = y

    def _know(self, X, y):
        n = len(self._r)
        if X is not self._X or y is not self._y or len(y) != n or len(X) != n * self._d:
            self._see(X, y)

    def _residual(self, X, y):
        """Predictions minus y."""
        self._know(X, y)
        _dot(0, 0, self._r, y, X, self._w, self._plans[0])

    def score_mse(self, X, y):
        self._residual(X, y)
        r = self._r
        _dot(0, 0, self._out, r, r, r, self._plans[1])
        return self._out[0] / len(r)

    def step(self, X, y):
        self._residual(X, y)
        g = self._g
        _dot(0, 0, g, self._w, X, self._r, self._plans[2])
        _dot(0, 0, g, g, self._one, self._r, self._plans[3])
        self._descend()

    def _descend(self):
        w = self._w
        _dot(0, 0, w, w, self._g, self._step, self._update)
        if self._cut:
            _shrink(w, self._g, self._l1, self._d)
            _dot(0, 0, w, w, self._g, self._l1, self._cut)

    def _integers(self, X, y):
        """What _steps needs, and the smallest exponent of a column; None if it can't do it."""
        d = self._d
        n = len(y)
        if d >= 3 * n:
            return None
        tops = array("i", bytes(4 * d + 8))
        last = array("i", (0,))
        _tops(0, 0, X, tops, n, d)
        _tops(0, 0, y, last, n, 1)
        tops[d + 1] = last[0]
        for i in range(d + 1):
            if not tops[i]:
                tops[i] = 127
        rate, r = math.frexp(self._rate / n)
        l2, e = math.frexp(self._l2 * n)
        bits = 27  # so that sums of products have 28, after a shift by 26
        i = 1
        while i < n:
            i *= 4
            bits -= 1
        k = array("i", bytes(52))
        k[_BITS] = 25
        while d + 2 >> 31 - k[_BITS]:
            k[_BITS] -= 1
        k[_N] = n
        k[_FINE] = bits
        k[_ROWS] = d + 1
        k[_SIZE] = 4 * (d + 5 & ~3)
        k[_ROW] = k[_SIZE] + 4 * _HEAD
        k[_COLUMN] = 4 * (n + 1 & ~1)
        k[_RATE] = int(math.ldexp(rate, 25))
        k[_SHIFT] = _ZERO + 2 * bits - r + 208
        k[_L2] = int(math.ldexp(l2, 25))
        k[_L2_SHIFT] = _ZERO + 2 * bits + e + 201
        low = min(tops[: d + 1])
        if max(tops) > 254 or max(tops) - low > 20:
            return None
        z = array("i", _NOUGHT * (k[_COLUMN] // 4 * (d + 2)))
        _fill(0, 0, X, z, tops, k, 0, d)
        _fill(0, 0, array("f", b"\0\0\x80\x3f" * n), z, tops, k, d, 1)
        _fill(0, 0, y, z, tops, k, d + 1, 1)
        matrix = array("i", _NOUGHT * (k[_ROW] // 4 * (d + 1)))
        if _matrix(0, z, z, matrix, tops, k):
            return None
        v = array("i", (_NOUGHT * (k[_SIZE] // 4) + bytes(k[_SIZE])) * 2)
        return k, tops, matrix, v, low - 126

    def stepper(self, X, y):
        """A function that does n steps on X and y; it may sum over the rows only once."""
        self._know(X, y)

        def slowly(n):
            for _ in range(n):
                self.step(X, y)

        plan = None
        try:
            plan = self._integers(X, y)
        except MemoryError:
            pass
        if not plan:
            return slowly
        k, tops, matrix, v, low = plan
        w = self._w
        d = self._d

        def quickly(n):
            room = 1  # bits that weights may grow
            while n:
                e = _most(0, w, tops, d + 2) - 252 + room
                if room > 8 or e > 120 or e - low > 20:
                    slowly(n)
                    return
                k[_POINT] = _ZERO + k[_BITS] - e - 276
                k[_HERE] = 0
                _load(0, 0, w, 4, v, tops, k, d + 2)
                v[len(v) // 2 + d + 1] = v[d + 1]
                _load(0, 0, self._l1, 0, matrix, tops, k, d)
                left = _steps(0, v, matrix, v, k, n)
                _store(0, 0, w, v, tops, k)
                room = room + 1 if left == n else 1
                n = left

        return quickly


new = Model


def train(
    model,
    X_train,
    y_train,
    max_iterations=100,
    tolerance=1e-6,
    check_interval=10,
    divergence_factor=10.0,
    score_limit=None,
    verbose=0,
):
    """Steps until the mean squared error settles, is small enough, or grows; (last step, error)."""
    steps = model.stepper(X_train, y_train)
    before = None
    iteration = -1
    while iteration + 1 < max_iterations:
        # To the next one whose error is looked at: those are multiples of the interval.
        n = min(max(1, check_interval) if iteration >= 0 else 1, max_iterations - iteration - 1)
        steps(n)
        iteration += n
        if iteration % check_interval:
            continue
        mse = model.score_mse(X_train, y_train)
        if verbose > 1:
            print(log_prefix, "iteration", iteration, "mse", mse)
        word = ""
        if not mse < 1e38 or before is not None and mse > before * divergence_factor:
            word = "diverged"
        elif score_limit is not None and mse <= score_limit:
            word = "reached the limit"
        elif iteration > 2 * check_interval and abs(before - mse) < tolerance:
            word = "converged"
        if word:
            if verbose:
                print(log_prefix, word, "at iteration", iteration)
            return iteration, mse
        before = mse
    return max(iteration, 0), model.score_mse(X_train, y_train)
