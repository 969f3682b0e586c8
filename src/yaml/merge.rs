//! Merge keys: `<<` brings the pairs of other maps.

use super::node::{Kind, Node, Pair};
use super::syntax;
use crate::text::Diagnostics;

/// Replaces each merge key by the pairs that it brings. They count from where the key stands: what is written after
/// it wins, what is written before it does not.
pub(super) fn merge(pairs: Vec<Pair>, findings: &mut Diagnostics) -> Vec<Pair> {
    if !pairs.iter().any(|pair| pair.key.is_merge_key()) {
        return pairs;
    }
    let mut merged = Vec::with_capacity(pairs.len());
    for pair in pairs {
        if !pair.key.is_merge_key() {
            merged.push(pair);
            continue;
        }
        // The first of several maps wins, so it comes last.
        for source in sources(pair).into_iter().rev() {
            match source.kind {
                Kind::Mapping(pairs) => merged.extend(pairs.into_iter().map(|pair| Pair {
                    is_merged: true,
                    ..pair
                })),
                Kind::Broken => {}
                Kind::Scalar { .. } | Kind::Sequence(_) => {
                    findings.push(syntax::merge_wants_maps().at(source.span));
                }
            }
        }
    }
    merged
}

/// Lists the maps that a merge key names: one, or several in a list that is written out.
fn sources(pair: Pair) -> Vec<Node> {
    // A list that came through an alias stands before the key; yaml.v2 takes no such list.
    let is_alias = pair.value.span.start < pair.key.span.start;
    match pair.value.kind {
        Kind::Sequence(items) if !is_alias => items,
        kind => vec![Node { kind, ..pair.value }],
    }
}

#[cfg(test)]
mod tests {
    use crate::yaml::{Kind, compose};

    /// Reads the last value of a map and prints its pairs.
    fn last(text: &str) -> String {
        let (root, findings) = compose(text);
        if let Some(finding) = findings.iter().next() {
            return finding.message.clone();
        }
        let Kind::Mapping(pairs) = root.unwrap().kind else {
            panic!("no map")
        };
        let Kind::Mapping(pairs) = &pairs.last().unwrap().value.kind else {
            panic!("no map")
        };
        let shown = pairs.iter().map(|pair| {
            let mark = if pair.is_merged { "+" } else { "" };
            format!(
                "{mark}{}={}",
                pair.key.scalar().unwrap().0,
                pair.value.scalar().unwrap().0
            )
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn merged_pairs_stand_where_the_key_stands() {
        for (text, expected) in [
            ("x: {z: 9, <<: {z: 1}, y: 2}", "z=9 +z=1 y=2"),
            ("a: &a {b: 1}\nx: {<<: *a, c: 2}", "+b=1 c=2"),
            ("x: {<<: [{a: 1}, {a: 2, b: 3}]}", "+a=2 +b=3 +a=1"),
            ("x: {<<: {<<: {a: 1}, b: 2}}", "+a=1 +b=2"),
            ("x: {'<<': 1}", "<<=1"),
        ] {
            assert_eq!(last(text), expected, "{text}");
        }
    }

    #[test]
    fn only_maps_can_be_merged() {
        for text in [
            "x: {<<: 5}",
            "x: {<<: [1]}",
            "l: &l [{a: 1}]\nx: {<<: *l}",
            "x: {<<: }",
        ] {
            assert_eq!(
                last(text),
                "map merge requires map or sequence of maps as the value",
                "{text}"
            );
        }
    }
}
