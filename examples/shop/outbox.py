"""The file that stands for sent mail: one JSON object a line, each mail once."""

import json
import os
from pathlib import Path

from examples.shop.mail_join import Mail, MailJoin


def _read_ids(path: Path) -> set[str]:
    """Return the orders whose mail is out, having cut off a line that a kill left half written."""
    if not path.exists():
        return set()
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(path, len(whole))
    return {json.loads(line)["order_id"] for line in whole.splitlines()}


def _append(path: Path, mails: list[Mail]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(mail.as_fields()) + "\n" for mail in mails)
        file.flush()
        os.fsync(file.fileno())


def deliver(join: MailJoin, path: Path) -> int:
    """Append the undelivered mails and note it; returns their number."""
    mails = join.undelivered()
    if mails:
        _append(path, mails)
        with join:
            join.mark_delivered(mails)
    return len(mails)


def recover(join: MailJoin, path: Path) -> None:
    """After a start: note the mails that went out just before the last end."""
    mails = join.undelivered()
    if mails:
        out = _read_ids(path)
        with join:
            join.mark_delivered([mail for mail in mails if mail.order_id in out])
