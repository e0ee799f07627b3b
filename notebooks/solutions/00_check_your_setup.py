# %% 00.1
# eval gives the value; the generator runs on the board, only the sum travels.
answer = board.eval("sum(i * i for i in range(100))")
check("00.1", answer)

# %% 00.2
board.put(b"Ada", "/me.txt")
check("00.2", board)
