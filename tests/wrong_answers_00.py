"""Wrong answers to the exercises of notebook 00, and what each check has to say about them."""

WRONG = {
    "00.1": [
        ((None,), "still None"),
        (("328350\n",), "That is text"),
        ((338350,), "range.100. ends at 99"),
        ((7,), "7 is not the sum"),
    ],
    "00.2": [
        (lambda board: (board,), "no /me.txt on the board yet"),
        (lambda board: _empty_file(board), "empty"),
    ],
}


def _empty_file(board):
    board.put(b" \n", "/me.txt")
    return (board,)
