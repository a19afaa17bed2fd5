"""How the editor groups an item's fields."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList, Panel, TabbedInterface
from wagtail.models import Page


class CompletenessPanel(Panel):
    """What the item still leaves out, shown above the form."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "cms/admin/completeness_panel.html"

        def get_context_data(self, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
            from cms.completeness import completeness

            context = super().get_context_data(parent_context)
            there, all_of_them = completeness(self.instance)
            return {**context, "missing": self.instance.missing_elements, "there": there, "all": all_of_them}


class SimulationPanel(Panel):
    """What the criteria and the award as they stand in the editor would do."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "cms/admin/simulation_panel.html"


def item_tabs() -> TabbedInterface:
    row = FieldRowPanel
    field = FieldPanel
    basics = [
        CompletenessPanel(heading=_("完整性检查（三级十同）")),
        FieldPanel("title", heading=_("事项名称")),
        MultiFieldPanel(
            [
                row([field("code"), field("item_type")]),
                row([field("department"), field("delivery")]),
                row([field("document_page"), field("clause")]),
            ],
            heading=_("基本信息"),
        ),
        MultiFieldPanel([field("summary"), field("audience"), field("sub_items")], heading=_("给企业看的说明")),
    ]
    rules = [
        field("criteria"),
        field("award"),
        MultiFieldPanel([row([field("window_from"), field("window_until"), field("expires_on")])], heading=_("时间")),
    ]
    handling = [
        field("materials"),
        field("steps"),
        field("delivery_terms"),
        MultiFieldPanel(
            [
                row([field("statutory_days"), field("promised_days"), field("publicity_days")]),
                row([field("acceptance_statutory_days"), field("acceptance_promised_days")]),
                row([field("appeal_statutory_days"), field("appeal_promised_days")]),
                field("fees"),
            ],
            heading=_("时限与收费"),
            help_text=_("法定时限、承诺时限指受理之后的审核；受理和申请复核不写的，按区里统一的时限。公示期不计入。"),
        ),
        MultiFieldPanel([row([field("budget_line"), field("ceiling")])], heading=_("资金")),
        MultiFieldPanel(
            [
                row([field("contact_phone"), field("contact_office")]),
                row([field("contact_address"), field("contact_hours")]),
            ],
            heading=_("咨询与办理地点"),
        ),
    ]
    gates = [
        SimulationPanel(heading=_("事前测算")),
        MultiFieldPanel(
            [row([field("fair_reviewed_on"), field("fair_reviewer")]), field("fair_conclusion")],
            heading=_("公平竞争审查记录"),
        ),
        field("assessment"),
    ]
    return TabbedInterface(
        [
            ObjectList(basics, heading=_("基本信息")),
            ObjectList(rules, heading=_("条件与标准")),
            ObjectList([field("form_fields")], heading=_("申报表")),
            ObjectList(handling, heading=_("材料与流程")),
            ObjectList(gates, heading=_("审查与评估")),
            ObjectList(Page.promote_panels, heading=_("网址")),
            ObjectList(Page.settings_panels, heading=_("定时发布")),
        ]
    )
