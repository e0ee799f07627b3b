"""Reset the chip. The pause lets the board acknowledge the code before it is gone."""

import time

import machine

time.sleep(0.1)
machine.reset()
