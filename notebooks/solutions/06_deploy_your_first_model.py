# %% 06.1
import math

def to_int16(values, scale):
    # floor rounds down, also below zero, where int() would round up
    scaled = [math.floor(value * scale) for value in values]
    return [max(-32768, min(32767, value)) for value in scaled]

check("06.1", to_int16)

# %% 06.2
# Left dial below 0: leaf 0. If not, the node after it asks about the right dial.
rows = ["f,2", "c,2", "l,0", "l,1", "r,0",
        "n,0,0,-1,1",
        "n,1,0,-1,-2"]
check("06.2", rows)

# %% 06.3
how_many = np.array(["none", "one", "both"])[(X > 0).sum(axis=1)]
dial_forest = RandomForestClassifier(n_estimators=10, random_state=1).fit(X[:400], how_many[:400])
dials = convert(dial_forest, X[:400], features=dial_names, name="dials")
board.deploy(dials)
check("06.3", dials, board)
