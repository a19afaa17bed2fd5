"""Logging in, acting for an enterprise, authorising agents, holding roles."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from matching.models import Enterprise
from portal.accounts import services, throttle
from portal.accounts.models import Membership, RoleAssignment, StaffRole, User
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories.disbursement import at
from tests.integration.portal.conftest import member, official, signed_in

pytestmark = pytest.mark.django_db
NOW = at("2026-03-02")


@pytest.fixture
def person() -> User:
    return User.objects.create_user(username="zhou", full_name="周总", password="right-horse-battery")


def log_in(client: Client, password: str, **extra: Any) -> Any:
    return client.post("/accounts/login/", {"username": "zhou", "password": password}, **extra)


def test_a_right_password_leads_to_ones_own_desk(person: User) -> None:
    Membership.objects.create(user=person, enterprise=people.applicant(), kind="legal", granted_at=NOW)
    client = Client()
    response = client.post("/accounts/login/", {"username": "zhou", "password": "right-horse-battery"}, follow=True)
    assert response.redirect_chain[-1][0] == "/enterprise/"


def test_a_wrong_password_says_how_many_tries_are_left_and_not_which_part_was_wrong(person: User) -> None:
    known = log_in(Client(), "wrong").content.decode()
    unknown = Client().post("/accounts/login/", {"username": "nobody", "password": "wrong"}).content.decode()
    assert "账户名或密码不正确" in known
    assert "还可再试 5 次" in known
    assert "账户名或密码不正确" in unknown


def test_after_six_wrong_passwords_even_the_right_one_waits(person: User) -> None:
    client = Client()
    for _try in range(throttle.MAX_FAILURES):
        log_in(client, "wrong")
    assert "请等待 5 分钟" in log_in(client, "right-horse-battery").content.decode()
    assert "_auth_user_id" not in client.session


def test_a_pause_for_one_address_does_not_lock_the_account_for_another(person: User) -> None:
    for _try in range(throttle.MAX_FAILURES):
        log_in(Client(), "wrong")
    client = Client()
    log_in(client, "right-horse-battery", REMOTE_ADDR="203.0.113.9")
    assert client.session["_auth_user_id"] == str(person.pk)


def test_a_login_never_leads_to_another_site(person: User) -> None:
    response = Client().post(
        "/accounts/login/?next=https://evil.example/",
        {"username": "zhou", "password": "right-horse-battery", "next": "https://evil.example/"},
    )
    assert response["Location"] == "/home/"


def test_what_is_sent_after_the_session_ended_is_told_lost_and_the_login_leads_back_to_its_page(person: User) -> None:
    client = Client()
    page = "/desk/applications/7/?show=mine"
    sent = client.post(
        "/desk/applications/7/do/accept/", {"note": "同意"}, headers={"referer": f"http://testserver{page}"}
    )
    assert sent["Location"] == "/accounts/login/?next=/desk/applications/7/%3Fshow%3Dmine"
    assert "没有保存" in client.get(sent["Location"]).content.decode()
    # Nothing of another site is led back to, and no address that takes forms alone.
    for stranger in ("https://evil.example/desk/", ""):
        sent = client.post("/desk/applications/7/do/accept/", headers={"referer": stranger})
        assert sent["Location"] == "/accounts/login/?next=/home/"


def test_an_address_that_only_takes_forms_says_so_to_who_opens_it(person: User) -> None:
    client = Client()
    client.force_login(person)
    page = client.get("/accounts/stop-acting/")
    assert (page.status_code, page["Allow"]) == (405, "POST")
    assert "只用来提交" in page.content.decode()
    assert "/home/" in page.content.decode()


class TestActing:
    def test_who_may_act_for_one_enterprise_acts_for_it_at_once(self) -> None:
        enterprise = people.applicant()
        assert enterprise.name in signed_in(member(enterprise)).get("/enterprise/").content.decode()

    def test_who_may_act_for_several_is_asked_first(self) -> None:
        first, second = people.applicant(), people.applicant()
        user = member(first, "agent")
        Membership.objects.create(user=user, enterprise=second, kind="agent", granted_at=NOW)
        client = signed_in(user)
        # And led on to where a letter or a bookmark was leading.
        assert client.get("/enterprise/payments/")["Location"] == "/accounts/choose/?next=/enterprise/payments/"
        client.post("/accounts/choose/", {"enterprise": second.pk})
        assert second.name in client.get("/enterprise/").content.decode()

    def test_nobody_chooses_an_enterprise_that_did_not_authorise_them(self) -> None:
        stranger = people.applicant()
        client = signed_in(member(people.applicant()))
        response = client.post("/accounts/choose/", {"enterprise": stranger.pk}, follow=True)
        assert "没有获得该企业的授权" in response.content.decode()
        assert stranger.name not in client.get("/enterprise/").content.decode()

    def test_an_official_who_is_also_a_member_acts_for_no_enterprise_unasked(self) -> None:
        user = member(people.applicant(), "agent")
        RoleAssignment.objects.create(user=user, role=StaffRole.REVIEWER)
        client = signed_in(user)
        assert client.get("/enterprise/")["Location"].startswith("/accounts/choose/")
        assert client.get("/home/")["Location"] == "/desk/"

    def test_a_revoked_agent_is_out_with_the_next_click(self) -> None:
        enterprise = people.applicant()
        agent = member(enterprise, "agent")
        client = signed_in(agent)
        assert client.get("/enterprise/").status_code == 200
        legal = signed_in(member(enterprise))
        membership = Membership.objects.get(user=agent)
        legal.post(f"/accounts/agents/{membership.pk}/revoke/")
        assert client.get("/enterprise/").status_code == 403

    def test_a_choice_of_an_enterprise_ends_with_its_authorisation(self) -> None:
        first, second = people.applicant(), people.applicant()
        user = member(first, "agent")
        later = Membership.objects.create(user=user, enterprise=second, kind="agent", granted_at=NOW)
        client = signed_in(user)
        client.post("/accounts/choose/", {"enterprise": second.pk}, follow=True)
        Membership.objects.filter(pk=later.pk).update(revoked_at=NOW)
        assert second.name not in client.get("/enterprise/").content.decode()


class TestAgents:
    @pytest.fixture
    def enterprise(self) -> Enterprise:
        return people.applicant()

    def test_the_legal_representative_invites_a_new_person_who_sets_a_password(self, enterprise: Enterprise) -> None:
        legal = signed_in(member(enterprise))
        page = legal.post("/accounts/agents/", {"username": "13800000000", "full_name": "小王"}, follow=True)
        link = re.search(r"/accounts/invitation/[^\s<]+", page.content.decode())
        assert link is not None
        guest = Client()
        form = guest.get(link[0], follow=True).redirect_chain[-1][0]
        guest.post(form, {"new_password1": "quiet-river-stone", "new_password2": "quiet-river-stone"})
        assert guest.login(username="13800000000", password="quiet-river-stone")
        assert enterprise.name in guest.get("/enterprise/").content.decode()
        assert "已经用过或已过期" in Client().get(link[0], follow=True).content.decode()

    def test_an_agent_authorises_nobody(self, enterprise: Enterprise) -> None:
        assert signed_in(member(enterprise, "agent")).get("/accounts/agents/").status_code == 403

    def test_another_enterprises_agent_cannot_be_revoked(self, enterprise: Enterprise) -> None:
        other = member(people.applicant(), "agent")
        membership = Membership.objects.get(user=other)
        assert signed_in(member(enterprise)).post(f"/accounts/agents/{membership.pk}/revoke/").status_code == 404
        assert Membership.objects.get(pk=membership.pk).revoked_at is None

    def test_a_name_that_does_not_belong_to_the_account_is_refused(self, enterprise: Enterprise) -> None:
        known = people.user("小李")
        with pytest.raises(ValidationError, match="对不上"):
            services.authorise_agent(enterprise=enterprise, username=known.username, full_name="小张", now=NOW)

    def test_an_official_becomes_no_agent(self, enterprise: Enterprise) -> None:
        clerk = official("reviewer")
        with pytest.raises(ValidationError, match="工作人员"):
            services.authorise_agent(enterprise=enterprise, username=clerk.username, full_name=clerk.full_name, now=NOW)

    def test_nobody_is_authorised_twice(self, enterprise: Enterprise) -> None:
        agent = member(enterprise, "agent")
        with pytest.raises(ValidationError, match="无需重复"):
            services.authorise_agent(enterprise=enterprise, username=agent.username, full_name=agent.full_name, now=NOW)


class TestRoles:
    def test_who_acts_for_an_enterprise_is_given_no_role(self) -> None:
        with pytest.raises(ValidationError, match="正代表企业"):
            services.grant_role(user=member(people.applicant()), role="reviewer", department=None)

    def test_a_new_legal_representative_takes_the_place_of_the_one_before(self) -> None:
        enterprise = people.applicant()
        before = member(enterprise)
        services.appoint_legal_representative(user=people.user(), enterprise=enterprise, now=NOW)
        assert Membership.objects.get(user=before).revoked_at == NOW
        assert Membership.objects.filter(enterprise=enterprise, revoked_at=None, kind="legal").count() == 1

    def test_an_administrator_does_not_take_the_last_key_from_themselves(self) -> None:
        admin = official("administrator")
        own = RoleAssignment.objects.get(user=admin)
        signed_in(admin).post(f"/desk/admin/people/{admin.pk}/roles/{own.pk}/")
        assert RoleAssignment.objects.filter(pk=own.pk).exists()

    def test_a_role_in_one_department_opens_nothing_of_another(self) -> None:
        case = people.case().submitted()
        stranger = official("acceptor", base.department("elsewhere", "外单位"))
        client = signed_in(stranger)
        assert client.get(f"/desk/applications/{case.id}/").status_code == 404
        assert client.post(f"/desk/applications/{case.id}/do/accept/").status_code == 404
        assert case.fresh().state == "submitted"


def test_who_is_signed_in_and_is_led_to_the_sign_in_page_by_it_goes_home(client: Client) -> None:
    client.force_login(people.user())
    login = "/accounts/login/"
    assert client.get(login, {"next": login}).headers["Location"] == "/home/"
