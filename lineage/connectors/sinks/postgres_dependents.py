"""What stands on a table in PostgreSQL, and how it comes to stand on the one that replaces it.

Indexes, constraints and materialised views take time: they are built on the shadow, under names of
their own, before the swap. All else is a matter of the catalog: its statements are taken down while
the old table has its name, and said again in the swap's transaction once the new one has it.
"""

from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.errors import ProgrammingError

from lineage.connectors.errors import SinkMismatchError
from lineage.connectors.sinks.history_view import view_of
from lineage.connectors.sinks.postgres_staging import named

_LONGEST = 63
_SCRATCH = "insideout_scratch"

_INDEXES: LiteralString = """
SELECT i.relname, quote_ident(i.relname), pg_get_indexdef(i.oid)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE x.indrelid = %s AND NOT EXISTS (
  SELECT FROM pg_constraint c WHERE c.conindid = i.oid AND c.contype IN ('p', 'u', 'x'))
ORDER BY 1"""
_CONSTRAINTS: LiteralString = """
SELECT conname, pg_get_constraintdef(oid), conindid <> 0 AND contype <> 'f'
FROM pg_constraint c WHERE conrelid = %s AND contype IN ('c', 'u', 'x', 'f')
  AND NOT (contype = 'c' AND cardinality(conkey) = 1 AND (
    conname ~ '^symbols_[0-9a-f]{16}$' OR conname = (
      SELECT attname || '_symbols' FROM pg_attribute
      WHERE attrelid = c.conrelid AND attnum = c.conkey[1])))
ORDER BY 1"""
"""Without the CHECKs of our own enums, of which the shadow has its own."""
_VIEWS: LiteralString = """
SELECT DISTINCT c.oid, c.oid::regclass::text, c.relkind::text, pg_get_viewdef(c.oid),
  array_to_string(c.reloptions, ', ')
FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class
WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.refobjid = %s AND c.oid <> d.refobjid ORDER BY 2"""
_REFERENCES: LiteralString = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
FROM pg_constraint WHERE confrelid = %s AND contype = 'f' AND conrelid <> confrelid ORDER BY 1, 2"""

_PUBLICATIONS: LiteralString = """
SELECT quote_ident(p.pubname), r.prrelid::regclass::text
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = %s"""

# each query returns statements that name the table; run again they change nothing
_STATEMENTS: tuple[LiteralString, ...] = (
    """SELECT format('GRANT %%s ON %%s TO %%s%%s', a.privilege_type, c.oid::regclass,
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = %s AND a.grantee <> c.relowner""",
    """SELECT format('GRANT %%s (%%I) ON %%s TO %%s', a.privilege_type, t.attname,
      t.attrelid::regclass,
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
    FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = %s AND NOT t.attisdropped""",
    """SELECT format('COMMENT ON %%s IS %%L', CASE d.objsubid
      WHEN 0 THEN CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW ' ELSE 'TABLE ' END
        || c.oid::regclass
      ELSE format('COLUMN %%s.%%I', c.oid::regclass, a.attname) END, d.description)
    FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
    LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
    WHERE d.classoid = 'pg_class'::regclass AND d.objoid = %s""",
    """SELECT format('DROP POLICY IF EXISTS %%I ON %%s', polname, polrelid::regclass)
    FROM pg_policy WHERE polrelid = %s""",
    """SELECT format('CREATE POLICY %%I ON %%s AS %%s FOR %%s TO %%s', polname, polrelid::regclass,
      CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
      CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
        WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
      CASE WHEN 0 = ANY(polroles) THEN 'PUBLIC' ELSE (
        SELECT string_agg(quote_ident(rolname), ', ') FROM pg_roles WHERE oid = ANY(polroles)) END)
      || coalesce(' USING (' || pg_get_expr(polqual, polrelid) || ')', '')
      || coalesce(' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')', '')
    FROM pg_policy WHERE polrelid = %s""",
    """SELECT format('ALTER TABLE %%s %%s ROW LEVEL SECURITY', oid::regclass, word)
    FROM pg_class, LATERAL (VALUES (relrowsecurity, 'ENABLE'), (relforcerowsecurity, 'FORCE'))
      AS w(wanted, word) WHERE oid = %s AND wanted""",
    """SELECT regexp_replace(pg_get_triggerdef(oid), '^CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER')
    FROM pg_trigger WHERE tgrelid = %s AND NOT tgisinternal AND tgconstraint = 0""",
    """SELECT format('ALTER TABLE %%s %%s TRIGGER %%I', tgrelid::regclass, CASE tgenabled
      WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, tgname)
    FROM pg_trigger WHERE tgrelid = %s AND NOT tgisinternal AND tgenabled <> 'O'""",
    """SELECT format('ALTER TABLE %%s SET (%%s)', oid::regclass, array_to_string(reloptions, ', '))
    FROM pg_class WHERE oid = %s AND reloptions IS NOT NULL""",
    """SELECT format('ALTER TABLE %%s REPLICA IDENTITY %%s', c.oid::regclass, CASE c.relreplident
      WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE (
        SELECT format('USING INDEX %%I', i.relname) FROM pg_index x
        JOIN pg_class i ON i.oid = x.indexrelid
        WHERE x.indrelid = c.oid AND x.indisreplident AND NOT x.indisprimary) END)
    FROM pg_class c WHERE c.oid = %s AND c.relreplident IN ('f', 'n', 'i')""",
)


def shadowed(name: str, mark: str = "__new") -> str:
    """Return a name for what replaces a thing of this name, within PostgreSQL's 63 bytes."""
    kept = name.encode()[: _LONGEST - len(mark)].decode(errors="ignore")
    return kept + mark


def _if_it_fits(line: str) -> str:
    """Return a statement that changes nothing where it fails: our own view is made anew anyway."""
    body = f"BEGIN {line.removesuffix(';')}; EXCEPTION WHEN OTHERS THEN NULL; END"
    return f"DO $insideout$ {body} $insideout$"


@dataclass(frozen=True)
class Moves:
    """What the swap must say, in this order: before the tables change names, after, and behind it.

    What comes behind may fail without harm.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    behind: tuple[str, ...]


class Dependents:
    """Finds what stands on tables of one database, and moves it."""

    def __init__(self, db: Connection[Any]) -> None:
        self._db = db

    def _id(self, table: str) -> int | None:
        found = self._db.execute("SELECT to_regclass(%s)::oid", (f'"{table}"',)).fetchone()
        return found[0] if found else None

    def _all(self, query: LiteralString, table: int) -> list[tuple[Any, ...]]:
        return self._db.execute(query, (table,)).fetchall()

    def _say(self, text: str) -> None:
        # taken from the server's own catalog, which quotes names
        self._db.execute(text.encode())

    # -- before the swap ------------------------------------------------------------------------
    def build(self, table: str, shadow: str) -> None:
        """Build on the shadow what takes time and is not there yet; the table is not locked."""
        old, new = self._id(table), self._id(shadow)
        if old is None or new is None:
            return
        self._build_indexes(old, shadow)
        there = {name for name, _, _ in self._all(_CONSTRAINTS, new)}
        for name, text, _ in self._all(_CONSTRAINTS, old):
            if shadowed(name) not in there:
                head = "ALTER TABLE {shadow} ADD CONSTRAINT {name} "
                self._say(self._filled(head, shadow=shadow, name=shadowed(name)) + text)
        for view, label, kind, text, _ in self._all(_VIEWS, old):
            if kind == "m":
                self._refuse_chain(view, label, table)
                self._build_materialised(view, text, table, shadow)

    def _filled(self, template: LiteralString, **names: str) -> str:
        return named(template, **names).as_string(self._db)

    def _build_indexes(self, old: int, new: str) -> None:
        for name, quoted, text in self._all(_INDEXES, old):
            if self._id(shadowed(name)) is None:
                unique = "UNIQUE " if text.startswith("CREATE UNIQUE") else ""
                head = self._filled("INDEX {name} ON {new}", name=shadowed(name), new=new)
                rest = text[text.index(" USING ", text.index(quoted) + len(quoted)) :]
                self._say(f"CREATE {unique}{head}{rest}")

    def _refuse_chain(self, view: int, label: str, table: str) -> None:
        if self._all(_VIEWS, view):
            raise SinkMismatchError(
                f"views stand on the materialised view {label}, which reads {table}: it cannot be "
                "replaced without them. Let them read the table itself, or drop them before"
            )

    def _build_materialised(self, view: int, text: str, table: str, shadow: str) -> None:
        """Build a materialised view anew over the shadow, with its indexes.

        Its text names the table: meanwhile the shadow has that name, in a schema that goes first.
        """
        found = self._db.execute(
            "SELECT c.relname, n.nspname, current_setting('search_path') FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s",
            (view,),
        ).fetchone()
        assert found is not None
        name, schema, path = found
        if self._id(shadowed(name)) is not None:
            return
        places = {"table": table, "shadow": shadow, "scratch": _SCRATCH, "schema": schema}
        for line in (
            "CREATE SCHEMA IF NOT EXISTS {scratch}",
            "ALTER TABLE {shadow} SET SCHEMA {scratch}",
            "ALTER TABLE {scratch}.{shadow} RENAME TO {table}",
        ):
            self._db.execute(named(line, **places))
        self._db.execute(f"SET LOCAL search_path = {_SCRATCH}, {path}".encode())
        made = self._filled(
            "CREATE MATERIALIZED VIEW {schema}.{new} AS ", new=shadowed(name), schema=schema
        )
        self._say(made + text)
        self._db.execute(f"SET LOCAL search_path = {path}".encode())
        for line in (
            "ALTER TABLE {scratch}.{table} RENAME TO {shadow}",
            "ALTER TABLE {scratch}.{shadow} SET SCHEMA {schema}",
            "DROP SCHEMA {scratch}",
        ):
            self._db.execute(named(line, **places))
        self._build_indexes(view, shadowed(name))

    def reclaim(self, table: str, number: int) -> None:
        """Let indexes and constraints of a retired table be found by `build` as built already."""
        found, mark = self._id(table), f"__g{number}"
        if found is None:
            return
        names = [name for name, _, _ in self._all(_INDEXES, found) if name.endswith(mark)]
        for name in names:
            new = shadowed(name.removesuffix(mark))
            self._db.execute(named("ALTER INDEX {name} RENAME TO {new}", name=name, new=new))
        line: LiteralString = "ALTER TABLE {table} RENAME CONSTRAINT {name} TO {new}"
        for name, _, _ in self._all(_CONSTRAINTS, found):
            new = shadowed(name.removesuffix(mark))
            self._db.execute(named(line, table=table, name=name, new=new))

    # -- in the swap ------------------------------------------------------------------------------
    def moves(self, table: str, number: int) -> Moves:
        """Return what moves all that stands on the table; its generation is to be `number`."""
        old = self._id(table)
        if old is None:
            return Moves((), (), ())
        before, after, behind = [], [], []
        own = self._id(view_of(table))
        for name, _, _ in self._all(_INDEXES, old):
            before.append(self._renamed("ALTER INDEX {name} RENAME TO {new}", name, number))
            after.append(self._named_back("ALTER INDEX {new} RENAME TO {name}", name))
        for name, _, indexed in self._all(_CONSTRAINTS, old):
            if indexed:
                line: LiteralString = "ALTER TABLE {table} RENAME CONSTRAINT {name} TO {new}"
                before.append(self._renamed(line, name, number, table=table))
            line = "ALTER TABLE {table} RENAME CONSTRAINT {new} TO {name}"
            after.append(self._named_back(line, name, table=table))
        for other, constraint, text in self._all(_REFERENCES, old):
            before.append(f"ALTER TABLE {other} DROP CONSTRAINT {constraint}")
            rule = text.removesuffix(" NOT VALID")
            after.append(f"ALTER TABLE {other} ADD CONSTRAINT {constraint} {rule} NOT VALID")
            behind.append(f"ALTER TABLE {other} VALIDATE CONSTRAINT {constraint}")
        for view, label, kind, text, options in self._all(_VIEWS, old):
            if kind == "m":
                before.append(f"DROP MATERIALIZED VIEW {label}")
                after += self._materialised(view)
            else:
                settings = f" WITH ({options})" if options else ""
                line = f"CREATE OR REPLACE VIEW {label}{settings} AS {text}"
                after.append(_if_it_fits(line) if view == own else line)
        for publication, label in self._all(_PUBLICATIONS, old):
            before.append(f"ALTER PUBLICATION {publication} DROP TABLE {label}")
            after.append(f"ALTER PUBLICATION {publication} ADD TABLE {label}")
        for query in _STATEMENTS:
            after += [row[0] for row in self._all(query, old)]
        return Moves(tuple(before), tuple(after), tuple(behind))

    def _renamed(self, line: LiteralString, name: str, number: int, **names: str) -> str:
        return self._filled(line, name=name, new=shadowed(name, f"__g{number}"), **names)

    def _named_back(self, line: LiteralString, name: str, **names: str) -> str:
        return self._filled(line, name=name, new=shadowed(name), **names)

    def _materialised(self, view: int) -> list[str]:
        found = self._db.execute("SELECT relname FROM pg_class WHERE oid = %s", (view,)).fetchone()
        assert found is not None
        line: LiteralString = "ALTER MATERIALIZED VIEW {new} RENAME TO {name}"
        lines = [self._named_back(line, found[0])]
        for name, _, _ in self._all(_INDEXES, view):
            lines.append(self._named_back("ALTER INDEX {new} RENAME TO {name}", name))
        for query in _STATEMENTS[:3]:
            lines += [row[0] for row in self._all(query, view)]
        return lines

    def say(self, lines: tuple[str, ...]) -> None:
        """Run statements, naming the one that cannot be."""
        for line in lines:
            try:
                self._say(line)
            except ProgrammingError as error:
                first = str(error).split("\n", 1)[0]
                raise SinkMismatchError(
                    f"what stands on the table cannot move to the new one: {first} ({line[:200]}). "
                    "Drop or change it, then regenerate"
                ) from error
