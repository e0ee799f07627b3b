#!/usr/bin/env python3
"""Start here: `python3 workshop.py demo`. Needs Python 3.11 to 3.14 and nothing else.

Makes `.venv` beside this file from requirements.lock (every file checked by SHA-256), installs
the project into it, and runs `workshop ...` in there. When nothing has changed it only looks at a
stamp and goes on. A `.venv` that is broken, moved, or of a Python that is gone is made anew; a
set-up that was interrupted goes on where it stopped. `uv` is used if it is on PATH, else pip.
WORKSHOP_VENV names another folder for the environment. With `--bundle DIR` (a folder or an address,
see `workshop bundle`; WORKSHOP_BUNDLE is its default) nothing comes from the Internet: packages and
official modules are the bundle's, and checked as always. Everything said here goes to standard
error, so that `--json` can be piped.

Windows and macOS: written against Python's documentation, not tried there yet.
"""

# Standard library only, and syntax that Python 3.6 can read, so that an old Python gets a message.
import contextlib
import os
import subprocess
import sys
import time

OLDEST, TOO_NEW = (3, 11), (3, 15)
LOCK_WAIT_S = 900
HEARTBEAT_S = 10
REWRITE_S = 0.3
ROOT = os.path.dirname(os.path.abspath(__file__))
STAMP, LOG, MARKER = "workshop-stamp.json", "workshop-install.log", "workshop-venv"
WINDOWS = os.name == "nt"
INHERITED = []  # the lock's descriptor, while set-up runs
BUNDLE = []  # folder or address of the offline bundle, if one was named

# A test holds this to what the command line offers.
COMMANDS = {
    "demo": "the whole loop on real data: train, convert, verify on the board, stream",
    "lab": "open JupyterLab on the notebooks",
    "doctor": "look at this laptop and the board; say what is wrong and how to mend it",
    "board": "run a virtual board: real MicroPython on a serial port",
    "flash": "put MicroPython on a board; a wrong chip is refused before anything is erased",
    "modules": "native modules for microcontrollers: list, install, verify, build them",
    "bundle": "all that a room without Internet needs: make, verify, serve it",
    "progress": "what you have shown you can do, exercise by exercise",
    "docs": "make docs/errors.md, what every error means, from its table",
    "bench": "run a benchmark of benchmarks/, by its name",
    "test": "run every check and test, notebooks included",
}


class Stop(Exception):
    """Set-up can't go on; the text says why and what to do."""


def say(text):
    print("workshop: " + text, file=sys.stderr, flush=True)


def supported(version):
    return OLDEST <= tuple(version[:2]) < TOO_NEW


def runs(program):
    """Whether a Python runs: a version manager may put names on PATH that lead nowhere."""
    try:
        return subprocess.run([program, "-c", ""], **quiet()).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def quiet():
    return {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": 300}


def python_message(version):
    """What to tell somebody who runs this with a Python we can't use."""
    from shutil import which

    names = [f"python3.{minor}" for minor in range(TOO_NEW[1] - 1, OLDEST[1] - 1, -1)]
    found = [name for name in names if which(name) and runs(name)]
    if found:
        mend = found[0] + " workshop.py ..."
    elif which("uv"):
        mend = "uv run --no-project --python 3.13 workshop.py ..."
    elif WINDOWS:
        mend = "py -3.13 workshop.py ...   (after installing Python 3.13)"
    else:
        mend = "install Python 3.13, then: python3.13 workshop.py ..."
    return (
        f"this is Python {version[0]}.{version[1]}, and the workshop needs Python "
        f"3.{OLDEST[1]} to 3.{TOO_NEW[1] - 1}.\n"
        f"  What to do: {mend}  [PYTHON: docs/errors.md#python]"
    )


if __name__ == "__main__" and not supported(sys.version_info):
    say(python_message(sys.version_info))
    sys.exit(2)


# --- what there is ----------------------------------------------------------------------------
def venv_dir():
    return os.path.abspath(os.environ.get("WORKSHOP_VENV") or os.path.join(ROOT, ".venv"))


def in_venv(venv, name):
    """Path of a program in the environment."""
    return os.path.join(venv, "Scripts" if WINDOWS else "bin", name + (".exe" if WINDOWS else ""))


def read_stamp(venv):
    import json

    try:
        with open(os.path.join(venv, STAMP), encoding="utf-8") as file:
            stamp = json.load(file)
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(venv, stamp):
    import json

    path = os.path.join(venv, STAMP)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(stamp, file, indent=1)
    os.replace(path + ".new", path)


def digest(*parts):
    """SHA-256 of texts and files (an absolute path is a file)."""
    import hashlib

    total = hashlib.sha256()
    for part in parts:
        if os.path.isabs(part):
            with open(part, "rb") as file:
                # Git may have changed the line ends on Windows; that is not a change.
                total.update(file.read().replace(b"\r\n", b"\n"))
        else:
            total.update(part.encode())
    return total.hexdigest()


def venv_python(venv):
    """Full version of the environment's Python, found by running it; None if it does not run."""
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    try:
        out = subprocess.run(
            [in_venv(venv, "python"), "-I", "-S", "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return out.stdout.decode().strip() or None if out.returncode == 0 else None


def wanted_steps(venv, with_tests):
    """What must be installed, in order: {step: digest of what it is made from}."""
    steps = {"requirements.lock": digest(os.path.join(ROOT, "requirements.lock"))}
    if with_tests:
        steps["requirements-test.lock"] = digest(os.path.join(ROOT, "requirements-test.lock"))
    # The editable install holds both paths, and the metadata and commands of pyproject.toml.
    steps["project"] = digest("at " + ROOT, " in " + venv, os.path.join(ROOT, "pyproject.toml"))
    return steps


def missing_steps(venv, stamp, with_tests):
    done = stamp.get("steps", {})
    wanted = wanted_steps(venv, with_tests)
    missing = {step: sha for step, sha in wanted.items() if done.get(step) != sha}
    if not os.path.exists(in_venv(venv, "workshop")):
        missing["project"] = wanted["project"]
    return missing


def site_packages(venv):
    """Where packages are installed, as a list of the one folder or of none."""
    import glob

    sites = ("Lib/site-packages", "lib/python*/site-packages")
    return [path for site in sites for path in glob.glob(os.path.join(glob.escape(venv), site))]


def contents(venv):
    """What stands in site-packages: {name: number of entries, of a file 0}. Takes milliseconds."""
    found = {}
    for site in site_packages(venv):
        for entry in os.scandir(site):
            # pip is not of the lock, and its users like to renew it.
            if entry.name != "__pycache__" and not entry.name.startswith("pip"):
                inside = os.listdir(entry.path) if entry.is_dir() else []
                found[entry.name] = len(set(inside) - {"__pycache__"})
    return found


def lost(venv, stamp, thorough=False):
    """What of the installed packages is gone, or holds less than when it was installed.

    thorough: look for each of their files, also deep down and where JupyterLab's extensions are.
    """
    then, now = stamp.get("contents"), contents(venv)
    then = then if isinstance(then, dict) else {}  # an older one
    gone = sorted(name for name, count in then.items() if now.get(name, -1) < count)
    if thorough and not gone:
        return [os.path.basename(path).partition("-")[0] for path in half_installed(venv)]
    return gone


def lost_line(names):
    packages = [name for name in names if not name.endswith(".dist-info")] or names
    more = len(packages) - 3
    return ", ".join(packages[:3]) + (f" and {more} more" if more > 0 else "")


def why_rebuild(venv, stamp, version):
    """Why the environment can't be kept, or None if it can."""
    if not os.path.isdir(venv) or not os.listdir(venv):
        return "there is none yet"
    if version is None:
        return "its Python does not run any more"
    numbers = [int(part) for part in version.split(".")]
    if not supported(numbers):
        return "it is for Python " + version
    made_with = stamp.get("python") or version
    if made_with.split(".")[:2] != version.split(".")[:2]:
        return f"it was made with Python {made_with} and now holds {version}"
    if stamp.get("venv", venv) != venv:
        return "its folder was moved"
    return None


# --- one at a time ----------------------------------------------------------------------------
@contextlib.contextmanager
def only_one(venv):
    """Hold the set-up lock; the system frees it when a process dies, so none is ever stale.

    On POSIX an installer inherits it: if this process is killed, the next one still waits for the
    installer that goes on by itself.
    """
    os.makedirs(os.path.dirname(venv), exist_ok=True)
    with open(venv + ".lock", "a") as file:
        deadline, told = time.monotonic() + LOCK_WAIT_S, False
        while not try_lock(file):
            if not told:
                say("another workshop.py is setting up; waiting for it")
                told = True
            if time.monotonic() > deadline:
                raise Stop(
                    f"another workshop.py has been setting up for {LOCK_WAIT_S // 60} minutes.\n"
                    "  What to do: end it, then run this again."
                )
            time.sleep(0.2)
        INHERITED.append(file.fileno())
        try:
            yield
        finally:
            INHERITED.clear()


def try_lock(file):
    try:
        if WINDOWS:
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        pass  # a network folder may know no locks: who waited for one would wait for nobody
    return True


# --- making it --------------------------------------------------------------------------------
def make_venv(venv):
    """An empty environment at `venv`; whatever environment was there is removed."""
    import shutil

    # WORKSHOP_VENV may name anything: remove only what is certainly an environment.
    known = any(os.path.exists(os.path.join(venv, name)) for name in (MARKER, "pyvenv.cfg"))
    if os.path.isdir(venv) and os.listdir(venv) and not known:
        raise Stop(
            f"{venv} is there and is not a Python environment.\n"
            "  What to do: move it away, or let WORKSHOP_VENV name another folder."
        )
    os.makedirs(venv, exist_ok=True)
    # The marker stays to the last, so that a removal cut short is still known for what it is.
    with open(os.path.join(venv, MARKER), "w") as file:
        file.write("made by workshop.py\n")
    try:
        for entry in os.scandir(venv):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            elif entry.name != MARKER:
                os.remove(entry.path)
    except OSError as error:
        raise Stop(
            f"the old environment can't be removed: {error}\n"
            "  What to do: close notebooks and terminals that use it, then run this again."
        ) from None
    # The base interpreter: this one may live in the very folder that was just removed.
    base = getattr(sys, "_base_executable", None) or sys.executable
    run_quietly(venv, [base, "-I", "-m", "venv", "--without-pip", venv], "venv")


def have_pip(venv):
    """Make sure that pip runs in the environment (one made by uv has none)."""
    python = in_venv(venv, "python")
    if subprocess.run([python, "-I", "-m", "pip", "--version"], **quiet()).returncode == 0:
        return
    made = subprocess.run([python, "-I", "-m", "ensurepip", "--upgrade"], **quiet())
    if made.returncode:
        version = "{}.{}".format(*sys.version_info[:2])
        raise Stop(
            "this Python has no pip to give (the module ensurepip is missing or broken).\n"
            f"  What to do on Debian or Ubuntu: sudo apt install python{version}-venv\n"
            f"  Elsewhere: install Python {version} from python.org, or install uv; then run this "
            "again."
        )


def install_sources(uv):
    """Arguments for pip or uv that say where wheels come from. None: as the user configured."""
    if not BUNDLE:
        return []
    place = BUNDLE[0]
    if not is_address(place):
        return ["--no-index", "--find-links", os.path.join(place, "wheels")]
    sources = ["--no-index", "--find-links", place + "/wheels/"]
    # Plain HTTP on a local network: what comes is held against the lock's hashes all the same.
    return sources if uv else [*sources, "--trusted-host", host_of(place)]


def install_arguments(step, uv=False):
    """Arguments of `pip install` (and `uv pip install`) for one step."""
    if step == "project":
        # flit_core is in the lock, so this needs no network.
        return ["--no-deps", "--no-build-isolation", "--no-index", "--editable", ROOT]
    # The lock is complete, so nothing need be looked up; wheels only, so no compiler is needed.
    fixed = ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
    return fixed + install_sources(uv) + ["--requirement", os.path.join(ROOT, step)]


def install(venv, step):
    """Install one step with uv, else with pip."""
    from shutil import which

    drop_half_installed(venv)
    uv, python, total = which("uv"), in_venv(venv, "python"), packages_in(step)
    if uv:
        arguments = install_arguments(step, uv=True)
        if run(venv, [uv, "pip", "install", "--python", python, *arguments], total) == 0:
            return
        for line in last_lines(os.path.join(venv, LOG + ".out")):
            say("  " + line)
        say("uv did not manage; trying pip")  # it does not read pip's own settings
    have_pip(venv)
    log = os.path.join(venv, LOG)
    with contextlib.suppress(FileNotFoundError):
        os.remove(log)
    pip = [python, "-I", "-m", "pip", "--disable-pip-version-check", "--log", log]
    # Compiling everything to bytecode takes a quarter of the time, and most of it is never used.
    if run(venv, [*pip, "install", "--no-compile", *install_arguments(step)], total) != 0:
        raise Stop(explain(log))


def packages_in(step):
    """How many packages a lock names, those for other systems too."""
    if not step.endswith(".lock"):
        return 0
    with open(os.path.join(ROOT, step), encoding="utf-8") as file:
        return sum("==" in line and line[0] not in " #" for line in file)


def last_lines(path, count=3):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return [line.rstrip() for line in file if line.strip()][-count:]
    except OSError:
        return []


def drop_half_installed(venv):
    """Forget packages that lack something (an install cut short, a slip of somebody's hand): pip
    would take them for whole."""
    import shutil

    for path in half_installed(venv):
        shutil.rmtree(path, ignore_errors=True)


def half_installed(venv):
    """The .dist-info folders of packages that lack something. Takes a third of a second."""
    return [
        os.path.join(site, name)
        for site in site_packages(venv)
        for name in sorted(os.listdir(site))
        if name.endswith(".dist-info") and not is_whole(site, name)
    ]


def is_whole(site, info):
    """Whether every file that a package brought is there, uncut; bytecode comes and goes."""
    import csv

    try:
        with open(os.path.join(site, info, "RECORD"), encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                if row and not row[0].endswith(".pyc"):
                    size = "".join(row[2:3])  # "" for RECORD itself
                    least = int(size) if size.isdecimal() else 0
                    if os.stat(os.path.join(site, row[0])).st_size < least:
                        return False
    except (OSError, ValueError):
        return False
    return True


class Following:
    """What pip or uv is at: from what it writes into `path`, and what there is in the venv."""

    def __init__(self, venv, path, total):
        self.venv, self.path, self.total = venv, path, total
        self.position = self.done = self.before = 0
        self.installing, self.name = False, ""

    def read(self):
        with open(self.path, "rb") as file:
            file.seek(self.position)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.position += len(whole)
        for line in whole.decode("utf-8", "replace").splitlines():
            self.take(line.strip())

    def take(self, line):
        import re

        word, _, rest = line.partition(" ")
        if word == "Ignoring":  # it is for another system
            self.total -= 1
        elif line.startswith("Requirement already satisfied"):
            self.done += 1
        elif word in ("Collecting", "Processing", "Downloading") and rest:
            self.done += word != "Downloading"
            # A file's whole path, which may have spaces; or a name and what else there is to say.
            path = re.match(r".*\.(whl|tar\.gz|zip)(?=\s|$)", rest)
            what = path.group() if path else rest.split()[0]
            self.name = re.split(r"-\d|[=<>;]", re.split(r"[/\\]", what)[-1])[0]
        elif line.startswith("Installing collected packages: "):
            self.installing, self.total = True, rest.count(",") + 1
            self.before = self.installed()

    def installed(self):
        names = [name for site in site_packages(self.venv) for name in os.listdir(site)]
        return sum(name.endswith(".dist-info") for name in names)

    def __str__(self):
        self.read()
        if self.installing:
            done = min(max(self.installed() - self.before, 0), self.total)
            return f"installing {done} of {self.total}"
        if not self.name:
            return ""
        count = f" {self.done} of {self.total}:" if self.done and self.total else ""
        return f"getting{count} {self.name}"


class Line:
    """One line on a terminal, written over and over."""

    length = 0

    def show(self, text):
        import shutil

        text = text[: shutil.get_terminal_size().columns - 1]
        sys.stderr.write("\r" + text.ljust(self.length) + ("" if text else "\r"))
        sys.stderr.flush()
        self.length = len(text)


def run(venv, command, total=0):
    """Run an installer: one living line on a terminal, else a line every ten seconds. What it
    writes is in a file beside the log."""
    environment = dict(os.environ, PIP_USER="0", PYTHONNOUSERSITE="1", PIP_NO_INPUT="1")
    environment.pop("PYTHONHOME", None)
    if BUNDLE and is_address(BUNDLE[0]):
        for name in ("no_proxy", "NO_PROXY"):  # a proxy leads out of the room
            known = environment.get(name)
            environment[name] = (known + "," if known else "") + host_of(BUNDLE[0])
    extra = {"env": environment, "stdin": subprocess.DEVNULL}
    if not WINDOWS:
        extra["pass_fds"] = INHERITED
    path, line = os.path.join(venv, LOG + ".out"), Line() if sys.stderr.isatty() else None
    with open(path, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, **extra)
        began, following = time.monotonic(), Following(venv, path, total)
        try:
            while True:
                try:
                    return process.wait(REWRITE_S if line else HEARTBEAT_S)
                except subprocess.TimeoutExpired:
                    what, seconds = str(following), time.monotonic() - began
                if line:
                    line.show(f"workshop:   {what or 'still at it'} ({seconds:.0f} s)")
                else:
                    say(f"  still at it ({seconds:.0f} s){what and ': '}{what}")
        finally:
            if line:
                line.show("")
            if process.poll() is None:
                process.terminate()


def run_quietly(venv, command, what):
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    if out.returncode:
        text = out.stdout.decode(errors="replace").strip()
        raise Stop(f"{what} failed for {venv}:\n{text}")


REASONS = (  # what pip's log holds -> what to say; the first that fits
    (
        ("Hashes are required", "must have their versions pinned"),
        "the lock file lacks a hash for something this system needs.\n"
        "  What to do: get the workshop's files again; if that does not help, report it.",
    ),
    (
        (
            "NewConnectionError",
            "Failed to establish",
            "name resolution",
            "getaddrinfo",
            "ConnectTimeout",
            "ReadTimeout",
            "Connection aborted",
            "ProxyError",
            "IncompleteRead",
            "SSLError",
            "Network is unreachable",
            "Connection refused",
            "timed out",
        ),
        "the network did not deliver everything.\n"
        "  What to do: look at the network (a log-in page? a proxy?), then run the same command "
        "again; it goes on where it stopped.",
    ),
    (
        ("DO NOT MATCH THE HASHES",),
        "a download is not what the lock file expects, so nothing of it was installed.\n"
        "  What to do: run it again; if it stays like this, the network or mirror alters files, "
        "or has no file for this system: try another network.",
    ),
    (("No space left", "Errno 28"), "the disk is full.\n  What to do: free about 1 GB."),
    (
        ("No matching distribution", "Could not find a version", "not a supported wheel"),
        "something in the lock file has no wheel for this Python or system.\n"
        "  What to do: use a 64-bit Python 3.11 to 3.14 (Windows on ARM: the x86-64 one) on "
        "Linux, macOS or Windows.",
    ),
)


def explain(log):
    """One clear message from pip's log."""
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        text = ""
    why = "the installer failed.\n  What to do: read the end of its log."
    for signs, reason in REASONS:
        if any(sign in text for sign in signs):
            why = reason
            break
    errors = [line.split(" ", 1)[-1] for line in text.splitlines() if "ERROR:" in line]
    return why + "\n  Log: " + log + "".join("\n  " + line.strip() for line in errors[-3:])


def set_up(venv, with_tests, thorough=False):
    """Bring the environment to what the lock files say. Quick when it is there already."""
    stamp, version = read_stamp(venv), venv_python(venv)
    kept = why_rebuild(venv, stamp, version) is None
    if kept and not missing_steps(venv, stamp, with_tests) and not lost(venv, stamp, thorough):
        return
    with only_one(venv):
        began = time.monotonic()
        stamp, version = read_stamp(venv), venv_python(venv)  # another one may have done it
        why = why_rebuild(venv, stamp, version)
        if why:
            say(f"making the environment {venv} ({why})")
            make_venv(venv)
            stamp, version = {}, venv_python(venv)
        gone = lost(venv, stamp, thorough)
        if gone:
            say(f"missing or damaged in {venv}: {lost_line(gone)}; putting it back")
            stamp["steps"] = {}
        stamp.update(venv=venv, python=version, steps=stamp.get("steps", {}))
        missing = missing_steps(venv, stamp, with_tests)
        if BUNDLE and set(missing) - {"project"}:
            check_bundle(BUNDLE[0], "requirements-test.lock" in missing)
        for step, sha in missing.items():
            say(STEP_LINES[step] + (" from the bundle" if BUNDLE and step != "project" else ""))
            # Whatever happens from here on, the old stamp does not hold any more.
            stamp["steps"].pop(step, None)
            stamp.pop("contents", None)
            write_stamp(venv, stamp)
            install(venv, step)
            stamp["steps"][step] = sha
            stamp["contents"] = contents(venv)
            write_stamp(venv, stamp)
        say(f"ready after {time.monotonic() - began:.0f} s")


STEP_LINES = {
    "requirements.lock": "installing what the workshop needs (up to 150 MB the first time)",
    "requirements-test.lock": "installing what the tests need (about 85 MB the first time)",
    "project": "installing the workshop itself",
}


# --- the offline bundle -----------------------------------------------------------------------
def take_bundle(arguments):
    """Remember `--bundle PLACE` (or WORKSHOP_BUNDLE); the arguments without it."""
    place, rest, coming = os.environ.get("WORKSHOP_BUNDLE"), [], list(arguments)
    while coming:
        word = coming.pop(0)
        if word == "--bundle":
            if not coming:
                raise Stop("--bundle needs a folder or an address.")
            place = coming.pop(0)
        elif word.startswith("--bundle="):
            place = word.split("=", 1)[1]
        else:
            rest.append(word)
    if place:
        place = in_ascii(place.rstrip("/")) if is_address(place) else os.path.abspath(place)
        BUNDLE[:] = [place]
    return rest


def in_ascii(address):
    """As a browser would send it: people type spaces and umlauts."""
    from urllib.parse import quote

    return quote(address, safe="%/:?#[]@!$&'()*+,;=~")


def is_address(place):
    return place.startswith(("http://", "https://"))


def host_of(address):
    from urllib.parse import urlsplit

    return urlsplit(address).hostname or ""


def read_manifest(place):
    import json
    from http.client import HTTPException

    try:
        if is_address(place):
            from urllib.request import ProxyHandler, build_opener

            with build_opener(ProxyHandler({})).open(place + "/manifest.json", timeout=20) as file:
                manifest = json.loads(file.read().decode("utf-8"))
        else:
            with open(os.path.join(place, "manifest.json"), encoding="utf-8") as file:
                manifest = json.load(file)
        if manifest["format"] != 1:
            raise ValueError("its format is another one")
        files = {name: (int(f["size_bytes"]), f["sha256"]) for name, f in manifest["files"].items()}
        pairs = [(entry["platform"], entry["python"]) for entry in manifest["wheels"]]
        return files, pairs, str(manifest["lock_sha256"]), bool(manifest["tests"])
    except (OSError, HTTPException, LookupError, TypeError, ValueError, AttributeError) as error:
        raise Stop(
            f"{place} is not a whole bundle: manifest.json: {error}.\n"
            "  What to do: look at the folder or address after --bundle; make the bundle again."
        ) from None


def check_bundle(place, with_tests):
    """Refuse a bundle that is not for this workshop and laptop, or is not whole, before it is used.

    Of the wheels, those that may run here are read. Served, they are checked as they come: by
    pip or uv, against the lock.
    """
    import hashlib

    files, pairs, lock, has_tests = read_manifest(place)
    if lock != digest(os.path.join(ROOT, "requirements.lock")):
        raise Stop(
            "the bundle was made for another state of the workshop than this one.\n"
            "  What to do: unpack the bundle's workshop.zip and use the workshop.py in it."
        )
    name, python = platform_name(), "{}.{}".format(*sys.version_info[:2])
    if (name, python) not in pairs:
        there = ", ".join(f"{n} with Python {p}" for n, p in pairs) or "none"
        raise Stop(
            f"the bundle has no packages for {name} with Python {python}. It has: {there}.\n"
            "  What to do: run this with one of those Pythons, or make the bundle with "
            f"--platform {name} --python {python}."
        )
    if with_tests and not has_tests:
        raise Stop("the bundle lacks what the tests need.\n  What to do: make it with --tests.")
    if is_address(place):
        return
    say("checking the bundle")
    began = told = time.monotonic()
    for path, (_, sha256) in sorted(files.items()):
        if not path.startswith("wheels/") or not may_run_here(path, name, python):
            continue
        total = hashlib.sha256()
        try:
            with open(os.path.join(place, path), "rb") as file:
                for block in iter(lambda file=file: file.read(1 << 20), b""):
                    total.update(block)
        except OSError as error:
            raise Stop(f"the bundle is not whole: {error}.\n  What to do: copy it again.") from None
        if total.hexdigest() != sha256:
            raise Stop(f"the bundle's {path} is damaged.\n  What to do: copy the bundle again.")
        if time.monotonic() - told > HEARTBEAT_S:
            told = time.monotonic()
            say(f"  still at it ({told - began:.0f} s)")


def platform_name():
    """This laptop, by the names that `workshop bundle make --platform` takes."""
    import platform

    machine = {"AMD64": "x86_64", "ARM64": "arm64"}.get(platform.machine(), platform.machine())
    system = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    return system + "-" + machine


def may_run_here(wheel, name, python):
    """Whether a wheel may be one that is installed here, by its file name; rather yes than no."""
    tags = wheel[: -len(".whl")].split("-")[-3:]
    system = {"macos": "macosx", "windows": "win"}.get(name.split("-")[0], "linux")
    this = "cp" + python.replace(".", "")
    any_python = tags[0] != this and (tags[0].startswith("py") or tags[1] == "abi3")
    return (tags[2] == "any" or system in tags[2]) and (this in tags[0] or any_python)


# --- running ----------------------------------------------------------------------------------
def with_bytecode(venv):
    """Where bytecode beside the sources is not wanted, keep it in the environment instead:
    compiling a hundred packages anew makes every start take seconds longer."""
    environment = dict(os.environ)
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        environment.setdefault("PYTHONPYCACHEPREFIX", os.path.join(venv, "pycache"))
    if BUNDLE:
        environment["WORKSHOP_BUNDLE"] = BUNDLE[0]
        environment.setdefault("WORKSHOP_MIRROR", BUNDLE[0])
    return environment


def hand_over(venv, arguments):
    """Become `workshop ARGUMENTS`, or run it to its end on Windows. Returns its exit code."""
    environment = with_bytecode(venv)
    if not WINDOWS:
        python = in_venv(venv, "python")
        os.execve(python, [python, in_venv(venv, "workshop"), *arguments], environment)
    process = subprocess.Popen([in_venv(venv, "workshop"), *arguments], env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the child got Ctrl-C as well, and decides


def project_version():
    """As pyproject.toml has it; an old Python can't read TOML."""
    import re

    with open(os.path.join(ROOT, "pyproject.toml"), encoding="utf-8") as file:
        found = re.search(r'^version = "([^"]+)"', file.read(), re.MULTILINE)
    return found.group(1) if found else "unknown"


def what_stopped(error, venv):
    """An OSError or TimeoutExpired of the set-up in words."""
    import errno

    if isinstance(error, subprocess.TimeoutExpired):
        return (
            f"a step of the set-up did not end within {error.timeout:.0f} s.\n"
            "  What to do: run the same command again; it goes on where it stopped."
        )
    name = str(error.filename or "")
    if error.errno == errno.ENOSPC:
        return "the disk is full.\n  What to do: free about 1 GB."
    if name and (name.startswith(venv) or venv.startswith(name)):
        example = "WORKSHOP_VENV=~/workshop-venv python3 workshop.py demo"
        if WINDOWS:
            example = '$env:WORKSHOP_VENV = "$HOME\\workshop-venv"; py workshop.py demo'
        return (
            f"the environment can't be made at {venv}: {error}\n"
            "  What to do: let the variable WORKSHOP_VENV name a folder that you may write, as in\n"
            f"  {example}"
        )
    return f"set-up failed: {error}\n  What to do: get the workshop's files again, all of them."


def help_text():
    lines = ["Usage: python3 workshop.py [--bundle PLACE] COMMAND [options]", ""]
    lines += [f"  {name:<9} {text}" for name, text in COMMANDS.items()]
    lines += [
        "",
        "The first run sets everything up. More: python3 workshop.py COMMAND --help",
        "Without Internet: --bundle with the folder or address of a bundle.",
    ]
    return "\n".join(lines)


def main(arguments):
    try:
        arguments = take_bundle(arguments)
    except Stop as stop:
        say(str(stop))
        return 2
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(help_text())
        return 0
    if arguments[0] in ("-V", "--version"):
        print("workshop " + project_version())
        return 0
    if arguments[0] not in COMMANDS:
        import difflib

        close = difflib.get_close_matches(arguments[0], COMMANDS, 1)
        hint = f"did you mean {close[0]}?" if close else "--help lists them."
        say(f"there is no command {arguments[0]!r}; {hint}")
        return 2
    venv = venv_dir()
    try:
        thorough = arguments[0] == "demo"  # which is what `workshop doctor` says mends it
        set_up(venv, arguments[0] == "test" and "--help" not in arguments, thorough)
    except Stop as stop:
        say(str(stop))
        return 1
    except (OSError, subprocess.TimeoutExpired) as error:
        say(what_stopped(error, venv))
        return 1
    except KeyboardInterrupt:
        say("stopped. The same command goes on where it was.")
        return 130
    return hand_over(venv, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
