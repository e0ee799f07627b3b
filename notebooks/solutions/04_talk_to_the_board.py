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

# %% 04.4
# Left alone, A starts again and again: its main.py resets it.
print(watch_boot(field["A"], seconds=3))
print(field["A"].get("/main.py").decode())
# B has much free memory, and hardly any of it in one piece.
print(read_heap(field["B"]))
# C measures the same work ten times; some of it ends before it began.
look = "start = time.ticks_us(); sum(range(1000)); print(time.ticks_diff(time.ticks_us(), start))"
print(field["C"].exec(f"import time\nfor _ in range(10): {look}"))
findings = {"A": "main.py resets", "B": "heap in crumbs", "C": "clock steps back"}
check("04.4", findings, field)
