//! Anchored nodes and what their copies may cost.

use super::node::{Kind, Node};
use std::collections::HashMap;

/// Copies may hold this many nodes in all, and a hundred times as many bytes.
const MOST_COPIED: usize = 100_000;

/// The nodes under anchors. Aliases are copies: a few nested ones could stand for a tree larger than memory.
#[derive(Default)]
pub(super) struct Anchors {
    known: HashMap<usize, Anchored>,
    copied: Size,
}

struct Anchored {
    node: Node,
    size: Size,
}

/// How much a tree holds.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
    depth: usize,
}

/// A copy would cost too much.
pub(super) struct TooMuch;

impl Anchors {
    /// Keeps a copy of a node under the number of its anchor.
    pub fn keep(&mut self, anchor: usize, node: &Node) -> Result<(), TooMuch> {
        let size = Size::of(node);
        self.copied.spend(size)?;
        let node = node.clone();
        self.known.insert(anchor, Anchored { node, size });
        Ok(())
    }

    /// Copies the node under an anchor, and says how deep it is; `None` while the node is still being read.
    pub fn copy(&mut self, anchor: usize) -> Result<Option<(Node, usize)>, TooMuch> {
        let Some(anchored) = self.known.get(&anchor) else {
            return Ok(None);
        };
        self.copied.spend(anchored.size)?;
        Ok(Some((anchored.node.clone(), anchored.size.depth)))
    }
}

impl Size {
    fn of(node: &Node) -> Self {
        let mut size = Self {
            nodes: 1,
            bytes: 0,
            depth: 1,
        };
        match &node.kind {
            Kind::Scalar { text, .. } => size.bytes = text.len(),
            Kind::Sequence(items) => items.iter().for_each(|item| size.add(Self::of(item))),
            Kind::Mapping(pairs) => pairs.iter().for_each(|pair| {
                size.add(Self::of(&pair.key));
                size.add(Self::of(&pair.value));
            }),
            Kind::Broken => {}
        }
        size
    }

    fn add(&mut self, child: Self) {
        self.nodes += child.nodes;
        self.bytes += child.bytes;
        self.depth = self.depth.max(child.depth + 1);
    }

    fn spend(&mut self, other: Self) -> Result<(), TooMuch> {
        self.nodes += other.nodes;
        self.bytes += other.bytes;
        let fits = self.nodes <= MOST_COPIED && self.bytes <= MOST_COPIED * 100;
        fits.then_some(()).ok_or(TooMuch)
    }
}

#[cfg(test)]
mod tests {
    use crate::yaml::compose;

    fn errors(text: &str) -> Vec<String> {
        let (_, findings) = compose(text);
        findings
            .iter()
            .map(|finding| finding.message.clone())
            .collect()
    }

    #[test]
    fn a_bomb_of_aliases_is_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for n in 1..20 {
            let alias = format!("*a{}", n - 1);
            text += &format!("a{n}: &a{n} [{}]\n", [alias.as_str(); 9].join(", "));
        }
        assert_eq!(errors(&text), ["the text contains excessive aliasing"]);
    }

    #[test]
    fn a_long_text_cannot_be_copied_without_end() {
        let text = format!(
            "a: &a {}\nb: [{}]\n",
            "x".repeat(100_000),
            "*a, ".repeat(1000)
        );
        assert_eq!(errors(&text), ["the text contains excessive aliasing"]);
    }

    #[test]
    fn aliases_cannot_nest_deeper_than_brackets() {
        let mut text = String::from("- &a0 x\n");
        for n in 1..2000 {
            text += &format!("- &a{n} [*a{}]\n", n - 1);
        }
        assert_eq!(
            errors(&text),
            ["maps and lists are nested more than 64 deep"]
        );
    }

    #[test]
    fn ordinary_use_is_free() {
        let text = format!("a: &a {{x: 1, y: [2, 3]}}\nb: [{}]\n", "*a, ".repeat(1000));
        assert!(errors(&text).is_empty());
    }
}
