"""The offline bundle: all that a room without Internet needs, in one folder with a manifest."""

from __future__ import annotations

from .make import make_bundle
from .manifest import BundleReport, Manifest, verify_bundle
from .serve import BundleServer

__all__ = ["BundleReport", "BundleServer", "Manifest", "make_bundle", "verify_bundle"]
