//! Every engine keeps the promises of the `Containers` and `Images` ports.

mod broken;
mod builds;
mod faults;
mod files;
mod images;
mod life;
mod objects;
mod world;

/// Makes a test of each claim for the engine in memory, for this machine's Docker Engine, and for newer ones.
macro_rules! claims {
    ($($claim:ident),* $(,)?) => {
        claims! { in in_memory: $($claim),* }
        claims! { in on_docker: $($claim),* }
        claims! { in on_newer_engine: $($claim),* }
        claims! { in on_containerd_store: $($claim),* }
    };
    (in $world:ident: $($claim:ident),*) => {
        mod $world {
            $(#[tokio::test] async fn $claim() {
                $crate::containers_contract::world::$world(super::$claim).await
            })*
        }
    };
}
use claims;
