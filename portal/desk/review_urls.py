"""Addresses of the review beside the decision itself."""

from django.urls import path

from portal.desk.views import absences, bulk, quality, steps

urlpatterns = [
    path("applications/<pk:application_id>/visit/", steps.visit, name="visit"),
    path("applications/<pk:application_id>/draft/<slug:name>/", steps.keep_draft, name="keep_draft"),
    path("applications/<pk:application_id>/assign/", steps.assign, name="assign"),
    path("applications/<pk:application_id>/reassign/", steps.reassign, name="reassign"),
    path("visit-photos/<pk:photo_id>/", steps.photo, name="visit_photo"),
    path("expert-papers/<pk:paper_id>/", steps.expert_paper, name="expert_paper"),
    path("absences/", absences.absences, name="absences"),
    path("absences/<pk:absence_id>/end/", absences.end_absence, name="absence_end"),
    path("bulk/preview/", bulk.preview, name="bulk_preview"),
    path("bulk/run/", bulk.run, name="bulk_run"),
    path("bulk/<pk:run_id>/", bulk.result, name="bulk"),
    path("quality/", quality.checks, name="quality"),
    path("quality/draw/", quality.draw, name="quality_draw"),
    path("quality/<pk:check_id>/", quality.check, name="quality_check"),
]
