"""Arguments and answers as text: literals and JSON only, never evaluated."""

import binascii
import math

import pytest

from workshop_helpers.board.answers import (
    checked_answer,
    from_json,
    from_literal,
    literal,
    new_token,
)
from workshop_helpers.errors import BadAnswerError


@pytest.mark.parametrize(
    "value",
    [None, True, -3, 2.5, "é\n\"'", b"\x00\xff", [1, [2]], (1,), (), {"a": (1, 2)}, {1, 2}, set()],
)
def test_a_literal_reads_back(value):
    text = literal(value)
    assert eval(text, {"set": set}) == value


def test_numpy_becomes_lists_and_numbers():
    np = pytest.importorskip("numpy")
    assert literal(np.arange(3, dtype=np.int16)) == "[0, 1, 2]"
    assert literal(np.float32(0.5)) == "0.5"


def test_an_object_is_refused_before_anything_is_sent():
    with pytest.raises(TypeError, match="object"):
        literal([object()])


def test_answers_with_nan_and_inf():
    values = from_literal("[nan, -inf, 'nan', 1]")
    assert math.isnan(values[0]) and values[1:] == [-math.inf, "nan", 1]
    values = from_json('[nan, -inf, "a nan \\" inf", 1]')
    assert math.isnan(values[0]) and values[1:] == [-math.inf, 'a nan " inf', 1]


@pytest.mark.parametrize("text", ["__import__('os')", "<object>", "", "1 +", "[" * 500, "f(1)"])
def test_anything_else_is_a_bad_answer(text):
    with pytest.raises(BadAnswerError):
        from_literal(text)
    with pytest.raises(BadAnswerError):
        from_json(text)


def reply(token, text, crc=None):
    crc = binascii.crc32(text.encode()) if crc is None else crc
    return f"{token}{text} {crc}{token}".encode()


def test_the_last_answer_counts():
    token = new_token()
    output = token.encode() + b"printed" + reply(token, "[1]") + b"\r\n"
    assert checked_answer(output, token) == "[1]"
    assert checked_answer(reply(token, "[1]", "-"), token) == "[1]"  # a board without CRC-32
    with pytest.raises(BadAnswerError, match="no answer"):
        checked_answer(b"nothing", token)


def test_no_flipped_lost_or_doubled_byte_of_an_answer_goes_unseen():
    token, text = new_token(), '[[1, 22, "walking"]]'
    whole, refused = reply(token, text), 0
    for at in range(len(whole)):
        spoilt = {whole[:at] + whole[at + 1 :], whole[: at + 1] + whole[at:]}
        spoilt |= {whole[:at] + bytes([whole[at] ^ 1 << n]) + whole[at + 1 :] for n in range(8)}
        for output in spoilt - {whole}:
            try:
                assert checked_answer(output, token) == text  # a token's end that came twice
            except BadAnswerError:
                refused += 1
    assert refused > 9 * len(whole)
