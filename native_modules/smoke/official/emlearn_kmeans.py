"""A first clustering with the official emlearn_kmeans, which takes buffers that can be written."""


def _w_smoke():
    import sys

    sys.modules.pop("emlearn_kmeans", None)
    import emlearn_kmeans

    fault = None
    centroids = bytearray(b"\x00\x01\xff\xfe")
    points = bytearray(b"\x00\x00\x03\x00\xff\xf0\xfe\xf5")
    found = list(emlearn_kmeans.cluster(points, centroids, features=2))
    if found != [0, 0, 1, 1] or centroids != b"\x01\x00\xfe\xf2":
        fault = "clusters %s around %s" % (found, list(centroids))
    return getattr(emlearn_kmeans, "__file__", None), fault
