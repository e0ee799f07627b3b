# %% 01.1
# Exercise 01.1: bytes of RAM for one window of int16 samples
def window_bytes(rate_hz, seconds, channels):
    return int(rate_hz * seconds) * channels * 2

check("01.1", window_bytes)

# %% 01.2
# Exercise 01.2: change the plan and the board until the battery lasts 30 days
plan = replace(hungry, hop=100, message_every_s=600, radio="BLE advertisement")
board_id = "xiao-nrf52840-sense"
check("01.2", plan, board_id)
