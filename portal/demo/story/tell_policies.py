"""Chapters 1 to 3: what was published, who was told and why, and what one enterprise sees."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from django.db.models import Count, Q, Sum

from cms.models import PolicyDocumentPage, ReadingPage
from matching import selectors
from matching.criteria import render_criteria
from matching.models import Enterprise, Match, PolicyItem, PolicyVersion, Push, Verdict
from matching.registry.models import BudgetLine, Department
from matching.services.explanations import criteria_of
from matching.services.vocabulary import current_vocabulary
from portal.accounts.models import User
from portal.demo.accounts import LEGAL
from portal.demo.enterprises import PROTAGONIST
from portal.demo.narrator import Narrator, money, shorten
from portal.demo.story.plot import MAIN
from portal.demo.story.stage import Stage, enterprise
from portal.enterprise import opportunities
from portal.inbox.models import Digest, Notification


def publication(stage: Stage, say: Narrator) -> None:
    versions = PolicyVersion.objects.select_related("item__department").filter(item__is_listed=True)
    first = versions.order_by("published_at", "pk").first()
    assert first is not None
    officer = User.objects.get(username="officer")
    say.chapter("发布政策：文件拆成事项，事项写明条件", day=stage.time.published)
    say.say(
        f"从导入文件发布 {PolicyDocumentPage.objects.live().count()} 份政策文件、{versions.count()} 个政策事项、"
        f"{ReadingPage.objects.live().count()} 篇解读。每个事项形成不可更改的第 1 版，规则逐一留下摘要。",
        at=first.published_at,
        who=officer.full_name,
    )
    rows = []
    departments = Department.objects.annotate(n=Count("policy_items", filter=Q(policy_items__is_listed=True))).filter(
        n__gt=0
    )
    for department in departments.order_by("-n", "code"):
        names = department.policy_items.filter(is_listed=True).order_by("code").values_list("name", flat=True)
        line = BudgetLine.objects.filter(department=department, year=stage.time.published.year).first()
        rows.append(
            [
                str(department),
                str(len(names)),
                "—" if line is None else money(line.ceiling),
                shorten("、".join(names), 52),
            ]
        )
    total = BudgetLine.objects.filter(year=stage.time.published.year).aggregate(sum=Sum("ceiling"))["sum"]
    rows.append(["合计", str(versions.count()), money(Decimal(total)), ""])
    say.table(["部门", "事项", "年度预算", "包括"], rows, right=(1, 2))
    main = versions.get(item__code=MAIN)
    say.blank()
    say.say(f"条件只写一份，匹配、解释、审核清单都从它来。例：“{main.item.name}”要求——")
    for condition in render_criteria(criteria_of(version=main), current_vocabulary()):
        say.point(condition.text, mark="▸", depth=1 + condition.depth)
    say.note(f"这是第 {main.number} 版，规则摘要 SHA-256 {main.rule_hash[:16]}…")


def pushes(stage: Stage, say: Narrator) -> None:
    told = Push.objects.filter(created_at__date__lte=stage.time.published)
    people = told.values("enterprise").distinct().count()
    by_verdict = Counter(told.values_list("verdict", flat=True))
    say.chapter("推送：告诉了谁，为什么", day=stage.time.published)
    say.say(
        f"把 {PolicyItem.objects.filter(is_listed=True).count()} 个事项与 {Enterprise.objects.count()} 家企业逐一匹配："
        f"向 {people} 家企业推送 {told.count()} 条，其中条件全部符合 {by_verdict[Verdict.ELIGIBLE.value]} 条，"
        f"只差填表 {by_verdict[Verdict.UNDETERMINED.value]} 条。同一版本、同一结论只说一次。",
        who="系统",
    )
    near = Match.objects.filter(verdict=Verdict.INELIGIBLE).count()
    say.say(f"另有 {near:,} 对企业与事项只差一项条件，不打扰，企业登录后可见“还差什么”。")
    policy = Notification.objects.filter(kind="policy")
    mails = Digest.objects.filter(day=stage.time.published, state="sent").count()
    say.say(f"站内消息 {policy.count()} 条；当晚给已开户企业发出邮件摘要 {mails} 封。")
    say.heading("推送最多的事项")
    top = told.exclude(version__rules__criteria={"all": []}).values("version__item__name").annotate(n=Count("pk"))
    open_to_all = told.filter(version__rules__criteria={"all": []}).count()
    rows = [[row["version__item__name"], str(row["n"])] for row in top.order_by("-n", "version__item__name")[:6]]
    say.table(["事项", "推送企业数"], [*rows, ["面向所有企业的事项", str(open_to_all)]], right=(1,))
    known = enterprise(PROTAGONIST)
    say.heading(f"比如 {known.name} 收到的")
    for push in told.filter(enterprise=known).select_related("version__item").order_by("version__item__code"):
        say.say(f"“{push.version.item.name}”，因为：", at=push.created_at, who=push.get_cause_display())
        for reason in push.reason:
            # What was found; what it was held against stands in the conditions above.
            say.detail(reason.partition("，要求")[0])


def one_enterprise(stage: Stage, say: Narrator) -> None:
    known = enterprise(PROTAGONIST)
    day = stage.time.after(stage.time.published, 1)
    fitting = list(selectors.fitting(enterprise=known, day=day))
    nearly = list(selectors.nearly_fitting(enterprise=known, day=day))
    say.chapter("一家企业看到什么", day=day)
    say.say(
        f"{known.name}（{known.credit_code}）登录，看到 {len(fitting)} 项符合、{len(nearly)} 项还差一点：",
        who=User.objects.get(username=LEGAL).full_name,
    )
    versions = [match.version for match in (*fitting, *nearly)]
    for found in opportunities.tell(enterprise=known, versions=versions, as_of=day):
        fits = found.kind in (opportunities.Kind.FITS, opportunities.Kind.FORM)
        (say.good if fits else say.bad)(f"{found.version.item.name} —— {_promise(found)}")
        for leaf in found.unmet:
            say.point(f"差在：{leaf.comparison}", depth=3)
            if leaf.advice:
                say.point(f"怎样补：{leaf.advice}", depth=3)
        if found.kind is opportunities.Kind.FORM:
            asked = dict.fromkeys(label for leaf in found.unknown for _key, label, _source in leaf.missing)
            say.point(f"申报时填报：{'、'.join(asked)}", depth=3)


def _promise(found: opportunities.Opportunity) -> str:
    assert found.kind is not None
    label = found.kind.label
    if found.kind is opportunities.Kind.NEAR or found.estimate is None:
        return label
    low, high = found.estimate.low, found.estimate.high
    if low == high:
        return f"{label}，预计 {money(low)}"
    return label if high is None else f"{label}，最高 {money(high)}"
