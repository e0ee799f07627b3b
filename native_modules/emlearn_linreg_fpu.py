"""Linear regression with L1 and L2 penalties, trained on the board, for those with a float unit.

Same API as the plain twin `emlearn_linreg_ref.py`, and its formulas in its order, in float32: a sum
of n products is wrong by less than (n + 2) * 2**-24 of the sum of their sizes. What goes over all
numbers of X is in the inline assembler: the residuals, the gradients and the mean squared error in
one pass, then a step of the weights. The rest is called once a step, and plain.
Memory: 8 bytes a feature, and nothing for the rows. `predict` allocates the float that it returns,
`score_mse` the same and its quotient, `step` nothing.
"""

from array import array

import micropython
from micropython import const

log_prefix = "emlearn_linreg:"

# What the two functions below share, an array 'f'.
_FEATURES = const(0)
_RATE = const(1)  # learning rate / rows
_L2 = const(2)  # learning rate * L2 penalty
_L1 = const(3)  # learning rate * L1 penalty
_SUM = const(4)  # of the residuals
_SQUARES = const(5)
_BIAS = const(6)
_W = const(7)  # as many weights as features, then as many gradients


# For all rows: residual = bias + sum of inputs * weights - y; the sums of these and of their
# squares; gradients += residual * inputs.
# r0: X, r1: y, r2: the array above, r3: rows, or minus them for no gradients
@micropython.asm_thumb
def _pass(r0, r1, r2, r3):
    vldr(s0, [r2, 0])
    vcvt_s32_f32(s0, s0)
    vmov(r4, s0)  # features
    mov(r6, 0)
    vmov(s1, r6)  # sum
    vmov(s2, r6)  # squares
    vmov(s5, r3)
    mov(r5, r2)
    add(r5, 28)  # weights
    cmp(r3, 0)
    bmi(NO_GRADIENTS)
    lsl(r7, r4, 2)
    add(r5, r5, r7)
    label(CLEAR)
    sub(r7, 4)
    str(r6, [r5, 0])
    add(r5, 4)
    cmp(r7, 0)
    bne(CLEAR)
    b(NEXT)
    label(NO_GRADIENTS)
    neg(r3, r3)
    b(NEXT)
    label(ROW)
    vldr(s0, [r2, 24])  # the residual, from the bias on
    mov(r5, r2)
    add(r5, 28)
    mov(r7, r0)
    mov(r6, r4)
    label(INPUT)
    vldr(s3, [r0, 0])
    vldr(s4, [r5, 0])
    vmul(s3, s3, s4)
    vadd(s0, s0, s3)
    add(r0, 4)
    add(r5, 4)
    sub(r6, 1)
    bne(INPUT)
    vldr(s3, [r1, 0])
    vsub(s0, s0, s3)
    add(r1, 4)
    vadd(s1, s1, s0)
    vmul(s3, s0, s0)
    vadd(s2, s2, s3)
    vmov(r6, s5)
    cmp(r6, 0)
    bmi(NEXT)
    mov(r6, r4)
    label(GRADIENT)  # r7: the row again, r5: after the weights
    vldr(s3, [r7, 0])
    vldr(s4, [r5, 0])
    vmul(s3, s3, s0)
    vadd(s4, s4, s3)
    vstr(s4, [r5, 0])
    add(r7, 4)
    add(r5, 4)
    sub(r6, 1)
    bne(GRADIENT)
    label(NEXT)
    sub(r3, 1)
    bpl(ROW)
    vstr(s1, [r2, 16])
    vstr(s2, [r2, 20])
    mov(r0, 0)


# weight -= rate * gradient + L2 * weight, then L1 towards 0, but not beyond; bias -= rate * sum.
# r0: the array above
@micropython.asm_thumb
def _descend(r0):
    vldr(s0, [r0, 0])
    vcvt_s32_f32(s0, s0)
    vmov(r4, s0)  # features
    vldr(s0, [r0, 4])  # rate
    vldr(s1, [r0, 8])  # L2
    vldr(s2, [r0, 12])  # L1
    vldr(s3, [r0, 16])
    vldr(s4, [r0, 24])
    vmul(s3, s3, s0)
    vsub(s4, s4, s3)
    vstr(s4, [r0, 24])
    add(r0, 28)  # weights
    lsl(r1, r4, 2)
    add(r1, r1, r0)  # gradients
    mov(r2, 0)
    vmov(s5, r2)
    label(LOOP)
    vldr(s3, [r1, 0])
    vldr(s4, [r0, 0])
    vmul(s3, s3, s0)
    vmul(s6, s4, s1)
    vadd(s3, s3, s6)
    vsub(s4, s4, s3)
    vsub(s3, s4, s2)
    vcmp(s3, s5)
    vmrs(APSR_nzcv, FPSCR)
    bhi(STORE)  # or NaN
    vadd(s3, s4, s2)
    vcmp(s3, s5)
    vmrs(APSR_nzcv, FPSCR)
    bmi(STORE)
    vmov(s3, r2)
    label(STORE)
    vstr(s3, [r0, 0])
    add(r0, 4)
    add(r1, 4)
    sub(r4, 1)
    bne(LOOP)
    mov(r0, 0)


def _want(x, n, what):
    # repr, because MicroPython's arrays do not tell their typecode otherwise.
    if not isinstance(x, array) or not repr(x[:0]).startswith("array('f'") or len(x) != n:
        raise ValueError("%s: want array 'f' of %d" % (what, n))


class Model:
    def __init__(self, features, alpha, l1_ratio, learning_rate):
        if type(features) is not int or not 0 < features < 65536:
            raise ValueError("features: want 1..65535")
        for v in (alpha, l1_ratio, learning_rate):
            if not 0 <= v < 1e30:
                raise ValueError("want numbers from 0")
        self._d = features
        self._rate = learning_rate
        s = self._s = array("f", bytes(4 * (_W + 2 * features)))
        s[_FEATURES] = features
        s[_L2] = alpha * (1 - l1_ratio) * learning_rate
        s[_L1] = alpha * l1_ratio * learning_rate
        self._zero = array("f", (0,))
        self._seen = self._X = self._y = self  # nothing that is passed
        self._n = 0

    def get_n_features(self):
        return self._d

    def get_weights(self, weights):
        _want(weights, self._d, "weights")
        weights[:] = self._s[_W : _W + self._d]

    def set_weights(self, weights):
        _want(weights, self._d, "weights")
        self._s[_W : _W + self._d] = weights

    def get_bias(self):
        return self._s[_BIAS]

    def set_bias(self, bias):
        self._s[_BIAS] = bias

    def predict(self, inputs):
        if inputs is not self._seen or len(inputs) != self._d:
            _want(inputs, self._d, "inputs")
            self._seen = inputs
        _pass(inputs, self._zero, self._s, -1)
        return self._s[_SUM]

    def _see(self, X, y):
        self._X = self
        n = len(y) if isinstance(y, array) else 0
        _want(y, n, "y")
        _want(X, n * self._d, "X")
        if not n:
            raise ValueError("no rows")
        self._s[_RATE] = self._rate / n
        self._n = n
        self._X = X
        self._y = y

    def _sum(self, X, y, sign):
        n = self._n
        if X is not self._X or y is not self._y or len(y) != n or len(X) != n * self._d:
            self._see(X, y)
        _pass(X, y, self._s, sign * self._n)

    def score_mse(self, X, y):
        self._sum(X, y, -1)
        return self._s[_SQUARES] / self._n

    def step(self, X, y):
        self._sum(X, y, 1)
        _descend(self._s)

    def stepper(self, X, y):
        def steps(n):
            for _ in range(n):
                self.step(X, y)

        return steps


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
