"""Linear regression with L1 and L2 penalties, trained on the board, for those with a float unit.

Same API as the plain twin `emlearn_linreg_ref.py`, and its formulas in its order, in float32: a sum
of n products is wrong by less than (n + 2) * 2**-24 of the sum of their sizes. What goes over all
numbers of X is in the inline assembler: the residuals, the gradients and the mean squared error in
one pass, then a step of the weights. It looks at the buffers, too: it reads their types, lengths
and addresses where MicroPython 1.29 keeps them. A firmware that differs there is refused at import.
Memory: 8 bytes a feature, and nothing for the rows. `predict` and `score_mse` allocate the float
that they return, `step` nothing. A model keeps references to its last buffers.
"""

from array import array

import micropython
from micropython import const

log_prefix = "emlearn_linreg:"

# MicroPython's arrays, in bytes: type, typecode, length, address
_TYPECODE = const(4)
_LENGTH = const(8)
_ADDRESS = const(12)

# What a model knows, an array 'f'.
_FEATURES = const(0)
_RATE = const(1)  # learning rate
_L2 = const(2)  # learning rate * L2 penalty
_L1 = const(3)  # learning rate * L1 penalty
_SUM = const(4)  # of the residuals
_MEAN = const(5)  # of their squares
_BIAS = const(6)
_W = const(7)  # as many weights as features, then as many gradients


# 0 if arrays are kept as said above. A list is the address of its objects.
@micropython.asm_thumb
def _is_unknown(r0, r1):  # [array], array
    ldr(r0, [r0, 0])
    ldr(r2, [r0, _ADDRESS])
    sub(r1, r1, r2)
    ldr(r2, [r0, _LENGTH])
    sub(r2, 1)
    orr(r1, r2)
    ldrb(r2, [r0, _TYPECODE])
    sub(r2, 102)
    orr(r1, r2)
    mov(r0, r1)


_zero = array("f", (0,))
if _is_unknown([_zero], _zero):
    raise RuntimeError("arrays are kept in another way in this firmware")


# For all rows: residual = bias + sum of inputs * weights - y; the sum of these and the mean of
# their squares. For a step, too: gradients += residual * inputs; then weight -= rate * gradient /
# rows + L2 * weight, and L1 towards 0, but not beyond; bias -= rate * sum / rows.
# Answers with 1 if X or y is no array 'f', or X has not as many numbers as y has rows of them, or
# there are none: objects have addresses whose lowest two bits are 0, arrays the type that the
# model's has.
# r0: X, r1: y, r2: the model's array, r3: rows, r4: features; s1: sum, s2: squares, s5: is a step,
# s6: rows
@micropython.asm_thumb
def _pass(r0, r1):  # [X, y, the model's array], 1 for a step, else 0
    vmov(s5, r1)
    ldr(r2, [r0, 8])
    ldr(r1, [r0, 4])
    ldr(r0, [r0, 0])
    mov(r3, r0)
    orr(r3, r1)
    lsl(r3, r3, 30)
    bne(REFUSE)
    ldr(r3, [r2, 0])
    ldr(r4, [r0, 0])
    cmp(r3, r4)
    bne(REFUSE)
    ldr(r4, [r1, 0])
    cmp(r3, r4)
    bne(REFUSE)
    ldrb(r3, [r0, _TYPECODE])
    cmp(r3, 102)
    bne(REFUSE)
    ldrb(r3, [r1, _TYPECODE])
    cmp(r3, 102)
    bne(REFUSE)
    ldr(r2, [r2, _ADDRESS])
    vldr(s0, [r2, 0])
    vcvt_s32_f32(s0, s0)
    vmov(r4, s0)
    ldr(r6, [r0, _LENGTH])
    ldr(r3, [r1, _LENGTH])
    udiv(r5, r6, r4)  # rows * features might not fit a word
    cmp(r5, r3)
    bne(REFUSE)
    mul(r5, r4)
    cmp(r5, r6)
    bne(REFUSE)
    cmp(r3, 0)
    bne(FINE)
    label(REFUSE)
    mov(r0, 1)
    b(REFUSED)
    label(FINE)
    ldr(r0, [r0, _ADDRESS])
    ldr(r1, [r1, _ADDRESS])
    vmov(s6, r3)
    vcvt_f32_s32(s6, s6)
    mov(r6, 0)
    vmov(s1, r6)
    vmov(s2, r6)
    vmov(r7, s5)
    cmp(r7, 0)
    beq(NEXT)
    lsl(r7, r4, 2)
    add(r5, r2, r7)
    add(r5, 28)  # gradients
    label(CLEAR)
    str(r6, [r5, 0])
    add(r5, 4)
    sub(r7, 4)
    bne(CLEAR)
    b(NEXT)
    label(ROW)
    vldr(s0, [r2, 24])  # the residual, from the bias on
    mov(r5, r2)
    add(r5, 28)  # weights
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
    beq(NEXT)
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
    vdiv(s2, s2, s6)
    vstr(s2, [r2, 20])
    mov(r0, 0)
    vmov(r6, s5)
    cmp(r6, 0)
    beq(END)

    vldr(s2, [r2, 4])
    vdiv(s2, s2, s6)  # rate / rows
    vldr(s3, [r2, 24])
    vmul(s1, s1, s2)
    vsub(s3, s3, s1)
    vstr(s3, [r2, 24])
    vldr(s1, [r2, 8])  # L2
    vldr(s0, [r2, 12])  # L1
    vmov(s5, r0)
    add(r2, 28)  # weights
    lsl(r1, r4, 2)
    add(r1, r1, r2)  # gradients
    label(LOOP)
    vldr(s3, [r1, 0])
    vldr(s4, [r2, 0])
    vmul(s3, s3, s2)
    vmul(s6, s4, s1)
    vadd(s3, s3, s6)
    vsub(s4, s4, s3)
    vsub(s3, s4, s0)
    vcmp(s3, s5)
    vmrs(APSR_nzcv, FPSCR)
    bhi(STORE)  # or NaN
    vadd(s3, s4, s0)
    vcmp(s3, s5)
    vmrs(APSR_nzcv, FPSCR)
    bmi(STORE)
    vmov(s3, r0)
    label(STORE)
    vstr(s3, [r2, 0])
    add(r2, 4)
    add(r1, 4)
    sub(r4, 1)
    bne(LOOP)
    label(REFUSED)
    label(END)


def _want(x, n, what):
    # repr, because MicroPython's arrays do not tell their typecode otherwise.
    if type(x) is not array or not repr(x[:0]).startswith("array('f'") or len(x) != n:
        raise ValueError("%s: want array 'f' of %d" % (what, n))


def _predictor(told, s, run, n):
    """predict(inputs) of a model: a residual of one row, less 0.

    In viper, as bytecode takes 38 % longer with 4 features. It has no floats, but may hand one on.
    """

    @micropython.viper
    def predict(inputs):
        told[0] = inputs
        if run(told, 0):
            _want(inputs, n, "inputs")
        return s[_SUM]

    return predict


class Model:
    def __init__(self, features, alpha, l1_ratio, learning_rate):
        if type(features) is not int or not 0 < features < 65536:
            raise ValueError("features: want 1..65535")
        for v in (alpha, l1_ratio, learning_rate):
            if not 0 <= v < 1e30:
                raise ValueError("want numbers from 0")
        self._d = features
        s = self._s = array("f", bytes(4 * (_W + 2 * features)))
        s[_FEATURES] = features
        s[_RATE] = learning_rate
        s[_L2] = alpha * (1 - l1_ratio) * learning_rate
        s[_L1] = alpha * l1_ratio * learning_rate
        self._told = [None, None, s]
        self.predict = _predictor([None, _zero, s], s, _pass, features)

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

    def _pass(self, X, y, is_step):
        told = self._told
        told[0] = X
        told[1] = y
        if _pass(told, is_step):
            n = len(y) if type(y) is array else 0
            _want(y, n, "y")
            _want(X, n * self._d, "X")
            raise ValueError("no rows")

    def score_mse(self, X, y):
        self._pass(X, y, 0)
        return self._s[_MEAN]

    def step(self, X, y):
        self._pass(X, y, 1)

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
