"""Estimator -> DeviceModel -> verify -> measure."""

from __future__ import annotations

from .convert import convert
from .device_model import DeviceModel
from .fits import Fit, fits
from .measure import Measurement, measure
from .report import VerifyReport
from .verify import verify

__all__ = [
    "DeviceModel",
    "Fit",
    "Measurement",
    "VerifyReport",
    "convert",
    "fits",
    "measure",
    "verify",
]
