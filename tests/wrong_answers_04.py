"""Wrong answers to the exercises of notebook 04, and what each check has to say about them."""

from workshop_helpers.paths import DEVICE_SCRIPTS


def _samples(code):
    def answer(board):
        board.exec(f"from array import array\nsamples = {code}")
        return (board,)

    return answer


def _due(body):
    return lambda board: (f"def is_due(now, last, period):\n    return {body}\n", board)


def _main(text):
    def answer(board):
        board.put(DEVICE_SCRIPTS / "lib" / "led.py", "/lib/")
        board.put(text.encode(), "/main.py")
        return (board,)

    return answer


START = "import time\nfrom led import LED\nled = LED()\n"

WRONG = {
    "04.1": [
        (lambda board: (board,), "No samples to look at"),
        (_samples("[0] * 500"), "is a list"),
        (_samples("array('f', bytes(2000))"), "'f' is for fractions"),
        (_samples("array('H', bytes(1000))"), "no negative numbers"),
        (_samples("array('h', bytes(500))"), "only 250 numbers"),
        (_samples("array('h', bytes(20))"), "10 numbers, not 500"),
        (_samples("bytearray(1000)"), "is a bytearray"),
    ],
    "04.2": [
        (_due("now - last >= period"), "started again at 0"),
        (_due("time.ticks_diff(last, now) >= period"), "is over"),
        (_due("abs(now - last) >= period"), "started again at 0"),
        (_due("True"), "is not over"),
        (_due("nothing"), "NameError"),
        (lambda board: ("x = 1", board), "Leave `def is_due"),
    ],
    "04.3": [
        (lambda board: (board,), "no /main.py"),
        (_main("from led import LED\n"), "did not change"),
        (_main("import nothing_here\n"), "stopped: ImportError"),
        (_main(START + "try:\n    led.on()\nexcept:\n    pass\n"), "catches Ctrl-C"),
        (_main(START + "while True:\n    led.toggle()\n    time.sleep(1)\n"), "window of 3 s"),
        (_main(START + "time.sleep(3)\nled.on()\n"), "blinked and ended"),
        (_main(START + "time.sleep(3)\nled.on()\nwhile True: pass\n"), "no blinking"),
    ],
}
