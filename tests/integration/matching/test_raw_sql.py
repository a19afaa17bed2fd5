"""What must never happen is refused by the database itself: each constraint of these apps is attacked in raw SQL.

The constraints are discovered from the models: one without an attack here fails the test.
"""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from matching.models import (
    Match,
    MatchChange,
    MatchChunk,
    MatchedListing,
    MatchRun,
    PendingIndexWrite,
    PolicyVersion,
    ProfileReading,
    Push,
)
from matching.registry.models import BudgetLine, OutboxMessage, VocabularyRevision
from matching.services import vocabulary
from portal.accounts.models import Membership, RoleAssignment, User
from portal.inbox.models import Digest, DigestEntry, Mute, Notification, ReadMark
from tests.factories import matching as make

pytestmark = pytest.mark.django_db
APPS = ("registry", "matching", "inbox", "accounts")


class Copy:
    """INSERT of a copy of a row with some columns changed."""

    def __init__(self, row, **changes):
        self.row, self.changes = row, changes

    def execute(self, cursor):
        meta = self.row._meta
        columns = [field.column for field in meta.local_fields if not isinstance(field, models.AutoField)]
        values = ", ".join("%s" if column in self.changes else f'"{column}"' for column in columns)
        given = [self.changes[column] for column in columns if column in self.changes]
        quoted = ", ".join(f'"{column}"' for column in columns)
        cursor.execute(
            f'INSERT INTO "{meta.db_table}" ({quoted}) '
            f'SELECT {values} FROM "{meta.db_table}" WHERE "{meta.pk.column}" = %s',
            [*given, self.row.pk],
        )


class Change:
    """UPDATE of a row."""

    def __init__(self, row, **changes):
        self.row, self.changes = row, changes

    def execute(self, cursor):
        meta = self.row._meta
        sets = ", ".join(f'"{column}" = %s' for column in self.changes)
        cursor.execute(
            f'UPDATE "{meta.db_table}" SET {sets} WHERE "{meta.pk.column}" = %s', [*self.changes.values(), self.row.pk]
        )


def refused(attack):
    """What the database said to an attack, or None where it let it through."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            attack.execute(cursor)
            if connection.features.can_defer_constraint_checks:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as error:
        return str(error)
    return None


@pytest.fixture
def world(db):
    now = make.NOW
    revision = vocabulary.ensure_default(now=now)
    firm = make.enterprise(above_scale=True)
    version = make.published(code="item", window={"from": "2026-01-01"})
    other = make.published(code="other")
    user = User.objects.create(username="u1", full_name="甲")
    notification = Notification.objects.create(
        enterprise=firm, kind="policy", title="题", dedupe_key="n", created_at=now
    )
    digest = Digest.objects.create(
        user=user, day=make.TODAY, recipient="a@example.com", subject="s", body="b", prepared_at=now
    )
    mutes = {
        "kind": Mute.objects.create(user=user, kind="policy", created_at=now),
        "department": Mute.objects.create(user=user, department=make.department(), created_at=now),
        "item": Mute.objects.create(user=user, item=version.item, created_at=now),
    }
    run = MatchRun.objects.create(
        item=version.item,
        version=version,
        cause="published",
        occasion="o",
        as_of=make.TODAY,
        created_at=now,
        due_at=now,
    )
    return SimpleNamespace(
        pending=PendingIndexWrite.objects.create(kind="profiles", object_id=1),
        reading=ProfileReading.objects.create(number=1, facts="f"),
        listing=MatchedListing.objects.create(digest="d", content={}),
        run=run,
        chunk=MatchChunk.objects.create(run=run, first=1, last=9, due_at=now),
        change=MatchChange.objects.create(run=run, enterprise=firm, was="out", now="fits"),
        firm=firm,
        version=version,
        other=other,
        user=user,
        notification=notification,
        digest=digest,
        mutes=mutes,
        revision=revision,
        older=VocabularyRevision.objects.create(digest="0" * 64, content={}, created_at=now),
        department=make.department(),
        line=BudgetLine.objects.create(code="b", year=2026, name="科目", department=make.department(), ceiling="1.00"),
        message=OutboxMessage.objects.create(topic="t", payload={}, dedupe_key="k", created_at=now, due_at=now),
        fact=firm.facts.get(),
        match=Match.objects.create(enterprise=firm, version=version, verdict="eligible", as_of=make.TODAY),
        push=Push.objects.create(
            enterprise=firm, version=version, verdict="eligible", cause="policy", reason=[], created_at=now
        ),
        read=ReadMark.objects.create(notification=notification, user=user, read_at=now),
        entry=DigestEntry.objects.create(digest=digest, user=user, notification=notification),
        role=RoleAssignment.objects.create(user=user, role="reviewer", department=make.department()),
        anywhere=RoleAssignment.objects.create(user=user, role="supervisor"),
        member=Membership.objects.create(user=user, enterprise=firm, kind="legal", granted_at=now),
        second=User.objects.create(username="u2", full_name="乙"),
    )


def attacks(w):
    later = make.NOW + timedelta(days=1)
    return {
        "registry_budgetline_once_a_year": [Copy(w.line)],
        "registry_budgetline_ceiling_not_negative": [Copy(w.line, code="x", ceiling="-0.01")],
        "registry_budgetline_fund_known": [Change(w.line, fund="private")],
        "registry_vocabulary_one_current": [Change(w.older, is_current=True)],
        "matching_enterprise_credit_code_shape": [
            Change(w.firm, credit_code="91510105MA000000I0"),
            Change(w.firm, credit_code="91510105MA"),
            Change(w.firm, credit_code=""),
        ],
        "matching_fact_key_named": [Copy(w.fact, key="")],
        "matching_fact_source_named": [Copy(w.fact, source="")],
        "matching_profile_revision": [Change(w.firm.profile, revision=-1)],
        "matching_policyitem_listed_has_version": [Change(w.version.item, current_version_id=None)],
        "matching_policyversion_number_once": [Copy(w.version)],
        "matching_policyversion_number_from_1": [Copy(w.version, number=0)],
        "matching_policyversion_window_order": [Copy(w.version, number=9, window_until="2025-12-31")],
        "matching_match_once": [Copy(w.match)],
        "matching_match_verdict_known": [Change(w.match, verdict="perhaps")],
        "matching_match_form_only_is_undetermined": [Change(w.match, form_only=True)],
        "matching_push_told_once": [Copy(w.push), Copy(w.push, cause="date", created_at=later)],
        "matching_push_only_fitting": [Copy(w.push, verdict="ineligible")],
        "matching_push_cause_known": [Copy(w.push, version_id=w.other.pk, cause="whim")],
        "matching_pendingindexwrite_kind_named": [Copy(w.pending, kind="")],
        "matching_profilereading_number_in_version": [Copy(w.reading, number=0), Copy(w.reading, number=2**20)],
        "matching_matchrun_cause_known": [Change(w.run, cause="whim")],
        "matching_matchrun_alive_until_finished": [
            Change(w.run, state="done"),
            Change(w.run, finished_at=later),
            Change(w.run, state="lost"),
        ],
        "matching_matchrun_one_alive_for_an_item": [Copy(w.run, occasion=None)],
        "matching_matchchunk_planned_once": [Copy(w.chunk)],
        "matching_matchchunk_range": [Change(w.chunk, last=0)],
        "matching_matchchunk_state_and_time_agree": [
            Change(w.chunk, state="done"),
            Change(w.chunk, done_at=later),
            Change(w.chunk, state="lost"),
        ],
        "matching_matchchange_once": [Copy(w.change)],
        "matching_matchchange_crosses": [Change(w.change, was="form"), Change(w.change, now="lacking")],
        "inbox_notification_one_recipient": [
            Change(w.notification, user_id=w.user.pk),
            Change(w.notification, enterprise_id=None),
        ],
        "inbox_notification_kind_known": [Change(w.notification, kind="gossip")],
        "inbox_notification_titled": [Change(w.notification, title="")],
        "inbox_readmark_once": [Copy(w.read)],
        "inbox_mute_one_thing": [
            Change(w.mutes["kind"], kind=""),
            Change(w.mutes["kind"], item_id=w.version.item_id),
            Change(w.mutes["item"], department_id=w.department.pk),
        ],
        "inbox_mute_kind_known": [Change(w.mutes["kind"], kind="gossip")],
        "inbox_mute_kind_once": [Copy(w.mutes["kind"])],
        "inbox_mute_department_once": [Copy(w.mutes["department"])],
        "inbox_mute_item_once": [Copy(w.mutes["item"])],
        "inbox_digest_once_a_day": [Copy(w.digest)],
        "inbox_digest_state_and_times_agree": [
            Change(w.digest, state="sent"),
            Change(w.digest, state="sending"),
            Change(w.digest, claimed_at=later),
            Change(w.digest, state="lost"),
        ],
        "inbox_digestentry_told_once": [Copy(w.entry)],
        "accounts_role_once": [Copy(w.role)],
        "accounts_role_once_districtwide": [Copy(w.anywhere)],
        "accounts_role_known": [Change(w.role, role="king")],
        "accounts_membership_one_alive": [Copy(w.member, kind="agent")],
        "accounts_membership_one_legal_representative": [Copy(w.member, user_id=w.second.pk)],
        "accounts_membership_kind_known": [Change(w.member, kind="friend")],
    }


def uniques(w):
    """Columns that are unique by themselves, with a row to copy."""
    return {
        "registry_department.code": Copy(w.department),
        "registry_vocabularyrevision.digest": Copy(w.older),
        "registry_outboxmessage.dedupe_key": Copy(w.message),
        "matching_enterprise.credit_code": Copy(w.firm, external_id="another"),
        "matching_enterprise.external_id": Copy(w.firm, credit_code=make.credit_code_of(999_999)),
        "matching_policyitem.code": Copy(w.version.item),
        "matching_matchedlisting.digest": Copy(w.listing),
        "matching_matchrun.occasion": Copy(w.run, state="done", finished_at=make.NOW),
        "inbox_notification.dedupe_key": Copy(w.notification),
        "accounts_user.username": Copy(w.user),
    }


def test_every_constraint_is_attacked_and_holds(world):
    declared = {
        constraint.name
        for label in APPS
        for model in apps.get_app_config(label).get_models()
        for constraint in model._meta.constraints
    }
    tried = attacks(world)
    assert set(tried) == declared
    through = [
        f"{name} #{number}"
        for name, list_ in tried.items()
        for number, attack in enumerate(list_)
        # SQLite names no unique constraint, and checks a positive number before the constraint that has a name.
        if not any(word in (refused(attack) or "") for word in (name, "UNIQUE constraint", "CHECK constraint"))
    ]
    assert through == []


def test_every_unique_column_is_attacked_and_holds(world):
    declared = {
        f"{model._meta.db_table}.{field.column}"
        for label in APPS
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.local_fields
        if field.unique and not field.primary_key
    }
    tried = uniques(world)
    assert set(tried) == declared
    assert [name for name, attack in tried.items() if "unique" not in (refused(attack) or "").lower()] == []


def test_versions_facts_and_pushes_are_never_changed_or_deleted(world):
    for row in (world.fact, world.push, PolicyVersion.objects.get(pk=world.other.pk)):
        column = "source" if hasattr(row, "source") else "cause" if hasattr(row, "cause") else "rule_hash"
        assert "append-only" in (refused(Change(row, **{column: "x"})) or "")

        class Delete(Change):
            def execute(self, cursor):
                meta = self.row._meta
                cursor.execute(f'DELETE FROM "{meta.db_table}" WHERE id = %s', [self.row.pk])

        assert "append-only" in (refused(Delete(row)) or "")
