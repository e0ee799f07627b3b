# %% 02.1
my_board = "m5-atoms3u"
check("02.1", my_board)

# %% 02.2
def cheap(boards, ram_kb, price_eur):
    return [
        board.id for board in boards
        if board.ram_kb >= ram_kb and board.price_eur is not None and board.price_eur <= price_eur
    ]

check("02.2", cheap)
