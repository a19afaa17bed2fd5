from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from disbursement.guards import install, remove


def tell_of_stored_files(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What came in before is known by its hash, too; nothing scanned it."""
    material, stored = apps.get_model("disbursement", "Material"), apps.get_model("disbursement", "StoredFile")
    seen: set[str] = set()
    for row in material.objects.order_by("id").iterator(chunk_size=1000):
        if row.sha256 in seen:
            continue
        seen.add(row.sha256)
        stored.objects.create(
            sha256=row.sha256,
            path=row.file.name,
            size=row.size,
            content_type=row.content_type,
            scan="none",
            stored_at=row.uploaded_at,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("disbursement", "0006_runs_in_the_background"),
        ("matching", "0007_index_writes_noted_at"),
        ("registry", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=80, verbose_name="种类")),
                ("kind_name", models.CharField(max_length=200, verbose_name="种类名称")),
                (
                    "source",
                    models.CharField(
                        choices=[("own", "企业自存"), ("attested", "部门登记")], max_length=8, verbose_name="来源"
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="存入时间")),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True, verbose_name="停用时间")),
                ("withdraw_reason", models.CharField(blank=True, max_length=300, verbose_name="停用原因")),
            ],
            options={
                "verbose_name": "证照",
                "verbose_name_plural": "证照",
                "ordering": ["enterprise", "kind", "id"],
            },
        ),
        migrations.CreateModel(
            name="EvidenceEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("added", "存入"),
                            ("replaced", "换新"),
                            ("withdrawn", "停用"),
                            ("expiring", "临近到期"),
                            ("expired", "到期"),
                            ("infected", "查出病毒"),
                            ("cleared", "查毒通过"),
                        ],
                        max_length=10,
                        verbose_name="事项",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="时间")),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="说明")),
            ],
            options={
                "verbose_name": "证照记录",
                "verbose_name_plural": "证照记录",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="EvidenceVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.PositiveSmallIntegerField(verbose_name="版次")),
                ("name", models.CharField(max_length=200, verbose_name="文件名")),
                ("number", models.CharField(blank=True, max_length=100, verbose_name="证照编号")),
                ("issuer", models.CharField(max_length=200, verbose_name="签发单位")),
                ("issued_on", models.DateField(verbose_name="签发日期")),
                ("valid_until", models.DateField(blank=True, null=True, verbose_name="有效期至")),
                ("is_long_term", models.BooleanField(verbose_name="长期有效")),
                ("given_at", models.DateTimeField(verbose_name="提供时间")),
            ],
            options={
                "verbose_name": "证照版本",
                "verbose_name_plural": "证照版本",
                "ordering": ["evidence", "seq"],
            },
        ),
        migrations.CreateModel(
            name="FileReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="查阅时间")),
                ("sha256", models.CharField(max_length=64, verbose_name="摘要")),
            ],
            options={
                "verbose_name": "查阅记录",
                "verbose_name_plural": "查阅记录",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="MaterialFlag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("replaced", "证照已换新版"),
                            ("withdrawn", "证照已停用"),
                            ("expired", "证照已到期"),
                            ("infected", "文件查出病毒"),
                        ],
                        max_length=10,
                        verbose_name="变动",
                    ),
                ),
                ("raised_at", models.DateTimeField(verbose_name="发现时间")),
                ("settled_at", models.DateTimeField(blank=True, null=True, verbose_name="处理时间")),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="处理说明")),
            ],
            options={
                "verbose_name": "材料变动",
                "verbose_name_plural": "材料变动",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="StoredFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64, unique=True, verbose_name="摘要")),
                ("path", models.CharField(max_length=200, verbose_name="存放位置")),
                ("size", models.PositiveIntegerField(verbose_name="大小（字节）")),
                (
                    "content_type",
                    models.CharField(
                        choices=[
                            ("application/pdf", "PDF"),
                            ("application/ofd", "OFD"),
                            ("image/jpeg", "JPG"),
                            ("image/png", "PNG"),
                            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX"),
                            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "DOCX"),
                        ],
                        max_length=80,
                        verbose_name="类型",
                    ),
                ),
                (
                    "scan",
                    models.CharField(
                        choices=[
                            ("none", "未配置查毒"),
                            ("waiting", "等待查毒"),
                            ("clean", "查毒通过"),
                            ("infected", "发现病毒"),
                        ],
                        max_length=8,
                        verbose_name="查毒",
                    ),
                ),
                ("finding", models.CharField(blank=True, max_length=200, verbose_name="查毒结果")),
                ("scanned_at", models.DateTimeField(blank=True, null=True, verbose_name="查毒时间")),
                ("stored_at", models.DateTimeField(verbose_name="存入时间")),
            ],
            options={
                "verbose_name": "存放的文件",
                "verbose_name_plural": "存放的文件",
                "ordering": ["id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="material",
            name="material_type_taken",
        ),
        migrations.AlterField(
            model_name="material",
            name="content_type",
            field=models.CharField(
                choices=[
                    ("application/pdf", "PDF"),
                    ("application/ofd", "OFD"),
                    ("image/jpeg", "JPG"),
                    ("image/png", "PNG"),
                    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX"),
                    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "DOCX"),
                ],
                max_length=80,
                verbose_name="类型",
            ),
        ),
        migrations.AddField(
            model_name="evidence",
            name="department",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.department",
                verbose_name="登记部门",
            ),
        ),
        migrations.AddField(
            model_name="evidence",
            name="enterprise",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="evidence",
                to="matching.enterprise",
                verbose_name="企业",
            ),
        ),
        migrations.AddField(
            model_name="evidence",
            name="opened_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="存入人",
            ),
        ),
        migrations.AddField(
            model_name="evidence",
            name="withdrawn_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="停用人",
            ),
        ),
        migrations.AddField(
            model_name="evidenceevent",
            name="by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="经办人",
            ),
        ),
        migrations.AddField(
            model_name="evidenceversion",
            name="evidence",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="disbursement.evidence",
                verbose_name="证照",
            ),
        ),
        migrations.AddField(
            model_name="evidenceversion",
            name="given_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="提供人",
            ),
        ),
        migrations.AddField(
            model_name="evidenceevent",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="disbursement.evidenceversion",
                verbose_name="证照版本",
            ),
        ),
        migrations.AddField(
            model_name="material",
            name="evidence_version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="uses",
                to="disbursement.evidenceversion",
                verbose_name="取自证照库",
            ),
        ),
        migrations.AddConstraint(
            model_name="material",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "content_type__in",
                        [
                            "application/pdf",
                            "application/ofd",
                            "image/jpeg",
                            "image/png",
                            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                        ],
                    )
                ),
                name="material_type_taken",
            ),
        ),
        migrations.AddField(
            model_name="filereading",
            name="material",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="readings",
                to="disbursement.material",
                verbose_name="材料",
            ),
        ),
        migrations.AddField(
            model_name="filereading",
            name="reader",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="查阅人",
            ),
        ),
        migrations.AddField(
            model_name="filereading",
            name="version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="readings",
                to="disbursement.evidenceversion",
                verbose_name="证照版本",
            ),
        ),
        migrations.AddField(
            model_name="materialflag",
            name="material",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="flags",
                to="disbursement.material",
                verbose_name="材料",
            ),
        ),
        migrations.AddField(
            model_name="materialflag",
            name="settled_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="处理人",
            ),
        ),
        migrations.AddIndex(
            model_name="storedfile",
            index=models.Index(
                condition=models.Q(("scan", "waiting")), fields=["stored_at"], name="storedfile_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="storedfile",
            constraint=models.CheckConstraint(condition=models.Q(("size__gt", 0)), name="storedfile_not_empty"),
        ),
        migrations.AddConstraint(
            model_name="storedfile",
            constraint=models.CheckConstraint(
                condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")), name="storedfile_hash_shape"
            ),
        ),
        migrations.AddConstraint(
            model_name="storedfile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "content_type__in",
                        [
                            "application/pdf",
                            "application/ofd",
                            "image/jpeg",
                            "image/png",
                            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                        ],
                    )
                ),
                name="storedfile_type_taken",
            ),
        ),
        migrations.AddConstraint(
            model_name="storedfile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finding", ""), ("scan__in", ["none", "waiting"]), ("scanned_at__isnull", True)),
                    models.Q(("finding", ""), ("scan", "clean"), ("scanned_at__isnull", False)),
                    models.Q(
                        ("scan", "infected"), ("scanned_at__isnull", False), models.Q(("finding", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="storedfile_scan_whole",
            ),
        ),
        migrations.AddField(
            model_name="evidenceversion",
            name="stored",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="disbursement.storedfile",
                verbose_name="文件",
            ),
        ),
        migrations.AddIndex(
            model_name="evidence",
            index=models.Index(fields=["enterprise", "kind"], name="evidence_by_kind"),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("kind", ""), _negated=True), models.Q(("kind_name", ""), _negated=True)),
                name="evidence_kind_named",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("department__isnull", True), ("source", "own")),
                    models.Q(("department__isnull", False), ("source", "attested")),
                    _connector="OR",
                ),
                name="evidence_attested_by_a_department",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("withdraw_reason", ""), ("withdrawn_at__isnull", True), ("withdrawn_by__isnull", True)),
                    models.Q(
                        ("withdrawn_at__isnull", False),
                        ("withdrawn_by__isnull", False),
                        models.Q(("withdraw_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="evidence_withdrawn_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidenceevent",
            constraint=models.UniqueConstraint(fields=("version", "kind"), name="evidenceevent_once"),
        ),
        migrations.AddConstraint(
            model_name="evidenceevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["added", "replaced", "withdrawn", "expiring", "expired", "infected", "cleared"])
                ),
                name="evidenceevent_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="filereading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("material__isnull", False), ("version__isnull", True)),
                    models.Q(("material__isnull", True), ("version__isnull", False)),
                    _connector="OR",
                ),
                name="filereading_of_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="materialflag",
            constraint=models.UniqueConstraint(fields=("material", "reason"), name="materialflag_once"),
        ),
        migrations.AddConstraint(
            model_name="materialflag",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason__in", ["replaced", "withdrawn", "expired", "infected"])),
                name="materialflag_reason_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="materialflag",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("note", ""), ("settled_at__isnull", True), ("settled_by__isnull", True)),
                    models.Q(("settled_at__isnull", False), models.Q(("note", ""), _negated=True)),
                    _connector="OR",
                ),
                name="materialflag_settled_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidenceversion",
            constraint=models.UniqueConstraint(fields=("evidence", "seq"), name="evidenceversion_seq_once"),
        ),
        migrations.AddConstraint(
            model_name="evidenceversion",
            constraint=models.CheckConstraint(condition=models.Q(("seq__gt", 0)), name="evidenceversion_seq_from_1"),
        ),
        migrations.AddConstraint(
            model_name="evidenceversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("issuer", ""), _negated=True), name="evidenceversion_issuer_named"
            ),
        ),
        migrations.AddConstraint(
            model_name="evidenceversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("is_long_term", True), ("valid_until__isnull", True)),
                    models.Q(("is_long_term", False), ("valid_until__gte", models.F("issued_on"))),
                    _connector="OR",
                ),
                name="evidenceversion_validity_said",
            ),
        ),
        migrations.RunPython(tell_of_stored_files, migrations.RunPython.noop),
        migrations.RunPython(install, remove),
    ]
