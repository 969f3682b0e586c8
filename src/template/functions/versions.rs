//! Semantic versions.
use super::context::text_of;
use super::signature::{Function, Parameter};
use crate::template::semver::{Version, satisfies};
use crate::template::value::{Value, runes};
use std::rc::Rc;

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new("semver", &[Parameter::Text], |_, values| {
        let version = Version::parse(&runes::to_string(text_of(values, 0)))?;
        Ok(Value::Version(Rc::new(version)))
    }),
    Function::new(
        "semverCompare",
        &[Parameter::Text, Parameter::Text],
        |context, values| {
            let (constraint, version) = (text_of(values, 0), text_of(values, 1));
            context.budget.spend(constraint.len() as u64)?;
            satisfies(&runes::to_string(constraint), &runes::to_string(version)).map(Value::Bool)
        },
    ),
];
