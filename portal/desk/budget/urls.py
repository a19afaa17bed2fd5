"""The addresses of the budget desk."""

from django.urls import path

from portal.desk.budget import changes, forecast, limits, year_end

urlpatterns = [
    path("budget/changes/", changes.changes, name="budget_changes"),
    path("budget/changes/<pk:change_id>/decide/", changes.change_decide, name="budget_change_decide"),
    path("budget/<pk:line_id>/change/", changes.change_new, name="budget_change_new"),
    path("budget/forecast/", forecast.forecast, name="forecast"),
    path("budget/forecast/<slug:form>/", forecast.forecast_file, name="forecast_file"),
    path("budget/year-end/", year_end.year, name="year_end_now"),
    path("budget/year-end/<pk:year>/", year_end.year, name="year_end"),
    path("budget/year-end/<pk:year>/close/", year_end.year_close, name="year_end_close"),
    path("budget/year-end/<pk:year>/report/", year_end.year_report, name="year_end_report"),
    path("limits/", limits.limit_list, name="limits"),
    path("limits/new/", limits.limit_new, name="limit_new"),
    path("limits/<pk:limit_id>/end/", limits.limit_end, name="limit_end"),
]
