//! Every engine keeps the promises of the `Containers` and `Images` ports.

mod broken;
pub mod builds;
mod faults;
mod files;
mod images;
mod life;
mod objects;
pub mod world;

/// Makes a test of each claim for the engine in memory and one for the Docker Engine.
macro_rules! claims {
    ($($(#[$note:meta])* $claim:ident),* $(,)?) => {
        mod in_memory {
            $(#[tokio::test] async fn $claim() {
                $crate::containers_contract::world::in_memory(super::$claim).await
            })*
        }
        mod on_docker {
            $(#[tokio::test] async fn $claim() {
                $crate::containers_contract::world::on_docker(super::$claim).await
            })*
        }
    };
}
use claims;
