# %% 08.1
# 8 bytes a node, 12 a tree; with hard votes a leaf is one byte.
trees, nodes, leaf_values = hard.host.capacities
my_bytes = 8 * nodes + 12 * trees + leaf_values
check("08.1", my_bytes, hard)

# %% 08.2
# Hard votes take one byte a leaf in place of ten, which pays for more leaves.
my_forest = RandomForestClassifier(10, max_leaf_nodes=64, random_state=1).fit(X_train, y_train)
my_model = convert(my_forest, X_train, name="my_digits", voting="hard")
check("08.2", my_model, X_test, y_test)
