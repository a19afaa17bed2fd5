"""Under which keys the paper behind an invoice or a contract may stand: its issuer is written by credit code here, by
name there, and the registry of enterprises knows that both are one.
"""

from __future__ import annotations

from collections.abc import Iterable

from disbursement.domain.invoices import Invoice, letters
from matching.models import Enterprise


def keys_of(table: Iterable[Invoice]) -> dict[Invoice, tuple[str, ...]]:
    """For each invoice its keys, the one under which it is entered first: by credit code where the issuer's is known,
    for codes outlive names. The others are looked up, too. At most two queries.

    A name that several enterprises bear says nothing of their codes and stays a name.
    """
    invoices = list(dict.fromkeys(table))
    issued = [invoice for invoice in invoices if not invoice.is_digital]
    name_of = _names({code for invoice in issued if (code := invoice.issuer_code) is not None})
    code_of = _codes({invoice.issuer for invoice in issued if invoice.issuer_code is None})
    found: dict[Invoice, tuple[str, ...]] = {}
    for invoice in invoices:
        keys = [invoice.key]
        if not invoice.is_digital:
            code = invoice.issuer_code
            if code is not None and code in name_of:
                keys.append(invoice.key_by(name_of[code]))
            elif code is None and letters(invoice.issuer) in code_of:
                keys.insert(0, invoice.key_by(code_of[letters(invoice.issuer)]))
        found[invoice] = tuple(keys)
    return found


def _names(codes: set[str]) -> dict[str, str]:
    if not codes:
        return {}
    return dict(Enterprise.objects.filter(credit_code__in=codes).values_list("credit_code", "name"))


def _codes(names: set[str]) -> dict[str, str]:
    """Codes by `letters` of the name. Brackets are written in full or half width; the index knows exact names alone."""
    if not names:
        return {}
    full = str.maketrans("()", "（）")
    half = str.maketrans("（）", "()")
    written = {form for name in names for form in (name, name.translate(full), name.translate(half))}
    found: dict[str, str] = {}
    doubled: set[str] = set()
    for name, code in Enterprise.objects.filter(name__in=written).values_list("name", "credit_code"):
        plain = letters(name)
        if plain in found:
            doubled.add(plain)
        found[plain] = code
    return {plain: code for plain, code in found.items() if plain not in doubled}
