"""What a running app can be told: stop, set a value, write a label, and what the app adds.

Purpose: takes commands off the link, does them, answers each with a record "ack".
Runs under: MicroPython; CPython only to import it.
Memory: the values; `poll` allocates nothing while no command comes.

    commands = Commands(link, {"threshold": (0.0, 0, 1)}, {"mark": mark})
    link.send("hello", {"app": "mine", **commands.describe()})
    while not commands.stopped:
        commands.poll()
        commands.at = n_samples           # labels carry it: where in the samples they belong
        use(commands.values["threshold"])

A value is (first value, least, most), or the first value alone. Its type is the type it keeps; a
whole number will do for a float. A verb is a function of the command, a dict; what it returns, a
dict or None, goes with the answer, and a ValueError or OSError refuses the command.
"""

MAX_TEXT = 64


class Commands:
    def __init__(self, link, settable=None, verbs=None):
        self._link = link
        self._limits = {}
        self._verbs = {"stop": self._stop, "label": self._label, "set": self._set}
        self._verbs.update(verbs or {})
        self.values = {}
        for name, value in (settable or {}).items():
            value, least, most = value if isinstance(value, tuple) else (value, None, None)
            self.values[name] = value
            self._limits[name] = (least, most)
        self.stopped = False
        self.at = 0

    def describe(self):
        """Fields for the hello: what the laptop may ask for."""
        settable = {}
        for name, value in self.values.items():
            least, most = self._limits[name]
            settable[name] = {"value": value, "min": least, "max": most}
        return {"commands": sorted(self._verbs), "settable": settable}

    def poll(self):
        """Do one command, if one has come; returns whether one has."""
        command = self._link.command()
        if command is None:
            return False
        try:
            verb = self._verbs.get(command["do"])
            if verb is None:
                raise ValueError("no command %r" % (command["do"],))
            more = verb(command) or {}
        except (ValueError, OSError) as error:
            self._link.ack(command, False, str(error))
        else:
            self._link.ack(command, True, **more)
        return True

    def _stop(self, command):
        self.stopped = True

    def _label(self, command):
        text = command.get("text")
        if not isinstance(text, str) or len(text) > MAX_TEXT:
            raise ValueError("a label is a text of at most %d characters" % MAX_TEXT)
        self._link.send("label", {"text": text, "at": self.at})

    def _set(self, command):
        name = command.get("name")
        value = command.get("value")
        if name not in self.values:
            raise ValueError("nothing to set is called %r" % (name,))
        kind = type(self.values[name])
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise ValueError("%s is %s, not %r" % (name, kind.__name__, value))
        least, most = self._limits[name]
        if least is not None and value < least or most is not None and value > most:
            raise ValueError("%s is %s to %s, not %s" % (name, least, most, value))
        self.values[name] = value
        return {"name": name, "value": value}
