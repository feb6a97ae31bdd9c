-- The same 45 issues as somebody would write them who knows PostgreSQL: every failing Id, and the counts.
-- One pass over each table for what a row shows by itself, what is used twice computed once; joins for the rest; all
-- in one statement that may use both cores; the key built at the end.
DROP TABLE IF EXISTS by_hand, by_hand_counts;
SET work_mem = '64MB';
SET jit = off;
SET max_parallel_workers_per_gather = 2;
CREATE TABLE by_hand AS
SELECT unnest(array_remove(ARRAY[
    CASE WHEN "Email" IS NULL THEN 'contact_email_missing' END,
    CASE WHEN "Email" !~ '^[A-Za-z0-9!#$%&''*+/=?^_{|}~-]+([.][A-Za-z0-9!#$%&''*+/=?^_{|}~-]+)*@([A-Za-z0-9-]+[.])+[A-Za-z]{2,}$' THEN 'contact_email_invalid' END,
    CASE WHEN "Phone" IS NULL AND "MobilePhone" IS NULL THEN 'contact_phone_missing' END,
    CASE WHEN (digits >= 7 AND "Phone" !~ '^[ (]*([+]|00)') OR (mobile >= 7 AND "MobilePhone" !~ '^[ (]*([+]|00)') THEN 'contact_phone_without_country' END,
    CASE WHEN digits NOT BETWEEN 7 AND 17 OR "Phone" ~ '^ *[+](0|999)' OR mobile NOT BETWEEN 7 AND 17 OR "MobilePhone" ~ '^ *[+](0|999)' THEN 'contact_phone_not_a_number' END,
    CASE WHEN lower(concat(' ', "FirstName", ' ', "LastName", ' ')) ~ '[^a-z](test|tester|testing|asdf|asdfgh|qwerty|dummy|deleteme)[^a-z]' OR email ~ '^(test|asdf|qwerty|dummy)[0-9]*@' THEN 'contact_test_record' END,
    CASE WHEN "LastName" = upper("LastName") AND coalesce("FirstName", '') = upper(coalesce("FirstName", '')) AND ((length(btrim("LastName")) >= 3 AND "LastName" <> lower("LastName")) OR (length(btrim("FirstName")) >= 3 AND "FirstName" <> lower("FirstName"))) THEN 'contact_name_in_capitals' END,
    CASE WHEN "Birthdate" > '2026-11-02'::date THEN 'contact_birthdate_in_future' END,
    CASE WHEN email LIKE '%@%' AND btrim(split_part(email, '@', 1)) IN {list.role_mailboxes} THEN 'contact_role_mailbox' END,
    CASE WHEN domain IN {list.disposable_mail_domains} THEN 'contact_disposable_email' END,
    CASE WHEN "AccountId" IS NOT NULL AND domain IN {list.free_mail_domains} THEN 'contact_free_mail' END,
    CASE WHEN "EmailBouncedDate" IS NOT NULL THEN 'contact_email_bounced' END,
    CASE WHEN "FirstName" IS NULL THEN 'contact_first_name_missing' END,
    CASE WHEN lower(btrim("MailingCountry")) NOT IN {list.countries} THEN 'contact_country_unknown' END,
    CASE WHEN "LastModifiedDate" < '2026-11-02T09:00:00+00:00'::timestamptz - interval '1095 days' THEN 'contact_untouched' END
], NULL)) AS check_id, "Id" AS record_id
FROM (SELECT *, btrim(split_part(email, '@', 2)) AS domain FROM (
    SELECT "Id", "Email", "Phone", "MobilePhone", "FirstName", "LastName", "Birthdate", "AccountId", "EmailBouncedDate",
           "MailingCountry", "LastModifiedDate", lower("Email") AS email,
           length("Phone") - length(translate("Phone", '0123456789', '')) AS digits,
           length("MobilePhone") - length(translate("MobilePhone", '0123456789', '')) AS mobile
    FROM "Contact" WHERE _deleted_at IS NULL OFFSET 0) AS c OFFSET 0) AS c
UNION ALL
SELECT 'contact_without_account', "Id" FROM "Contact" AS c WHERE _deleted_at IS NULL
   AND NOT EXISTS (SELECT FROM "Account" AS a WHERE a."Id" = c."AccountId" AND a._deleted_at IS NULL)
UNION ALL
SELECT 'contact_owner_inactive', "Id" FROM "Contact" WHERE _deleted_at IS NULL
   AND "OwnerId" = ANY (ARRAY(SELECT "Id" FROM "User" WHERE NOT "IsActive" AND _deleted_at IS NULL))
UNION ALL
SELECT 'contact_reports_to_themselves', "Id" FROM "Contact" AS c WHERE _deleted_at IS NULL AND "ReportsToId" IS NOT NULL
   AND ("ReportsToId" = "Id" OR NOT EXISTS (SELECT FROM "Contact" AS b WHERE b."Id" = c."ReportsToId" AND b._deleted_at IS NULL))
UNION ALL
SELECT unnest(array_remove(ARRAY[
    CASE WHEN "Website" IS NULL THEN 'account_website_missing' END,
    CASE WHEN lower(concat(' ', "Name", ' ')) ~ '[^a-z](test|testing|asdf|asdfgh|qwerty|dummy|deleteme)[^a-z]' THEN 'account_test_record' END,
    CASE WHEN "Website" !~ '^\s*([Hh][Tt][Tt][Pp][Ss]?://)?[A-Za-z0-9À-ž-]+([.][A-Za-z0-9À-ž-]+)*[.][A-Za-z]{2,}(:[0-9]+)?([/?#].*)?\s*$' THEN 'account_website_malformed' END,
    CASE WHEN digits NOT BETWEEN 7 AND 17 OR "Phone" ~ '^ *[+](0|999)' THEN 'account_phone_not_a_number' END,
    CASE WHEN digits >= 7 AND "Phone" !~ '^[ (]*([+]|00)' THEN 'account_phone_without_country' END,
    CASE WHEN "Name" = upper("Name") AND "Name" <> lower("Name") AND length(btrim("Name")) >= 8 THEN 'account_name_in_capitals' END,
    CASE WHEN country NOT IN {list.countries} THEN 'account_country_unknown' END,
    CASE WHEN country IN ('us', 'usa', 'u.s.', 'u.s.a.', 'united states', 'united states of america') AND lower(btrim("BillingState")) NOT IN {list.us_states} THEN 'account_state_unknown' END,
    CASE WHEN btrim("BillingCity") <> '' AND coalesce(country, '') = '' THEN 'account_address_incomplete' END,
    CASE WHEN "Industry" IS NULL THEN 'account_industry_missing' END
], NULL)), "Id"
FROM (SELECT "Id", "Website", "Name", "Phone", "BillingCity", "BillingState", "Industry",
             lower(btrim("BillingCountry")) AS country,
             length("Phone") - length(translate("Phone", '0123456789', '')) AS digits
      FROM "Account" WHERE _deleted_at IS NULL OFFSET 0) AS a
UNION ALL
SELECT 'account_without_contacts', "Id" FROM "Account" AS a WHERE _deleted_at IS NULL
   AND NOT EXISTS (SELECT FROM "Contact" AS c WHERE c."AccountId" = a."Id" AND c._deleted_at IS NULL)
UNION ALL
SELECT 'account_owner_inactive', "Id" FROM "Account" WHERE _deleted_at IS NULL
   AND "OwnerId" = ANY (ARRAY(SELECT "Id" FROM "User" WHERE NOT "IsActive" AND _deleted_at IS NULL))
UNION ALL
SELECT 'account_parent_gone', "Id" FROM "Account" AS a WHERE _deleted_at IS NULL AND "ParentId" IS NOT NULL
   AND NOT EXISTS (SELECT FROM "Account" AS p WHERE p."Id" = a."ParentId" AND p._deleted_at IS NULL)
UNION ALL
SELECT unnest(array_remove(ARRAY[
    CASE WHEN "Email" IS NULL THEN 'lead_email_missing' END,
    CASE WHEN "Email" !~ '^[A-Za-z0-9!#$%&''*+/=?^_{|}~-]+([.][A-Za-z0-9!#$%&''*+/=?^_{|}~-]+)*@([A-Za-z0-9-]+[.])+[A-Za-z]{2,}$' THEN 'lead_email_invalid' END,
    CASE WHEN NOT "IsConverted" AND "LastModifiedDate" < '2026-11-02T09:00:00+00:00'::timestamptz - interval '365 days' THEN 'lead_untouched' END,
    CASE WHEN digits >= 7 AND "Phone" !~ '^[ (]*([+]|00)' THEN 'lead_phone_without_country' END,
    CASE WHEN digits NOT BETWEEN 7 AND 17 OR "Phone" ~ '^ *[+](0|999)' THEN 'lead_phone_not_a_number' END,
    CASE WHEN lower(concat(' ', "FirstName", ' ', "LastName", ' ')) ~ '[^a-z](test|tester|testing|asdf|asdfgh|qwerty|dummy|deleteme)[^a-z]' OR lower("Email") ~ '^(test|asdf|qwerty|dummy)[0-9]*@' THEN 'lead_test_record' END,
    CASE WHEN "LastName" = upper("LastName") AND coalesce("FirstName", '') = upper(coalesce("FirstName", '')) AND ((length(btrim("LastName")) >= 3 AND "LastName" <> lower("LastName")) OR (length(btrim("FirstName")) >= 3 AND "FirstName" <> lower("FirstName"))) THEN 'lead_name_in_capitals' END,
    CASE WHEN lower(btrim("Country")) NOT IN {list.countries} THEN 'lead_country_unknown' END,
    CASE WHEN "LeadSource" IS NULL THEN 'lead_source_missing' END
], NULL)), "Id"
FROM (SELECT "Id", "Email", "IsConverted", "LastModifiedDate", "Phone", "FirstName", "LastName", "Country", "LeadSource",
             length("Phone") - length(translate("Phone", '0123456789', '')) AS digits
      FROM "Lead" WHERE _deleted_at IS NULL OFFSET 0) AS l
UNION ALL
SELECT 'lead_should_be_contact', "Id" FROM "Lead" WHERE _deleted_at IS NULL AND NOT "IsConverted"
   AND lower(btrim("Company")) IN (SELECT lower(btrim("Name")) FROM "Account" WHERE _deleted_at IS NULL)
UNION ALL
SELECT unnest(array_remove(ARRAY[
    CASE WHEN NOT "IsClosed" AND "CloseDate" < '2026-11-02'::date THEN 'opportunity_close_date_past' END,
    CASE WHEN ("IsWon" AND "Probability" <> 100) OR ("IsClosed" AND NOT "IsWon" AND "Probability" <> 0) OR (NOT "IsClosed" AND ("Probability" <= 0 OR "Probability" >= 100 OR ("Probability" >= 80 AND usual < 40) OR ("Probability" <= 10 AND usual > 40))) THEN 'opportunity_stage_disagrees' END,
    CASE WHEN NOT "IsClosed" AND ("Amount" IS NULL OR "Amount" <= 0) THEN 'opportunity_amount_missing' END
], NULL)), "Id" FROM "Opportunity"
LEFT JOIN (SELECT "StageName", avg("Probability") AS usual FROM "Opportunity" WHERE NOT "IsClosed" AND _deleted_at IS NULL GROUP BY 1) AS stages USING ("StageName")
WHERE _deleted_at IS NULL
UNION ALL
SELECT 'opportunity_without_account', "Id" FROM "Opportunity" AS o WHERE _deleted_at IS NULL
   AND NOT EXISTS (SELECT FROM "Account" AS a WHERE a."Id" = o."AccountId" AND a._deleted_at IS NULL);
ALTER TABLE by_hand ADD PRIMARY KEY (check_id, record_id);
CREATE TABLE by_hand_counts AS SELECT check_id, count(*) AS records FROM by_hand GROUP BY check_id
