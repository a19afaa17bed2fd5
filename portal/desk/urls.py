from django.urls import path

from portal.desk.admin import budget, calendar, departments, people
from portal.desk.admin import home as admin_home
from portal.desk.views import finance, home, interests, payables, reasons, returns, review

app_name = "desk"
urlpatterns = [
    path("", home.home, name="home"),
    # reviewers
    path("applications/", review.worklist, name="worklist"),
    path("applications/<pk:application_id>/", review.application, name="application"),
    path("applications/<pk:application_id>/claim/", review.claim, name="claim"),
    path("applications/<pk:application_id>/do/<slug:deed>/", review.act, name="act"),
    path("applications/<pk:application_id>/correction/", reasons.ask_correction, name="ask_correction"),
    path("applications/<pk:application_id>/reasons/<slug:deed>/", reasons.refuse, name="refuse"),
    path("applications/<pk:application_id>/facts/", reasons.confirm_facts, name="confirm_facts"),
    path(
        "applications/<pk:application_id>/objections/<pk:objection_id>/",
        review.answer_objection,
        name="objection",
    ),
    path("materials/<pk:material_id>/", review.download_material, name="material"),
    path("documents/<pk:document_id>/", review.download_document, name="document"),
    path("rectifications/", home.rectifications, name="rectifications"),
    path("rectifications/<pk:rectification_id>/", home.rectification, name="rectification"),
    path("interests/", interests.interests, name="interests"),
    path("interests/<pk:declaration_id>/end/", interests.end_interest, name="interest_end"),
    # finance
    path("cycles/", finance.cycle_list, name="cycles"),
    path("cycles/open/", finance.cycle_open, name="cycle_open"),
    path("cycles/<pk:cycle_id>/", finance.cycle, name="cycle"),
    path("cycles/<pk:cycle_id>/cut-off/", finance.cycle_cut_off, name="cycle_cut_off"),
    path("cycles/<pk:cycle_id>/seal/", finance.cycle_seal, name="cycle_seal"),
    path("cycles/<pk:cycle_id>/documents/<pk:document_id>/", finance.cycle_document, name="cycle_document"),
    path("batches/", home.batches_waiting, name="batches_waiting"),
    path("batches/<pk:batch_id>/", finance.batch, name="batch"),
    path("batches/<pk:batch_id>/do/<slug:deed>/", finance.batch_act, name="batch_act"),
    path("batches/<pk:batch_id>/file/", finance.sealed_file, name="sealed_file"),
    path("batches/<pk:batch_id>/preview/", finance.draft_file, name="draft_file"),
    path("batches/<pk:batch_id>/documents/<pk:document_id>/", finance.batch_document, name="batch_document"),
    path("payables/", payables.payable_list, name="payables"),
    path("payables/<pk:payable_id>/", payables.payable, name="payable"),
    path("payables/<pk:payable_id>/do/<slug:deed>/", payables.payable_act, name="payable_act"),
    path("payables/<pk:payable_id>/attempts/<pk:attempt_id>/", payables.contradiction, name="contradiction"),
    path("accounts/", payables.accounts, name="accounts"),
    path("accounts/<pk:account_id>/check/", payables.account_check, name="account_check"),
    path("returns/", returns.return_list, name="returns"),
    path("returns/<pk:file_id>/", returns.return_file, name="return"),
    path("returns/<pk:file_id>/file/", returns.return_download, name="return_download"),
    path("exceptions/", returns.exceptions, name="exceptions"),
    path("exceptions/<pk:line_id>/", returns.exception_resolve, name="exception_resolve"),
    # supervision
    path("supervision/", home.supervision, name="supervision"),
    # budget and administration
    path("budget/", budget.budget_lines, name="budget_lines"),
    path("budget/new/", budget.budget_line_edit, name="budget_line_new"),
    path("budget/<pk:line_id>/", budget.budget_line, name="budget_line"),
    path("budget/<pk:line_id>/edit/", budget.budget_line_edit, name="budget_line_edit"),
    path("admin/", admin_home.home, name="admin_home"),
    path("admin/departments/", departments.departments, name="departments"),
    path("admin/departments/new/", departments.department, name="department_new"),
    path("admin/departments/<pk:department_id>/", departments.department, name="department"),
    path("admin/calendar/", calendar.years, name="calendar"),
    path("admin/calendar/<pk:year_id>/", calendar.year, name="calendar_year"),
    path("admin/calendar/<pk:year_id>/days/<pk:day_id>/delete/", calendar.day_delete, name="calendar_day_delete"),
    path("admin/people/", people.people, name="people"),
    path("admin/people/new/", people.person_new, name="person_new"),
    path("admin/people/<pk:user_id>/", people.person, name="person"),
    path("admin/people/<pk:user_id>/roles/", people.grant, name="role_grant"),
    path("admin/people/<pk:user_id>/roles/<pk:assignment_id>/", people.revoke, name="role_revoke"),
    path("admin/people/<pk:user_id>/legal/", people.appoint, name="person_appoint"),
    path("admin/people/<pk:user_id>/invite/", people.invite, name="person_invite"),
]
