"""A file is written whole or stays as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chargeloop.model.errors import BadInput


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write; the file is there afterwards, or, where something went wrong, as it was before.

    Raises:
        BadInput: it cannot be written.
    """
    if not path.parent.is_dir():
        raise BadInput(str(path), f"there is no folder {path.parent}")
    draft = path.with_name(f"{path.name}.part")
    try:
        yield draft
        draft.replace(path)
    except OSError as error:
        raise BadInput(str(path), f"cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)
