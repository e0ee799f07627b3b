"""Call a function and print what it answers, or its traceback, so that damage on the way shows.

Between the first and the second token stands what the function printed, between the second and the
third the answer as JSON with the CRC-32 of that text; "-" where the board can't compute it.
"""


def _w_reply(token, function, arguments):
    import json

    print(token, end="")
    try:
        text = json.dumps([function(*arguments)])
    except Exception as error:
        import io
        import sys

        text = io.StringIO()
        sys.print_exception(error, text)
        text = json.dumps(text.getvalue())
    try:
        from binascii import crc32

        crc = crc32(text)
    except ImportError:
        crc = "-"
    print(token, end="")
    print(text, crc, end=token)
