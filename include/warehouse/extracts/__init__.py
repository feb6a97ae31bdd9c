"""The ledgers of reading an org: how far, in which parts, compared with what."""
