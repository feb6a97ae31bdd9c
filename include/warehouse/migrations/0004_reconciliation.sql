-- What the nightly comparison of all Ids with the org found, and what became of it.

ALTER TABLE headwater.run DROP CONSTRAINT run_kind_check;
ALTER TABLE headwater.run ADD CONSTRAINT run_kind_check
    CHECK (kind IN ('extract', 'reconcile', 'health', 'push'));

CREATE TABLE headwater.reconciliation (
    run_id       bigint PRIMARY KEY REFERENCES headwater.run ON DELETE CASCADE,
    org          text NOT NULL,
    object       text NOT NULL,
    compared_at  timestamptz NOT NULL,        -- the org's clock when the Ids were asked for
    in_org       bigint NOT NULL,             -- records of the org, those in the recycle bin not counted
    here         bigint NOT NULL,             -- of those, the ones held here afterwards, and what is here in excess
    missing      bigint NOT NULL DEFAULT 0,   -- in the org and not here
    stale        bigint NOT NULL DEFAULT 0,   -- older here than in the org, or deleted on one side only
    vanished     bigint NOT NULL DEFAULT 0,   -- here, and neither among the org's records nor in its recycle bin
    purged       bigint NOT NULL DEFAULT 0,   -- known as deleted, and gone from the recycle bin since
    fetched      bigint NOT NULL DEFAULT 0,   -- records read again because of it
    rejected     bigint NOT NULL DEFAULT 0,   -- of those, the ones that could not be stored
    recalculated bigint NOT NULL DEFAULT 0,   -- rows whose formulas or roll-ups had changed without a stamp
    remaining    bigint NOT NULL DEFAULT 0,   -- missing or stale after all that
    quarantined  boolean NOT NULL DEFAULT false, -- too many vanished at once: nothing was marked, a person decides
    written_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reconciliation_recent ON headwater.reconciliation (org, object, run_id DESC);
