//! Lists of what bears labels.

use std::collections::HashMap;

use crate::ports::Labels;

/// The filter of a list that keeps what bears all these labels.
pub(super) fn label_filter(labels: &Labels) -> HashMap<String, Vec<String>> {
    let wanted = labels.iter().map(|(name, value)| format!("{name}={value}"));
    [("label".to_string(), wanted.collect())].into()
}
