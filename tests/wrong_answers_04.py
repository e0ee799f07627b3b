"""Wrong answers to the exercises of notebook 04, and what each check has to say about them."""

from workshop_helpers.course.field import field_boards
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


def _found(findings):
    return findings, field_boards()  # none of which starts before somebody asks it


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
    "04.4": [
        (_found({"A": None, "B": None, "C": None}), "0 of 3 found.\nA, B, C: nothing written"),
        (_found({}), "nothing written"),
        (_found(None), "Write the findings as"),
        (_found(["main.py resets"]), "Write the findings as"),
        (({"A": "main.py resets"}, {}), "Give it the boards"),
        (_found({"A": "main.py resets", "D": "flash full"}), "No board D came back"),
        (_found({"B": "crumbs"}), "B: 'crumbs' is not in the list; do you mean `heap in crumbs`"),
        (_found({"B": 7}), r"B: '7' is not in the list\."),
        (_found({"A": "Main.py resets ", "B": "heap too small"}), "1 of 3 found.\nA: yes"),
        (_found({"B": "heap too small"}), "over 200 KiB.* `read_heap`"),
        (_found({"A": "main.py floods"}), "a few lines, no flood.*left alone"),
        (_found({"C": "line flips bits"}), "no BAD_ANSWER in ten.*how long"),
        (_found({"C": "main.py resets"}), "one start at most"),
    ],
}
