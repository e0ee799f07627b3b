# %% 09.1
share = len(noisy_one) / (len(noisy_one) + noisy_one.n_lost)
check("09.1", share, noisy_one)

# %% 09.2
mine.label_span(0, 0.5, None)
check("09.2", mine)
