from disbursement.models.account import AccountState, PayeeAccount
from disbursement.models.application import (
    Application,
    Counter,
    InterestDeclaration,
    Judgement,
    Occasion,
    Participation,
    TransitionLog,
)
from disbursement.models.audit import Anchor, AuditRun, ChainKind, ChainLink, ChainShape
from disbursement.models.award import Award, CapUse, ClaimedInvoice, Paper, PaperKind
from disbursement.models.bank_entry import BankEntry, EntryUse, RepaymentAccount, RepaymentDecision
from disbursement.models.batch import (
    Batch,
    BatchApproval,
    Cycle,
    PaymentFormat,
    Reconciliation,
    SealedFile,
    StateChange,
)
from disbursement.models.budget import BudgetChange, CarryOver, ChangeKind, YearEnd
from disbursement.models.bulk import BulkDeed, BulkOutcome, BulkRow, BulkRun
from disbursement.models.calendar import CalendarYear, SpecialDay
from disbursement.models.clock import ClockCard, ClockPause, StepClock
from disbursement.models.document import Document, DocumentKind
from disbursement.models.draft import DraftChange, DraftPresence, DraftSheet
from disbursement.models.evidence import (
    Evidence,
    EvidenceEvent,
    EvidenceEventKind,
    EvidenceSource,
    EvidenceVersion,
)
from disbursement.models.files import FileReading, FileType, ScanState, StoredFile
from disbursement.models.follow_up import ExceptionNote, FindingAcknowledgement, Remedy
from disbursement.models.gateway import Delivery, DeliveryState, Gateway, GatewayKind, GatewayLine
from disbursement.models.invoice import ApplicationInvoice
from disbursement.models.lane import LaneChoice, MachineDraw, MachineVerification, TimePromise
from disbursement.models.ledger import AccountKind, LedgerAccount, LedgerTransfer, TransferKind
from disbursement.models.limit import AwardLimit, Choice, LimitedItem
from disbursement.models.material import Material, MaterialFlag, MaterialFlagReason
from disbursement.models.month import CutOffDay, CyclePreflight
from disbursement.models.offer import Offer, OfferEdition, OfferEvent, PassedOver
from disbursement.models.pay_forecast import PayForecast
from disbursement.models.payable import AttemptOutcome, Clawback, HoldKind, Payable, PaymentAttempt
from disbursement.models.payout import AccountProof, Reissue
from disbursement.models.promise import Promise, ToleratedGap
from disbursement.models.quality import Finding, QualityCheck, QualityDraw
from disbursement.models.rating import Rating, RatingLevel, Rectification
from disbursement.models.recovery import (
    ClawbackEntry,
    ClawbackPlan,
    ClawbackReceipt,
    PlanChange,
    SetOff,
    TakeOver,
)
from disbursement.models.returns import LineStatus, ReturnFile, ReturnLine, ReturnResult
from disbursement.models.review import (
    Appeal,
    Correction,
    CorrectionItem,
    CorrectionSubject,
    Decision,
    DecisionDraft,
    DecisionKind,
    Objection,
    Opinion,
    OpinionKind,
    Publicity,
    Stage,
)
from disbursement.models.run import BackgroundRun, RunKind, RunState
from disbursement.models.staffing import Absence, Handover, HandoverKind
from disbursement.models.steps import JointAnswer, JointReview, SiteVisit, VisitPhoto
from disbursement.models.supervision import ClockWarning, EntryAppeal, SupervisionEntry, Urging, WarningRule

__all__ = [
    "Absence",
    "AccountKind",
    "AccountProof",
    "AccountState",
    "Anchor",
    "Appeal",
    "Application",
    "ApplicationInvoice",
    "AttemptOutcome",
    "AuditRun",
    "Award",
    "AwardLimit",
    "BackgroundRun",
    "BankEntry",
    "Batch",
    "BatchApproval",
    "BudgetChange",
    "BulkDeed",
    "BulkOutcome",
    "BulkRow",
    "BulkRun",
    "CalendarYear",
    "CapUse",
    "CarryOver",
    "ChainKind",
    "ChainLink",
    "ChainShape",
    "ChangeKind",
    "Choice",
    "ClaimedInvoice",
    "Clawback",
    "ClawbackEntry",
    "ClawbackPlan",
    "ClawbackReceipt",
    "ClockCard",
    "ClockPause",
    "ClockWarning",
    "Correction",
    "CorrectionItem",
    "CorrectionSubject",
    "Counter",
    "CutOffDay",
    "Cycle",
    "CyclePreflight",
    "Decision",
    "DecisionDraft",
    "DecisionKind",
    "Delivery",
    "DeliveryState",
    "Document",
    "DocumentKind",
    "DraftChange",
    "DraftPresence",
    "DraftSheet",
    "EntryAppeal",
    "EntryUse",
    "Evidence",
    "EvidenceEvent",
    "EvidenceEventKind",
    "EvidenceSource",
    "EvidenceVersion",
    "ExceptionNote",
    "FileReading",
    "FileType",
    "Finding",
    "FindingAcknowledgement",
    "Gateway",
    "GatewayKind",
    "GatewayLine",
    "Handover",
    "HandoverKind",
    "HoldKind",
    "InterestDeclaration",
    "JointAnswer",
    "JointReview",
    "Judgement",
    "LaneChoice",
    "LedgerAccount",
    "LedgerTransfer",
    "LimitedItem",
    "LineStatus",
    "MachineDraw",
    "MachineVerification",
    "Material",
    "MaterialFlag",
    "MaterialFlagReason",
    "Objection",
    "Occasion",
    "Offer",
    "OfferEdition",
    "OfferEvent",
    "Opinion",
    "OpinionKind",
    "Paper",
    "PaperKind",
    "Participation",
    "PassedOver",
    "PayForecast",
    "Payable",
    "PayeeAccount",
    "PaymentAttempt",
    "PaymentFormat",
    "PlanChange",
    "Promise",
    "Publicity",
    "QualityCheck",
    "QualityDraw",
    "Rating",
    "RatingLevel",
    "Reconciliation",
    "Rectification",
    "Reissue",
    "Remedy",
    "RepaymentAccount",
    "RepaymentDecision",
    "ReturnFile",
    "ReturnLine",
    "ReturnResult",
    "RunKind",
    "RunState",
    "ScanState",
    "SealedFile",
    "SetOff",
    "SiteVisit",
    "SpecialDay",
    "Stage",
    "StateChange",
    "StepClock",
    "StoredFile",
    "SupervisionEntry",
    "TakeOver",
    "TimePromise",
    "ToleratedGap",
    "TransferKind",
    "TransitionLog",
    "Urging",
    "VisitPhoto",
    "WarningRule",
    "YearEnd",
]
