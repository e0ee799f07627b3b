# %% 04.1
# Two bytes a number: 1000 zero bytes are 500 zeros.
board.exec("from array import array")
board.exec("samples = array('h', bytes(2 * 500))")
check("04.1", board)

# %% 04.2
is_due = """
def is_due(now, last, period):
    return time.ticks_diff(now, last) >= period
"""
check("04.2", is_due, board)

# %% 04.3
board.put(LIB / "led.py", "/lib/")
my_main = b"""
import time
from led import LED

led = LED()
time.sleep(3)  # the window
while True:
    led.toggle()
    time.sleep_ms(500)
"""
board.put(my_main, "/main.py")
check("04.3", board)
