"""Proofs: since when a kind of evidence was seen at all; intervals indexed by their beginning."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0002_cluster_busy_until'),
        ('lineage', '0002_fieldflow'),
    ]

    operations = [
        migrations.CreateModel(
            name='Compaction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('until', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Proof',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=40)),
                ('first_seen', models.DateTimeField()),
            ],
        ),
        migrations.RemoveIndex(
            model_name='evidence',
            name='lineage_evi_edge_id_b0e833_idx',
        ),
        migrations.AlterField(
            model_name='evidence',
            name='edge',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='evidence', to='lineage.edge'),
        ),
        migrations.AddIndex(
            model_name='evidence',
            index=models.Index(fields=['edge', 'kind', 'first_seen'], name='lineage_evi_edge_id_031abf_idx'),
        ),
        migrations.AddIndex(
            model_name='producername',
            index=models.Index(fields=['node_kind', 'node_name'], name='lineage_pro_node_ki_0ef000_idx'),
        ),
        migrations.AddField(
            model_name='compaction',
            name='cluster',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.cluster'),
        ),
        migrations.AddField(
            model_name='proof',
            name='edge',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='proofs', to='lineage.edge'),
        ),
        migrations.AddConstraint(
            model_name='proof',
            constraint=models.UniqueConstraint(fields=('edge', 'kind'), name='one_proof_a_kind'),
        ),
    ]
