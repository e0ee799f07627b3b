"""Estimator -> DeviceModel -> verify -> measure."""

from __future__ import annotations

from .convert import convert
from .device_model import DeviceModel
from .measure import Measurement, measure
from .report import VerifyReport
from .verify import verify

__all__ = ["DeviceModel", "Measurement", "VerifyReport", "convert", "measure", "verify"]
