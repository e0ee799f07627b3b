"""Call a function and print what it answers, or its traceback, so that damage on the way shows.

Between the first and the second token stands what the function printed, between the second and the
third the answer as JSON with the CRC-32 of that text.
"""


def _w_reply(token, function, arguments):
    import io
    import json
    import sys
    from binascii import crc32

    print(token, end="")
    try:
        text = json.dumps([function(*arguments)])
    except Exception as error:
        text = io.StringIO()
        sys.print_exception(error, text)
        text = json.dumps(text.getvalue())
    print(token + text, crc32(text), end=token)
