//! YAML 1.1 as yaml.v2 reads it, kept as a tree with source positions.
