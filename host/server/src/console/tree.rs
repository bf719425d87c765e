//! The workspaces in the order of their tree, a part at a time.

use std::collections::{HashMap, HashSet};

use countersign_core::action::Action;
use countersign_core::id::WorkspaceId;
use countersign_core::workspace::Workspace;

use crate::problem::Problem;
use crate::routes::Call;

/// Those that stand, for a page that is about something else.
pub async fn standing(call: &Call) -> Result<Vec<Workspace>, Problem> {
    let permit = call.permit_beside(Action::WorkspaceList).await?;
    Ok(call.app.ledger.workspaces(&permit).await?)
}

/// Each with its depth, a root having none, behind the one that it is below. What is below nothing that is
/// here is a root.
pub fn ordered(workspaces: &[Workspace]) -> Vec<(&Workspace, usize)> {
    let ids: HashSet<WorkspaceId> = workspaces.iter().map(|one| one.id).collect();
    let mut children: HashMap<Option<WorkspaceId>, Vec<&Workspace>> = HashMap::new();
    for one in workspaces {
        let parent = one.parent.filter(|parent| ids.contains(parent));
        children.entry(parent).or_default().push(one);
    }
    let mut ordered = Vec::with_capacity(workspaces.len());
    let mut next: Vec<(&Workspace, usize)> = Vec::new();
    let push = |next: &mut Vec<_>, of: Option<WorkspaceId>, depth| {
        let below: &[&Workspace] = children.get(&of).map_or(&[], Vec::as_slice);
        next.extend(below.iter().rev().map(|child| (*child, depth)));
    };
    push(&mut next, None, 0);
    while let Some((one, depth)) = next.pop() {
        ordered.push((one, depth));
        push(&mut next, Some(one.id), depth + 1);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::super::examples::workspace;
    use super::*;

    #[test]
    fn each_stands_behind_what_it_is_below() {
        let all = [
            workspace(1, "root", None),
            workspace(2, "other", None),
            workspace(3, "child", Some(1)),
            workspace(4, "second", Some(1)),
            workspace(5, "below", Some(3)),
            workspace(6, "lost", Some(99)),
        ];
        let told: Vec<_> = ordered(&all)
            .iter()
            .map(|(one, depth)| (one.name.as_str(), *depth))
            .collect();
        let expected = [
            ("root", 0),
            ("child", 1),
            ("below", 2),
            ("second", 1),
            ("other", 0),
            ("lost", 0),
        ];
        assert_eq!(told, expected);
    }
}
