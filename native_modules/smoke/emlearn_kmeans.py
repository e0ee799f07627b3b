"""Import emlearn_kmeans anew and let it cluster: `_w_smoke()` -> (file or None, fault or None)."""


def _w_smoke():
    import sys

    sys.modules.pop("emlearn_kmeans", None)
    import emlearn_kmeans

    fault = None
    for point, want in ((b"\xff\xff", (2, 1)), (b"\x00\x05", (0, 25)), (b"\x80\x00", (1, 1))):
        got = emlearn_kmeans.euclidean_argmin(bytearray(b"\x00\x00\x7f\x00\xff\xfe"), point)
        if got != want:
            fault = "nearest to %s: %s, not %s" % (point, got, want)
    centroids = bytearray(b"\x00\x01\xff\xfe\xff\xff")
    found = emlearn_kmeans.cluster(b"\x00\x00\x03\x00\xff\xf0\xfe\xf5\xff\xff", centroids, 2)
    if list(found) != [0, 0, 1, 1, 2] or centroids != b"\x01\x00\xfe\xf2\xff\xff":
        fault = "clusters %s around %s" % (list(found), list(centroids))
    return getattr(emlearn_kmeans, "__file__", None), fault
