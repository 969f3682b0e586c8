//! Source positions, diagnostics and shell words: what every reader of text shares.
