"""Import a module and call a function of it. The host asks for the result as JSON."""


def _w_call(module, function, arguments):
    target = __import__(module)
    for name in module.split(".")[1:] + function.split("."):
        target = getattr(target, name)
    result = target(*arguments)
    # json writes bytes as if they were text and arrays as their repr: numbers travel better.
    if isinstance(result, (bytes, bytearray, memoryview)) or type(result).__name__ == "array":
        return list(result)
    return result
