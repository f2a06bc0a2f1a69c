"""Let one worker alone synchronise a cluster."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the lease of a cluster."""

    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.AddField("cluster", "busy_until", models.DateTimeField(null=True)),
    ]
