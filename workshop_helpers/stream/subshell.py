"""Hear a widget's front end while a cell is running."""

from __future__ import annotations

import contextvars
import importlib
from collections.abc import Callable
from typing import Any

_REPLY_TIMEOUT_S = 3.0

# The one subshell that this kernel has for us; it costs a sleeping thread.
_subshells: dict[int, str] = {}


class Listener:
    """Runs functions whose messages to the front end are answered on a thread of their own.

    What a front end says is a message to the kernel, which has one thread for cells and is busy
    there. Jupyter's way around it is a "subshell", a second such thread (JEP 91). ipykernel sends
    what concerns a widget to the subshell from which the widget has spoken last. So we ask this
    kernel for a subshell, as any of its clients may, and let the widget speak as if from there:
    everything that makes or changes a widget goes through `run`. Its callbacks then come on the
    subshell's thread and must be quick; they must not change the widget.

    Needs ipykernel 7.4 or later; the front end need not know of subshells. Tried in JupyterLab 4.6,
    its subshell setting on and off. Before that release the answer never comes, and whoever asks
    must be able to go on without.
    """

    def __init__(self, kernel: Any) -> None:
        """Raises RuntimeError where the kernel has no subshells or does not answer."""
        name = _subshells.get(id(kernel)) or _open_subshell(kernel)
        _subshells[id(kernel)] = name
        self._context = contextvars.copy_context()
        self._context.run(_speak_from, kernel, name)

    def run(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call the function; what it sends is answered on the subshell's thread."""
        return self._context.run(function, *args, **options)


def _speak_from(kernel: Any, subshell: str) -> None:
    parent = kernel.get_parent("shell")
    header = {**parent["header"], "subshell_id": subshell}
    kernel.set_parent(None, {**parent, "header": header})


def _open_subshell(kernel: Any) -> str:
    if "kernel subshells" not in kernel.kernel_info.get("supported_features", ()):
        raise RuntimeError("this kernel has no subshells")
    connect: Any = importlib.import_module("ipykernel.connect")
    jupyter: Any = importlib.import_module("jupyter_client")
    client = jupyter.BlockingKernelClient(connection_file=connect.get_connection_file())
    client.load_connection_file()
    client.start_channels(shell=False, iopub=False, stdin=False, hb=False, control=True)
    try:
        client.control_channel.send(client.session.msg("create_subshell_request", {}))
        reply = client.get_control_msg(timeout=_REPLY_TIMEOUT_S)["content"]
    except Exception as error:  # queue.Empty, or whatever a kernel of another make raises
        raise RuntimeError(f"the kernel gave no subshell: {type(error).__name__}") from error
    finally:
        client.stop_channels()
    if reply.get("status") != "ok":
        raise RuntimeError("the kernel refused a subshell")
    return str(reply["subshell_id"])
