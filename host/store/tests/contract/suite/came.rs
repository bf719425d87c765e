//! What came of a submission or a vote, of which a test is certain.

use countersign_core::approval::Approval;
use countersign_core::ledger::{Done, OrgToken, Refusal, Settled, Voted};
use countersign_core::workspace::{Workspace, WorkspaceToken};

pub fn pending(settled: Settled) -> Approval {
    match settled {
        Settled::Pending(approval) => *approval,
        other => panic!("pending, not {other:?}"),
    }
}

pub fn token(settled: Settled) -> OrgToken {
    match settled {
        Settled::Done(Done::Minted(token)) => token,
        other => panic!("a minted token, not {other:?}"),
    }
}

pub fn saved(settled: Settled) -> Workspace {
    match settled {
        Settled::Done(Done::WorkspaceSaved(workspace)) => workspace,
        other => panic!("a saved workspace, not {other:?}"),
    }
}

pub fn workspace_token(settled: Settled) -> WorkspaceToken {
    match settled {
        Settled::Done(Done::WorkspaceTokenMinted(token)) => token,
        other => panic!("a workspace's token, not {other:?}"),
    }
}

pub fn refused(settled: Settled) -> Refusal {
    match settled {
        Settled::Refused(refusal) => refusal,
        other => panic!("a refusal, not {other:?}"),
    }
}

pub fn done(settled: Settled) -> Done {
    match settled {
        Settled::Done(done) => done,
        other => panic!("a deed, not {other:?}"),
    }
}

pub fn counted(voted: Voted) -> Approval {
    match voted {
        Voted::Counted(approval) => *approval,
        other => panic!("a counted vote, not {other:?}"),
    }
}
