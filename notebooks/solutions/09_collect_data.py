# %% 09.1
share = len(noisy_one) / (len(noisy_one) + noisy_one.n_lost)
check("09.1", share, noisy_one)

# %% 09.2
mine.label_span(0, 0.5, None)
check("09.2", mine)

# %% 09.3
double = {pair.second for pair in data.duplicates}
keep = [r.name for r in data.recordings if r.name not in double]
clean = data.select(keep)
check("09.3", clean, data)
