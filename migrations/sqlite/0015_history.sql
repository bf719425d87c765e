-- What people narrow the list of decisions by. It is in the judgement too, into which SQL never looks but here,
-- for what was recorded before.
ALTER TABLE decisions ADD COLUMN effect TEXT;
ALTER TABLE decisions ADD COLUMN class TEXT;
ALTER TABLE decisions ADD COLUMN rule TEXT;
-- 1, but for a read that was allowed: pages that look again by themselves make nearly all of these.
-- What a host of before records meanwhile says nothing of it, and is shown.
ALTER TABLE decisions ADD COLUMN notable INTEGER DEFAULT 1;

UPDATE decisions SET
    effect = judgement ->> '$.ruling.effect',
    class = judgement ->> '$.class',
    rule = COALESCE(judgement ->> '$.ruling.ground.rule', judgement ->> '$.ruling.terms.ground.rule'),
    notable = CASE
        WHEN outcome = 'allowed' AND verb IN (
            'org_token_list', 'secret_list', 'workspace_read', 'workspace_list',
            'approval_list', 'policy_read', 'audit_read', 'decision_read'
        ) THEN NULL
        ELSE 1
    END;

CREATE INDEX decisions_notable ON decisions (id) WHERE notable IS NOT NULL;
-- The days that somebody looks for, in an audit that is in the order of its numbers.
CREATE INDEX audit_by_time ON audit (at);
