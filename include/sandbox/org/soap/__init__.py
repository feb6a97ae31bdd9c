"""The SOAP API: envelopes in and out, faults, and what each operation does."""
