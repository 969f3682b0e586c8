//! Every engine keeps the promises of the `Containers` and `Images` ports.

mod broken;
pub mod builds;
mod faults;
mod files;
mod images;
mod life;
mod objects;
pub mod world;

/// Makes a test of each claim for the engine in memory, for this machine's Docker Engine, and for newer ones.
macro_rules! claims {
    ($($claim:ident),* $(,)?) => {
        claims! { on in_memory on_docker on_newer_engine on_containerd_store: [$($claim),*] }
    };
    (on $($world:ident)*: $claims:tt) => {
        $(claims! { in $world: $claims })*
    };
    (in $world:ident: [$($claim:ident),* $(,)?]) => {
        mod $world {
            $(#[tokio::test] async fn $claim() {
                $crate::containers_contract::world::$world(super::$claim).await
            })*
        }
    };
}
use claims;
