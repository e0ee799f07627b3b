# %% 11.1
# Names and numbers in, bytes out; `parse` is what a receiver does with them.
payload = bthome.service_data([("motion", 1), ("battery", 80)])
advertisement = bthome.advertisement(payload, "watch")
check("11.1", advertisement)

# %% 11.2
# 10 J are 10,000 mJ; a part of a message is none.
per_message_mj = {c.name: c.millijoules.typical for c in channels(4)}["LoRaWAN, SF12"]
count = int(10_000 / per_message_mj)
check("11.2", count, per_message_mj)
