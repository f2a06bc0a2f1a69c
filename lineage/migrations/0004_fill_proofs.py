"""What was recorded before there were proofs gets its own, apart from the change of the tables.

PostgreSQL refuses to alter a table in a transaction that wrote rows with foreign keys.
"""

from django.db import migrations

_FILL = """
INSERT INTO lineage_proof (edge_id, kind, first_seen)
SELECT edge_id, kind, MIN(first_seen) FROM lineage_evidence GROUP BY edge_id, kind
"""


class Migration(migrations.Migration):

    dependencies = [
        ("lineage", "0003_proofs"),
    ]

    operations = [
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
    ]
