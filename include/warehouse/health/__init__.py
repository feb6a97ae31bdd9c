"""The ledgers of health: assessments, findings, what changed and who hears of it."""
