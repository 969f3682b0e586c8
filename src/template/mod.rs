//! Go text/template with the sprig functions, bounded in time and space.
