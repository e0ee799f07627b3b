"""Linear regression with L1 and L2 penalties, trained on the board by gradient descent, in viper.

Same API as the plain twin `emlearn_linreg_ref.py`, which says it in a few lines of floats.
Viper has no floats: a sum of products is made of 28-bit products that share the largest exponent,
and rounded once to float32. Its error is below 4e-7 of the sum of their sizes. Numbers below 1e-38
count as 0, infinities and NaN as numbers of 2**128.
Memory: 12 bytes a feature; training takes 4 bytes a row or, for more rows than features, 4 bytes
for each pair of features. `predict` allocates the float that it returns, and no more.
"""

import struct
from array import array

import micropython
from micropython import const

_WIDE = const(0)  # 1 where machine words have 64 bits: the build says so
# Reads as a float between 1 and 2 from an array 'f' only.
_AS_F = b"\x01\x00\xc0\x3f" * 2
log_prefix = "emlearn_linreg:"


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


def _want(x, n, what):
    if not isinstance(x, array) or not 1 < (x[:0] + _AS_F)[0] < 2 or len(x) != n:
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
        self._w = _floats(d + 1)  # the last one is the bias
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
        n = len(y) if isinstance(y, array) else 0
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

    def _residual(self, X, y):
        """Predictions minus y."""
        n = len(self._r)
        if X is not self._X or y is not self._y or len(y) != n or len(X) != n * self._d:
            self._see(X, y)
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

    def stepper(self, X, y):
        """What `step` does, for many steps: with enough rows, it sums over them only once."""
        self._residual(X, y)
        d = self._d
        n = len(y)
        if n <= 2 * d:
            return self.step
        # Sums over the rows: of all pairs of columns, where the last column is 1, and those with y.
        m = d + 1
        a = _floats(m * m)
        h = _floats(m)
        one = self._one
        for i in range(d):
            _dot(0, 0, a, a, X, X, _plan(0, 0, i + 1, n, 4, 4 * d, 4 * d, 4 * i, 4 * i * m))
        _dot(0, 0, a, a, X, one, _plan(0, 0, d, n, 4, 4 * d, 0, 0, 4 * d * m))
        _dot(0, 0, h, h, X, y, _plan(0, 0, d, n, 4, 4 * d))
        _dot(0, 0, h, h, one, y, _plan(0, 0, 1, n, 0, 0, 4, 0, 4 * d))
        for i in range(d):
            a[i * m + i] += n * self._l2
            for j in range(i + 1, m):
                a[i * m + j] = a[j * m + i]
        a[d * m + d] = n
        plan = _plan(-1, 0, m, m, 4 * m)

        def run(X, y):
            _dot(0, 0, self._g, h, a, self._w, plan)
            self._descend()

        return run


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
    step = model.stepper(X_train, y_train)
    before = None
    iteration = 0
    for iteration in range(max_iterations):
        step(X_train, y_train)
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
    return iteration, model.score_mse(X_train, y_train)
