//! Which steps a retry runs again, and which it keeps.

use super::Plan;
use crate::spec::{StepKind, context};

impl Plan {
    /// Says of each step whether it is run again, given which have ended well and left their work where it still is.
    ///
    /// Images stay when a run ends, its workspace does not. So a step runs again with each of its parents that does,
    /// and a command also when another step that runs again could see what it left in the workspace.
    pub fn to_run_again(&self, stays: &[bool]) -> Vec<bool> {
        let mut again: Vec<bool> = stays.iter().map(|stays| !stays).collect();
        while let Some(next) = (0..again.len()).find(|at| !again[*at] && self.must_go(*at, &again))
        {
            again[next] = true;
        }
        again
    }

    fn must_go(&self, position: usize, again: &[bool]) -> bool {
        let mut parents = self.parents(position as u32);
        let is_command = matches!(self.steps[position].kind, StepKind::Cmd(_));
        parents.any(|parent| again[parent as usize])
            || is_command
                && (0..again.len()).any(|other| again[other] && self.sees_workspace(other))
    }

    fn sees_workspace(&self, position: usize) -> bool {
        match &self.steps[position].kind {
            StepKind::Cmd(_) => true,
            StepKind::Build(build) => !context::is_elsewhere(&build.context),
            StepKind::Push(_) => false,
        }
    }
}
