"""Time: clocks, the forecast of the pay month, warnings, the supervision ledger, urgings, the working calendar."""
