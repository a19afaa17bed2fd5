"""What people do on the pages, beside the great journey: profile, declarations, verification, administration."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from disbursement.domain.workflow import Role
from disbursement.models import CalendarYear, ChangeKind, Document, DocumentKind, Objection, Publicity, SpecialDay
from disbursement.selectors.calendar import working_calendar
from disbursement.services import notices
from disbursement.services.budget import changes
from matching.days import day_of
from matching.models import Enterprise, Fact, Profile
from matching.registry.models import BudgetLine
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories.disbursement import at
from tests.factories.unguarded import unguarded
from tests.integration.portal.conftest import NOW, member, official, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]


class TestProfile:
    @pytest.fixture
    def enterprise(self) -> Enterprise:
        return people.applicant()

    def declare(self, enterprise: Enterprise, key: str, **data: str) -> Any:
        return signed_in(member(enterprise)).post(
            f"/enterprise/profile/{key}/", {"valid_on": day_of(NOW).isoformat(), **data}, follow=True
        )

    def test_a_fact_that_no_authority_states_is_stated_by_the_enterprise(self, enterprise: Enterprise) -> None:
        self.declare(enterprise, "insured_staff", **{"fact-insured_staff": "３５人".replace("人", "")})
        row = Fact.objects.get(enterprise=enterprise, key="insured_staff")
        assert (row.value, row.source) == ("35", "企业填报")
        assert Profile.objects.get(enterprise=enterprise).facts["insured_staff"] == "35"

    def test_what_an_authority_stated_is_not_overwritten(self, enterprise: Enterprise) -> None:
        response = self.declare(enterprise, "registered_region", **{"fact-registered_region": "510104"})
        assert response.status_code == 403
        assert "不能自行填报" in response.content.decode()
        assert Fact.objects.filter(enterprise=enterprise, key="registered_region").count() == 1

    @pytest.mark.parametrize("key", ["penalties", "credit_records", "earlier_awards", "safety_incidents"])
    def test_nobody_declares_their_own_good_conduct(self, enterprise: Enterprise, key: str) -> None:
        before = Fact.objects.filter(enterprise=enterprise).count()
        assert self.declare(enterprise, key, **{f"fact-{key}-none": "1"}).status_code == 403
        assert Fact.objects.filter(enterprise=enterprise).count() == before

    def test_a_back_dated_statement_does_not_slip_under_an_authoritys_later_one(self, enterprise: Enterprise) -> None:
        base.learn(enterprise, now=NOW, valid_on=day_of(NOW), source="税务", insured_staff="20")
        response = self.declare(enterprise, "insured_staff", **{"fact-insured_staff": "99"})
        assert response.status_code == 403

    def test_a_day_to_come_is_refused_beside_its_field(self, enterprise: Enterprise) -> None:
        response = self.declare(enterprise, "insured_staff", **{"fact-insured_staff": "3", "valid_on": "2027-01-01"})
        assert "不能晚于今天" in response.content.decode()
        assert not Fact.objects.filter(enterprise=enterprise, key="insured_staff").exists()

    def test_years_that_the_form_does_not_ask_for_are_kept(self, enterprise: Enterprise) -> None:
        base.learn(enterprise, now=NOW, source="企业填报", revenue={"2015": "7", "2025": "8"})
        self.declare(enterprise, "revenue", **{"fact-revenue_2025": "1,820万"})
        assert Profile.objects.get(enterprise=enterprise).facts["revenue"] == {"2015": "7", "2025": "18200000"}


class TestVerification:
    @pytest.fixture
    def document(self) -> Document:
        case = people.case().accepted()
        decision = case.application.decisions.get()
        return notices.issue(kind=DocumentKind.ACCEPTANCE, subject_id=decision.pk, now=NOW)

    def test_anyone_confirms_number_hash_and_date_without_seeing_the_content(self, document: Document) -> None:
        page = Client().get(f"/verify/{document.number}/").content.decode()
        assert document.number in page
        assert document.sha256 in page
        assert document.application is not None
        assert document.application.enterprise.name not in page

    def test_the_very_file_is_told_from_a_changed_one(self, document: Document) -> None:
        def ask(content: bytes) -> str:
            file = SimpleUploadedFile("notice.pdf", content)
            return Client().post(f"/verify/{document.number}/", {"file": file}).content.decode()

        assert "一字不差" in ask(bytes(document.content))
        assert "可能被改动过" in ask(bytes(document.content) + b" ")

    def test_a_number_that_was_never_issued_says_so(self) -> None:
        response = Client().get("/verify/SL-2026-999999/")
        assert response.status_code == 404
        assert "没有签发过" in response.content.decode()

    def test_a_number_typed_in_small_letters_is_found(self, document: Document) -> None:
        response = Client().get("/verify/", {"number": f" {document.number.lower()} "})
        assert response["Location"] == f"/verify/{document.number}/"


class TestPublicity:
    def test_anyone_objects_while_it_lasts_and_nobody_after(self) -> None:
        people.case().publicised()
        row = Publicity.objects.get()
        data = {"name": "李四", "contact": "028", "text": "金额有误"}
        with unguarded():
            Publicity.objects.update(starts_on=day_of(NOW), ends_on=day_of(NOW))
        Client().post(f"/publicity/{row.pk}/", data)
        assert Objection.objects.count() == 1
        with unguarded():
            Publicity.objects.update(starts_on="2026-03-01", ends_on="2026-03-02")
        assert "不在公示期内" in Client().post(f"/publicity/{row.pk}/", data).content.decode()
        assert Objection.objects.count() == 1

    def test_what_is_not_yet_publicised_is_shown_to_nobody(self) -> None:
        people.case().publicised()
        with unguarded():
            Publicity.objects.update(starts_on="2026-04-01", ends_on="2026-04-08")
        assert Client().get(f"/publicity/{Publicity.objects.get().pk}/").status_code == 404


class TestAdministration:
    @pytest.fixture
    def admin(self) -> Client:
        return signed_in(official("administrator"))

    def test_a_year_entered_begins_with_the_shipped_days_and_then_takes_their_place(self, admin: Client) -> None:
        admin.post("/desk/admin/calendar/", {"year": "2026", "is_official": "on", "source": "通知"})
        year = CalendarYear.objects.get(year=2026)
        assert year.days.count() > 10
        admin.post(
            f"/desk/admin/calendar/{year.pk}/",
            {"first": "2026-07-06", "last": "2026-07-07", "is_working": "free", "name": "防汛停工"},
        )
        assert not working_calendar().is_working_day(datetime(2026, 7, 7).date())  # noqa: DTZ001 - a day
        SpecialDay.objects.filter(day="2026-07-07").delete()
        assert working_calendar().is_working_day(datetime(2026, 7, 7).date())  # noqa: DTZ001 - a day

    def test_a_made_up_working_day_must_be_a_weekend(self, admin: Client) -> None:
        admin.post("/desk/admin/calendar/", {"year": "2031", "source": ""})
        year = CalendarYear.objects.get(year=2031)
        response = admin.post(
            f"/desk/admin/calendar/{year.pk}/", {"first": "2031-01-06", "is_working": "worked", "name": "调休"}
        )
        assert "须是周六或周日" in response.content.decode()
        assert year.days.count() == 0

    def test_a_new_line_has_no_money_before_two_people_of_finance_gave_it_some(self, admin: Client) -> None:
        data = {"code": "new-line", "year": 2026, "name": "新科目", "department": base.department().pk, "fund": "city"}
        assert admin.post("/desk/budget/new/", {**data, "ceiling": "99000000"}).status_code == 302
        line = BudgetLine.objects.get(code="new-line")
        assert line.ceiling == 0
        page = admin.get(f"/desk/budget/{line.pk}/").text
        assert "账实不符" not in page
        maker, approver = people.staff(Role.FINANCE_MAKER), people.staff(Role.FINANCE_APPROVER)
        change = changes.propose(
            kind=ChangeKind.ADJUST,
            line_id=line.pk,
            actor=maker,
            now=at("2026-03-02"),
            paper_number="青财预〔2026〕1号",
            reason="年初预算",
            amount=Decimal("500000"),
        )
        line.refresh_from_db()
        assert line.ceiling == 0
        changes.decide(change_id=change.pk, approve=True, actor=approver, now=at("2026-03-03"))
        line.refresh_from_db()
        assert line.ceiling == Decimal("500000")

    def test_the_ceiling_of_a_line_is_not_the_administrators_to_change(self, admin: Client) -> None:
        people.case().approved()
        line = BudgetLine.objects.get()
        before = line.ceiling
        data = {"name": "改名", "department": line.department_id, "fund": "city", "source": "", "ceiling": "150000"}
        assert admin.post(f"/desk/budget/{line.pk}/edit/", data).status_code == 302
        line.refresh_from_db()
        assert (line.name, line.fund, line.ceiling) == ("改名", "city", before)
        page = admin.get(f"/desk/budget/{line.pk}/").content.decode()
        assert "账实不符" not in page
