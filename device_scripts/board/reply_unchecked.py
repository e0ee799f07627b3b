"""As reply.py, for a board without CRC-32."""


def _w_reply(token, function, arguments):
    import json

    print(token, end="")
    text = json.dumps([function(*arguments)])
    print(token + text, "-", end=token)
