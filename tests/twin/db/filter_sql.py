"""What the SQL of a filter may hold: declared columns, placeholders, and a few functions."""

import re
from typing import Any

from sqlalchemy.dialects.postgresql import asyncpg

from twin.db.query import Condition

DIALECT: Any = asyncpg.dialect()

_ALLOWED = re.compile(
    r"""(?: f\.[a-z_0-9]+ (?: \[\d+\] )? | \$\d+::[A-Z ]+(?:\[\])? | \b(?:
            AND | OR | NOT | LIKE | IS | NULL | ANY | CAST | AS | ARRAY
            | TEXT | DOUBLE | PRECISION | NUMERIC | DATE | TIMESTAMP | WITH | WITHOUT | TIME | ZONE | JSONB
            | BOOLEAN | COLLATE | NFD | true | false
            | lower | normalize | regexp_replace | nullif | mod | trunc | power | timezone | geometry
            | jsonb_contains | jsonb_path_exists | jsonb_build_object
            | ST_(?:Intersects|Equals|Disjoint|Touches|Within|Overlaps|Crosses|Contains) )\b
          | "und-x-icu" | '\[\\u0300-\\u036F\]' | '' | 'g' | 'UTC' | 'x'
          | '\$\[\*\]\ \?\ \(@\ ==\ \$x\[\*\]\)'::jsonpath
           | '1\ day\ -1\ microsecond'::interval
          | '-?infinity'::(?:date|timestamptz) | \b[01]\b
          | [(),.\[\]\s] | != | <= | >= | [-=<>+*/] )+""",
    re.VERBOSE,
)


def holds_no_text(condition: Condition) -> bool:
    """Whether the SQL is made of what is declared, so that no text of a request became part of it."""
    return _ALLOWED.fullmatch(str(condition.clause.compile(dialect=DIALECT))) is not None
