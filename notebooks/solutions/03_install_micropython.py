# %% 03.1
def chip_number(data):
    return int.from_bytes(data[12:14], "little")

print(chip_number(good.read_bytes()))
check("03.1", chip_number)

# %% 03.2
stuck.release_boot()
stuck.press_reset()
check("03.2", stuck)

# %% 03.3
my_file = "ESP32_GENERIC_S3-SPIRAM_OCT-20251209-v1.27.0.bin"
check("03.3", my_file)
