-- What was asked before, sought by people, the newest first.
CREATE INDEX approvals_by_state ON approvals (state, id);
CREATE INDEX approvals_by_verb ON approvals (verb, id);
CREATE INDEX approvals_by_actor ON approvals (requester_actor, id);
CREATE INDEX approvals_by_requester ON approvals (requester_credential, id);

-- What a credential did, asked for or was refused: people read it before they decide on its request.
CREATE INDEX decisions_of_note ON decisions (credential, id)
    WHERE outcome <> 'allowed' OR deed_at IS NOT NULL;
