# %% 02.1
my_board = "m5-atoms3u"
check("02.1", my_board)

# %% 02.2
def cheap(boards, ram_kb, price_usd):
    return [
        board.id for board in boards
        if board.ram_kb >= ram_kb and board.price_usd is not None and board.price_usd <= price_usd
    ]

check("02.2", cheap)
