//! What careen needs from the outside, as traits in plain types.
