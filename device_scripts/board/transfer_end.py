"""Close the file of a copy and forget the copy's names."""

_w_file.close()  # noqa: F821
for _w_name in ("file", "write", "a2b", "b2a", "name"):
    globals().pop("_w_" + _w_name, None)
