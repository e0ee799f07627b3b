# %% 07.1
# floor, not int: int() cuts towards zero. The + 1 turns "at most" into "less than".
def threshold(t, scale):
    return math.floor(t * scale) + 1

check("07.1", threshold)

# %% 07.2
# A power of two only moves the binary point, so nothing is rounded by it.
def scale(largest):
    return 2.0 ** math.floor(math.log2(32767 / largest))

check("07.2", scale)

# %% 07.3
# The board holds another file than the model in this notebook: deploy that one.
board.deploy(left_behind.model, app="har_live")
check("07.3", left_behind)

# %% 07.4
# What the training used; half-overlapping windows are not what the model was checked with.
window, hop = 20, 5
check("07.4", window, hop)

# %% 07.5
# All channels are about half as strong: the sensor was set to twice the range.
gain = 2
check("07.5", gain, left_behind)
