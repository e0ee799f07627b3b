"""Wrong answers to the exercises of notebook 02, and what each check has to say about them."""

WRONG = {
    "02.1": [
        ((None,), "still None"),
        (("pico-99",), "no board"),
        (("pico-2-w",), "no microphone"),
        (("nano-33-ble-sense-rev2",), "no Wi-Fi"),
        (("nano-rp2040-connect",), "no float unit"),
    ],
    "02.2": [
        ((lambda boards, ram, price: None,), "list of ids"),
        ((lambda boards, ram, price: list(boards),), "not the boards"),
        ((lambda boards, ram, price: [b.id for b in boards if b.price_usd <= price],), "be None"),
        ((lambda boards, ram, price: [b.id for b in boards],), "does not belong"),
        ((lambda boards, ram, price: [],), "is missing"),
        ((lambda boards, ram, price: boards[99],), "IndexError"),
    ],
}
