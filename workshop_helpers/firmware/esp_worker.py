"""Run esptool in a process of its own, by its documented Python interface; a JSON line an event.

    python esp_worker.py '{"port": …, "offset": …, "file": …, "chip": …, "baud": …, "erase": …}'

Kept apart because esptool is not among the workshop's packages (see `tools.py`), ends the process
when it fails, and is under the GPL. Events: {"event": "log"|"chip"|"stage"|"progress"|"error"|
"done", …}. The chip is compared before anything is erased.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def say(event: str, **facts: object) -> None:
    print(json.dumps(dict(event=event, **facts)), flush=True)


def main(job: dict[str, Any]) -> None:
    from esptool.cmds import attach_flash, detect_chip, reset_chip, run_stub, write_flash
    from esptool.logger import TemplateLogger, log

    class Lines(TemplateLogger):  # type: ignore[misc]
        def print(self, *args: Any, **options: Any) -> None:
            text = " ".join(str(arg) for arg in args).strip()
            if text.strip("."):
                say("log", text=text)

        def note(self, message: str) -> None:
            self.print(message)

        def warning(self, message: str) -> None:
            self.print("Warning: " + message)

        def error(self, message: str) -> None:
            self.print(message)

        def stage(self, finish: bool = False) -> None:
            pass

        def progress_bar(self, cur_iter: int, total_iters: int, *rest: Any, **more: Any) -> None:
            say("progress", done=int(cur_iter), total=int(total_iters))

        def set_verbosity(self, verbosity: str) -> None:
            pass

    log.set_logger(Lines())
    with detect_chip(job["port"], connect_attempts=job["attempts"]) as esp:
        say("chip", chip=esp.CHIP_NAME)
        if job["chip"] and job["chip"] != esp.CHIP_NAME:
            return  # the one who asked says why
        if not job["file"]:
            reset_chip(esp, "hard-reset")
            say("done")
            return
        esp = run_stub(esp)
        if job["baud"]:
            esp.change_baud(job["baud"])
        attach_flash(esp)
        say("stage", text="erasing and writing" if job["erase"] else "writing")
        # Compares the MD5 of the flash with that of the file when it has written.
        write_flash(esp, [(job["offset"], job["file"])], erase_all=job["erase"])
        reset_chip(esp, "hard-reset")
        say("done")


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BaseException as error:  # esptool raises its own, pyserial's, and SystemExit
        say("error", text=str(error) or type(error).__name__, kind=type(error).__name__)
        raise SystemExit(1) from None
