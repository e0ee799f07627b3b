"""An app whose every record can be told from a wrong one; for benchmarks/soak.py.

config: records, how many; period_ms, the pause between two. `numbers` is for `board.call`.
"""

import time


def numbers(first, n):
    return [(first + i) * 7919 % 1000003 for i in range(n)]


def main(config):
    from commands import Commands
    from link import Link

    link = Link()
    commands = Commands(link, {"step": (1, 1, 1000)})
    hello = {"app": "soak_app", "records": config["records"]}
    hello.update(commands.describe())
    link.send("hello", hello)
    for i in range(config["records"]):
        commands.poll()
        if commands.stopped:
            break
        link.send("value", {"n": i, "value": i * 7919 % 1000003})
        time.sleep_ms(config["period_ms"])
    link.send("bye", {"records": link.seq + 1})
