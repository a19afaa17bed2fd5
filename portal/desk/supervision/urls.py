"""The addresses of supervision."""

from django.urls import path

from portal.desk.supervision import figures, lines, reports, urgings

urlpatterns = [
    path("supervision/ledger/", lines.ledger, name="ledger"),
    path("supervision/ledger/<slug:form>.file", lines.ledger_file, name="ledger_file"),
    path("supervision/ledger/<pk:entry_id>/", lines.entry, name="ledger_entry"),
    path("supervision/ledger/<pk:entry_id>/contest/", lines.contest, name="ledger_contest"),
    path("supervision/ledger/<pk:entry_id>/decide/", lines.decide, name="ledger_decide"),
    path("supervision/ledger/<pk:entry_id>/urge/", lines.urge, name="ledger_urge"),
    path("supervision/figures/", figures.figures, name="figures"),
    path("supervision/figures/<slug:form>.file", figures.figures_file, name="figures_file"),
    path("supervision/urgings/", urgings.urging_list, name="urgings"),
    path("supervision/urgings/new/", urgings.urging_new, name="urging_new"),
    path("supervision/urgings/<pk:urging_id>/", urgings.urging, name="urging"),
    path("supervision/urgings/<pk:urging_id>/answer/", urgings.urging_answer, name="urging_answer"),
    path("supervision/urgings/<pk:urging_id>/close/", urgings.urging_close, name="urging_close"),
    path("supervision/rules/", reports.rules, name="warning_rules"),
    path("supervision/reports/", reports.reports, name="supervision_reports"),
    path("supervision/reports/<pk:month>/make/", reports.report_make, name="supervision_report_make"),
    path("supervision/reports/files/<pk:document_id>/", reports.report_file, name="supervision_report"),
    path("my-limits/", figures.own, name="own_limits"),
]
