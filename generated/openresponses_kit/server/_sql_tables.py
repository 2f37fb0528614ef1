"""The tables of a store in SQLite or PostgreSQL, and what is asked of them.

Rules kept here: P1 and P2 (a chain is one query), P3 (items by id).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

__all__ = [
    "CHAIN",
    "DELETE_BATCH",
    "FIND",
    "FIND_BY_ITEMS",
    "FIND_SURPLUS",
    "FORGET_ITEMS",
    "VERSION",
    "Inserts",
    "inserts_for",
    "metadata",
    "versions",
]

VERSION = 1
"""Of these tables; it rises when a package that does not know a change could do harm."""

metadata = MetaData()

versions = Table(
    "openresponses_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
)
"""One row that says which version of the tables this is."""

responses = Table(
    "openresponses_responses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("previous_id", Text),
    Column("saved_at", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("item_ids", Text, nullable=False),
    Column("input", LargeBinary, nullable=False),
    Column("response", LargeBinary, nullable=False),
    # With the size in it, the limits are checked without reading a table of large rows.
    Index("openresponses_responses_by_age", "saved_at", "size"),
)
"""`saved_at` is in microseconds of Unix time, `size` in bytes, `item_ids` a JSON array.

Ids come first in the keys: PostgreSQL takes a key that begins with the owner, of which it may think
that there are many, for a good way to one response, and reads all of an owner who is the only one.
"""

items = Table(
    "openresponses_items",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("response_id", Text, primary_key=True),
    ForeignKeyConstraint(
        ["response_id", "owner"], [responses.c.id, responses.c.owner], ondelete="CASCADE"
    ),
    Index("openresponses_items_by_response", "response_id", "owner"),
)
"""Which responses have an item in their output."""

_record = select(
    responses.c.id,
    responses.c.owner,
    responses.c.previous_id,
    responses.c.created_at,
    responses.c.status,
    responses.c.input,
    responses.c.response,
    responses.c.item_ids,
)
_of_owner = responses.c.owner == bindparam("owner")
_in_time = responses.c.saved_at > bindparam("expired")

FIND = _record.where(_of_owner, responses.c.id == bindparam("id"), _in_time)

FIND_BY_ITEMS = _record.where(
    _of_owner,
    responses.c.id.in_(
        select(items.c.response_id).where(
            items.c.owner == bindparam("owner"), items.c.id.in_(bindparam("ids", expanding=True))
        )
    ),
    _in_time,
)

_newest = select(responses.c.id).where(_of_owner, responses.c.id == bindparam("id"))
_link = _newest.cte("links", recursive=True)
_previous = responses.alias("previous")
# Not a join, which a planner that knows little of the table does by reading much of it, for every
# link. Not UNION ALL, so that a link that was seen is not followed again and a circle ends.
_links = _link.union(
    select(
        select(_previous.c.previous_id)
        .where(_previous.c.owner == bindparam("owner"), _previous.c.id == _link.c.id)
        .scalar_subquery()
    ).where(_link.c.id.is_not(None))
)

CHAIN = _record.join(_links, responses.c.id == _links.c.id).where(_of_owner, _in_time)
"""The links of a chain that are kept, in no order."""

FORGET_ITEMS = delete(items).where(
    items.c.owner == bindparam("owner"), items.c.response_id == bindparam("id")
)

_newest_first = responses.c.saved_at.desc()
_ranked = select(
    responses.c.saved_at,
    func.row_number().over(order_by=_newest_first).label("count"),
    func.sum(responses.c.size).over(order_by=_newest_first, rows=(None, 0)).label("bytes"),
).subquery("ranked")

FIND_SURPLUS = select(func.max(_ranked.c.saved_at)).where(
    or_(_ranked.c.count > bindparam("max_responses"), _ranked.c.bytes > bindparam("max_bytes"))
)
"""When the newest of the responses was saved that there is no room for."""

# Rows that another process is removing are left to it: two that wait for one another's rows would
# never end.
DELETE_BATCH = delete(responses).where(
    tuple_(responses.c.id, responses.c.owner).in_(
        select(responses.c.id, responses.c.owner)
        .where(responses.c.saved_at <= bindparam("until"))
        .order_by(responses.c.saved_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
)


@dataclass(frozen=True, slots=True)
class Inserts:
    """What the two databases do alike, and SQLAlchemy has a class of its own for in each."""

    version: Insert
    """If there is none."""
    response: Insert
    """In place of an earlier state."""
    items: Insert
    """Those that are not there yet."""


def inserts_for(dialect: str) -> Inserts:
    """The inserts in the dialect of `sqlite` or of `postgresql`."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    response = insert(responses)
    key = [each.name for each in responses.primary_key]
    return Inserts(
        version=insert(versions).on_conflict_do_nothing(),
        response=response.on_conflict_do_update(
            index_elements=key,
            set_={each.name: each for each in response.excluded if each.name not in key},
        ),
        items=insert(items).on_conflict_do_nothing(),
    )
