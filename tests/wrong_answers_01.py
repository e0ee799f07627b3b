"""Wrong answers to the exercises of notebook 01, and what their feedback says."""

from workshop_helpers.budget import Plan

WIFI = "HTTP POST, Wi-Fi joined anew"
WRONG = {
    "01.1": [
        ((lambda rate, seconds, channels: int(rate * seconds) * channels,), "two bytes"),
        ((lambda rate, seconds, channels: int(rate * seconds) * channels * 4,), "float"),
        ((lambda rate, seconds, channels: int(rate * seconds) * 2,), "Each channel"),
        ((lambda rate, seconds, channels: 0,), "Samples × channels × 2"),
    ],
    "01.2": [
        (("a plan", "esp32"), "not a Plan"),
        ((Plan(), "teensy-41"), "No current"),
        ((Plan(), "no-such-board"), "no board"),
        ((Plan(battery_mah=9000), "esp32"), "2000 at most"),
        ((Plan(message_every_s=3600), "esp32"), "600 s"),
        ((Plan(), "esp32"), "choose a radio"),
        ((Plan(radio=WIFI), "esp32"), r"days at .* mA. What draws it"),
    ],
}
