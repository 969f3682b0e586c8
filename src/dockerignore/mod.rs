//! Docker's own ignore rules.
