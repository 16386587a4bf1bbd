"""Names of images beside a model: paths within its folder, and nothing else."""

import re

_PLAIN = re.compile(r"[\w .()+-]+(?:/[\w .()+-]+)*")


def plain_name(name: str) -> str | None:
    """A relative path with slashes and without steps upwards; None where the name is anything else."""
    plain = name.replace("\\", "/").removeprefix("./")
    return plain if _PLAIN.fullmatch(plain) and ".." not in plain.split("/") else None
