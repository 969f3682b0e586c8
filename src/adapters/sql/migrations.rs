//! The migrations of a database, carried in the program.
//!
//! `sqlx::migrate!` would do it, too, but compiles both drivers, SQLite and a TLS library a second time for itself.

use std::borrow::Cow;

use include_dir::Dir;
use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

/// Reads a folder of files called `<version>_<what_it_does>.sql`. What a newer careen has added is no hindrance: while
/// versions change, two work side by side.
pub(super) fn embedded(folder: &Dir<'static>) -> Migrator {
    let mut migrations = Migrator::with_migrations(folder.files().map(migration).collect());
    migrations.set_ignore_missing(true);
    migrations
}

/// What the file says; every one of ours is called as it should be, which a test would notice.
fn migration(file: &'static include_dir::File<'static>) -> Migration {
    let name = file.path().file_stem().and_then(|it| it.to_str());
    let (version, description) = name
        .and_then(|it| it.split_once('_'))
        .expect("a migration is called <version>_<what_it_does>.sql");
    Migration::new(
        version.parse().expect("the version is a number"),
        Cow::Owned(description.replace('_', " ")),
        MigrationType::Simple,
        file.contents_utf8().expect("SQL is text").into_sql_str(),
        false,
    )
}
