//! Folders of this machine: walked by ignore rules, packed into tar streams, with what git says of them.
