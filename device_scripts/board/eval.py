"""The value of an expression, as Python writes it."""


def _w_eval(expression):
    return repr(eval("(\n" + expression + "\n)"))
