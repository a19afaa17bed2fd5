"""Everything that changes something in disbursement. Views, tasks and commands call these and nothing deeper.

All functions are keyword-only, atomic, take ids, `actor` and `now` (an aware datetime), and raise what
`disbursement.domain.errors.REFUSALS` names: `Denied` (not yours: 404/403), `Refused` (the state or the role does not
allow it), `Conflict` (you took another part before, or declared an interest), `Invalid` (`.faults`: each with `.place`
for the form and `.message`). Their text is Chinese and for people. `actor` is a `disbursement.domain.actors.Actor`
made by the portal: every alive membership in `enterprise_ids`, every role assignment as a `Grant`.

The rooms: application, review, delivery, evidence, award, budget, month, payment, recovery, supervision; `notices`
(and `notice_subjects`, what each tells), `numbering`, `runs` (work in the background) and `rounds` serve them all. Each
room's first line says what it is for.

The application, step by step (application, review, delivery)
    drafts.create_draft(item_id, enterprise_id)            the one draft, prefilled; reuses library materials
    drafts.save_draft(form, contact_name, contact_phone, invoices)   kept as typed, complete or not
    drafts.bring_up_to_date(application_id) -> bool        under the version in force, where the item was changed
    sheets.save(base, states, settled) -> Saved            merged with others since revision `base`
    copying.sources / preview / copy(source_id, keys)      answers of an earlier application, and why some are left
    rehearsal.rehearse(application_id) -> Rehearsal        what would be decided and paid; leaves no trace
    drafts.check_draft(application_id, gaps) -> Readiness  faults, warnings, assessment (verdict, leaves, amount)
    drafts.submit(application_id, gaps={code: date}, acknowledge_unmet)    numbered, judged, clock started
    materials.upload / remove / sign_promise / open_material (bytes for download as attachment)
    reviews.claim                                          take it on one's desk
    reviews.accept (grants promised gaps) / reviews.not_accept(reasons, remedy)
    corrections.ask(items=[Ask], days) / corrections.supply(form, invoices)
    reviews.start_review / ask_expert / experts.record_report / reviews.confirm_facts(facts)
    reviews.recommend_approval / recommend_rejection / send_back / save_decision_draft
    steps.arrange_visit / record_visit / ask_departments / give_opinion
    staffing.assign / reassign; absences.declare_absence / end_absence
    bulk_review.preview / begin / work_off; quality.draw_month / record; complete_list.compose
    publicity.publicise / object_to / answer_objection
    decisions.approve / reject(reasons, remedy) / appeal(grounds) / uphold / revoke
    applications.withdraw / close_if_settled / permitted_actions (for buttons); standing.may_see
    judging.rehearse (before submission) / replay(judgement)
    ratings.may_rate / rate(level) / answer(rectification_id, reply)
    interests.declare / end; promises.check(promise_id, kept, finding)
    offers.run / put / refresh / keep_up; offer_content.compose / replay; consents.consent(seen) / decline(reason)
    machine.carry (called by submit); lanes.enter; time_promises.tell_broken; machine_audit.pick
    notices.issue(kind, subject_id) / verify(number) / open_document

Reading is in `disbursement.selectors`: `forms` (what an item asks), `applications` (lines of a list
with clocks and pay months), `desk` (a reviewer's worklist, the stuck list), `pay_month` (the month of the money).

The nightly round is `disbursement.tasks`: cards, lapsed corrections, ended publicity; notices follow the outbox.

Money: `award.awards`, `month.cycles`, `month.batches`, `payment.returns`, `payment.payees`.
"""
