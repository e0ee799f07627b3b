"""The offline bundle: all that a room without Internet needs, in one folder with a manifest.

`make.make_bundle` gathers it, `manifest.verify_bundle` checks it, `serve.BundleServer` offers it.
Nothing is loaded here: the command line reads this package whenever it starts.
"""
