"""Linear regression with L1 and L2 penalties in plain Python: the twin of `emlearn_linreg.py`.

Runs on MicroPython and CPython. It computes in the interpreter's floats; the answers differ in the
last digits of a float32.
"""

from array import array

log_prefix = "emlearn_linreg:"


def _want(x, n, what):
    # repr, because MicroPython's arrays do not tell their typecode otherwise.
    if type(x) is not array or not repr(x[:0]).startswith("array('f'") or len(x) != n:
        raise ValueError("%s: want array 'f' of %d" % (what, n))


class Model:
    def __init__(self, features, alpha, l1_ratio, learning_rate):
        """alpha weighs the penalties, of which l1_ratio (0 to 1) is L1 and the rest L2."""
        if type(features) is not int or not 0 < features < 65536:
            raise ValueError("features: want 1..65535")
        for v in (alpha, l1_ratio, learning_rate):
            if not 0 <= v < 1e30:
                raise ValueError("want numbers from 0")
        self._d = features
        self._l1 = alpha * l1_ratio * learning_rate
        self._l2 = alpha * (1 - l1_ratio)
        self._rate = learning_rate
        self._w = array("f", bytes(4 * features))
        self._bias = array("f", (0,))

    def get_n_features(self):
        return self._d

    def get_weights(self, weights):
        """Copy the weights into an array 'f'."""
        _want(weights, self._d, "weights")
        weights[:] = self._w

    def set_weights(self, weights):
        _want(weights, self._d, "weights")
        self._w[:] = weights

    def get_bias(self):
        return self._bias[0]

    def set_bias(self, bias):
        self._bias[0] = bias

    def predict(self, inputs):
        """The bias plus the sum of inputs (an array 'f') times weights."""
        _want(inputs, self._d, "inputs")
        return self._at(inputs, 0)

    def _at(self, X, first):
        sum = self._bias[0]
        for j in range(self._d):
            sum += X[first + j] * self._w[j]
        return sum

    def _rows(self, X, y):
        n = len(y) if type(y) is array else 0
        _want(y, n, "y")
        _want(X, n * self._d, "X")
        if not n:
            raise ValueError("no rows")
        return n

    def score_mse(self, X, y):
        """The mean squared error on the rows of X, one after the other in an array 'f'."""
        n = self._rows(X, y)
        sum = 0.0
        for i in range(n):
            sum += (self._at(X, i * self._d) - y[i]) ** 2
        return sum / n

    def step(self, X, y):
        """One step of gradient descent over all rows; L1 then moves the weights towards 0."""
        n = self._rows(X, y)
        d = self._d
        gradients = [0.0] * d
        total = 0.0
        for i in range(n):
            error = self._at(X, i * d) - y[i]
            total += error
            for j in range(d):
                gradients[j] += error * X[i * d + j]
        for j in range(d):
            w = self._w[j]
            w -= self._rate * (gradients[j] / n + self._l2 * w)
            self._w[j] = max(w - self._l1, 0) if w > 0 else min(w + self._l1, 0)
        self._bias[0] -= self._rate * total / n

    def stepper(self, X, y):
        """A function that does n steps on X and y."""

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
