"""The story of the demo: from a published policy to a paid enterprise, two months of real working days.

`tell` lets people act through the services on their days, and after each stretch prints what the database then says.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from disbursement.selectors.calendar import working_calendar
from matching.registry import outbox
from portal.demo import build
from portal.demo.narrator import Narrator
from portal.demo.story import budget, certificates, desks, plot, tell_application, tell_end, tell_money, tell_policies
from portal.demo.story.casting import StoryBroken
from portal.demo.story.figures import Figures
from portal.demo.story.stage import Stage
from portal.demo.story.timeline import Timeline, at

__all__ = ["Figures", "Stage", "StoryBroken", "Timeline", "tell"]


def tell(*, today: date, narrator: Narrator, folder: Path) -> Stage:
    """Build the district in an empty database and tell its story up to the day before `today` (Asia/Shanghai).

    Files (imports, notices) are written into `folder`. Raises StoryBroken where something did not come about.
    """
    stage = Stage(Timeline.until(today, calendar=working_calendar()))
    time = stage.time
    narrator.title(
        "惠达：一项政策，怎样变成企业账上的钱",
        f"演示区，企业、人员、文号和金额均为虚构。时间从 {time.published} 到 {time.end}，都是真实的工作日；"
        "下面每一行，都是事情办完之后从数据库里读出来的。",
    )
    with outbox.quiet():
        build.build(stage=stage, narrator=narrator, folder=folder / "imports")
        _play_and_tell(stage, narrator, folder)
    return stage


def _play_and_tell(stage: Stage, narrator: Narrator, folder: Path) -> None:
    time = stage.time
    published, first = time.published, time.cut(time.first)
    stage.plan(at(published, 9), lambda now: build.publish(stage=stage, folder=folder / "imports", now=now))
    stage.watch(narrator, "发布与匹配", until=at(published, 12))
    plot.plan_nights(stage)
    certificates.plan_certificates(stage)
    plot.plan_protagonist(stage)
    cast = plot.plan_others(stage)
    plot.plan_money(stage, cast)
    budget.plan_budget(stage)
    stage.watch(narrator, "推送与消息", until=at(published, 20))
    for chapter in (tell_policies.publication, tell_policies.pushes):
        chapter(stage, narrator)
    stage.watch(narrator, "企业查看与申报", until=at(time.after(published, 1), 18))
    for chapter in (tell_policies.one_enterprise, tell_application.submission):
        chapter(stage, narrator)
    stage.watch(narrator, "受理、审核、公示", until=at(time.before(first, 3), 18))
    for chapter in (tell_application.correction, tell_application.approval):
        chapter(stage, narrator)
    stage.watch(narrator, "截止、签署、回单", until=at(time.after(first, 2), 20))
    for chapter in (tell_money.cut_off, tell_money.signatures, tell_money.returned):
        chapter(stage, narrator)
    tell_end.letters(stage, narrator, folder=folder / "notices")
    desks.plan_desks(stage, folder=folder / "imports")
    stage.watch(narrator, "次月与各人桌上的事", until=at(time.today, 23, 59))
    for chapter in (tell_money.mended, tell_end.opinions, tell_end.books, tell_end.year, tell_end.desks):
        chapter(stage, narrator)
