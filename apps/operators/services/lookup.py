"""The one query that every call makes: a credential and its operator, by what was presented.

Its SQL is written once per process from the models. Django's compiler would write the same text again for each call,
and that took two thirds of the time of a call that does nothing else.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection, models

from apps.operators.models import Credential, Operator

Converter = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True, slots=True)
class _Part:
    """The columns of one model in the query: where they begin, and which of them Python reads differently."""

    model: type[models.Model]
    start: int
    names: tuple[str, ...]
    converters: tuple[tuple[int, Converter], ...]

    def read(self, row: Sequence[Any]) -> Any:
        """Return the model's instance in a row."""
        values = list(row[self.start : self.start + len(self.names)])
        for place, convert in self.converters:
            values[place] = convert(values[place], None, connection)
        return self.model.from_db(connection.alias, self.names, values)


def _columns(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return list(model._meta.concrete_fields)  # noqa: SLF001 - documented, whatever its name


def _part(model: type[models.Model], start: int) -> _Part:
    fields = _columns(model)
    converters = [(place, read) for place, field in enumerate(fields) for read in field.get_db_converters(connection)]
    return _Part(model, start, tuple(field.attname for field in fields), tuple(converters))


@lru_cache(maxsize=4)
def _prepared(column: str) -> tuple[str, _Part, _Part]:
    credential = _part(Credential, 0)
    operator = _part(Operator, len(credential.names))
    wanted = [f'c."{field.column}"' for field in _columns(Credential)]
    wanted += [f'o."{field.column}"' for field in _columns(Operator)]
    sql = (
        f"SELECT {', '.join(wanted)} FROM operators_credential c"  # noqa: S608 - names of our own columns
        f' JOIN operators_operator o ON o.id = c.operator_id WHERE c."{column}" = %s AND c.kind = %s'
    )
    return sql, credential, operator


# What this process last read, and until when it may be gone by.
_kept: dict[tuple[str, str, str], tuple[float, list[Credential]]] = {}


def kept_by(column: str, value: str, *, kind: str) -> list[Credential]:
    """Return what `credentials_by` has kept and may still be gone by, or nothing.

    It may only ever let somebody in: a key, an allow-list or a secret may be newer than it, so whoever is refused by it
    is looked up.
    """
    until, found = _kept.get((kind, column, value), (0.0, []))
    return found if time.monotonic() < until else []


def credentials_by(column: str, value: str, *, kind: str, keep_seconds: float = 0.0) -> list[Credential]:
    """Return the credentials of a kind whose `digest`, `prefix` or `ref` is `value`, each with its operator loaded.

    They are kept for `keep_seconds`: so long may a key that was revoked meanwhile still be taken.
    """
    sql, credential_part, operator_part = _prepared(column)
    with connection.cursor() as cursor:
        cursor.execute(sql, [value, kind])
        rows = cursor.fetchall()
    found = []
    for row in rows:
        credential: Credential = credential_part.read(row)
        credential.operator = operator_part.read(row)
        found.append(credential)
    if found and keep_seconds:  # what nobody has would only fill the memory
        _kept[kind, column, value] = (time.monotonic() + keep_seconds, found)
    return found
