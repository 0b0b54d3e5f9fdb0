"""The commands that need the whole house: a deployment, the demo, and those that read somebody's own files.

Nothing is imported here: `--help` of a command must not load the server.
"""

__all__: list[str] = []
