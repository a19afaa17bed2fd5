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
from disbursement.models.gateway import Delivery, DeliveryState, Gateway, GatewayKind, GatewayLine
from disbursement.models.invoice import ApplicationInvoice
from disbursement.models.ledger import AccountKind, LedgerAccount, LedgerTransfer, TransferKind
from disbursement.models.limit import AwardLimit, Choice, LimitedItem
from disbursement.models.material import Material, MaterialFlag, MaterialFlagReason
from disbursement.models.payable import AttemptOutcome, Clawback, HoldKind, Payable, PaymentAttempt
from disbursement.models.promise import Promise, ToleratedGap
from disbursement.models.quality import Finding, QualityCheck, QualityDraw
from disbursement.models.rating import Rating, RatingLevel, Rectification
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
from disbursement.models.run import CycleRun, RunKind, RunState
from disbursement.models.staffing import Absence, Handover, HandoverKind
from disbursement.models.steps import JointAnswer, JointReview, SiteVisit, VisitPhoto

__all__ = [
    "Absence",
    "AccountKind",
    "AccountState",
    "Anchor",
    "Appeal",
    "Application",
    "ApplicationInvoice",
    "AttemptOutcome",
    "AuditRun",
    "Award",
    "AwardLimit",
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
    "ClockCard",
    "ClockPause",
    "Correction",
    "CorrectionItem",
    "CorrectionSubject",
    "Counter",
    "Cycle",
    "CycleRun",
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
    "Evidence",
    "EvidenceEvent",
    "EvidenceEventKind",
    "EvidenceSource",
    "EvidenceVersion",
    "FileReading",
    "FileType",
    "Finding",
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
    "LedgerAccount",
    "LedgerTransfer",
    "LimitedItem",
    "LineStatus",
    "Material",
    "MaterialFlag",
    "MaterialFlagReason",
    "Objection",
    "Occasion",
    "Opinion",
    "OpinionKind",
    "Paper",
    "PaperKind",
    "Participation",
    "Payable",
    "PayeeAccount",
    "PaymentAttempt",
    "PaymentFormat",
    "Promise",
    "Publicity",
    "QualityCheck",
    "QualityDraw",
    "Rating",
    "RatingLevel",
    "Reconciliation",
    "Rectification",
    "ReturnFile",
    "ReturnLine",
    "ReturnResult",
    "RunKind",
    "RunState",
    "ScanState",
    "SealedFile",
    "SiteVisit",
    "SpecialDay",
    "Stage",
    "StateChange",
    "StepClock",
    "StoredFile",
    "ToleratedGap",
    "TransferKind",
    "TransitionLog",
    "VisitPhoto",
    "YearEnd",
]
